{{/*
Names and labels. 63 characters is the longest label value and DNS label. Names are quoted where they are used: a
release may be called "true" or "1".
*/}}

{{- define "vllm-summarizer.name" -}}
{{- default .Chart.Name .Values.nameOverride | trunc 63 | trimSuffix "-" -}}
{{- end -}}

{{- define "vllm-summarizer.fullname" -}}
{{- if .Values.fullnameOverride -}}
{{- .Values.fullnameOverride | trunc 63 | trimSuffix "-" -}}
{{- else -}}
{{- $name := default .Chart.Name .Values.nameOverride -}}
{{- if contains $name .Release.Name -}}
{{- .Release.Name | trunc 63 | trimSuffix "-" -}}
{{- else -}}
{{- printf "%s-%s" .Release.Name $name | trunc 63 | trimSuffix "-" -}}
{{- end -}}
{{- end -}}
{{- end -}}

{{/* The full name with a suffix that survives truncation: (list . "suffix"). */}}
{{- define "vllm-summarizer.suffixed" -}}
{{- $suffix := index . 1 -}}
{{- $room := sub 62 (len $suffix) | int -}}
{{- printf "%s-%s" (include "vllm-summarizer.fullname" (index . 0) | trunc $room | trimSuffix "-") $suffix -}}
{{- end -}}

{{- define "vllm-summarizer.namespace" -}}
{{- default .Release.Namespace .Values.namespaceOverride -}}
{{- end -}}

{{/* Never change these: a Deployment's selector is immutable. */}}
{{- define "vllm-summarizer.selectorLabels" -}}
app.kubernetes.io/name: {{ include "vllm-summarizer.name" . | quote }}
app.kubernetes.io/instance: {{ .Release.Name | quote }}
app.kubernetes.io/component: server
{{- end -}}

{{/* Labels of an object, without the component, so that the test pod is never selected. */}}
{{- define "vllm-summarizer.commonLabels" -}}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" | trunc 63 | trimSuffix "-" }}
app.kubernetes.io/name: {{ include "vllm-summarizer.name" . | quote }}
app.kubernetes.io/instance: {{ .Release.Name | quote }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
{{- end -}}

{{- define "vllm-summarizer.labels" -}}
{{ include "vllm-summarizer.commonLabels" . }}
app.kubernetes.io/component: server
{{- end -}}

{{- define "vllm-summarizer.serviceAccountName" -}}
{{- if .Values.serviceAccount.create -}}
{{- default (include "vllm-summarizer.fullname" .) .Values.serviceAccount.name -}}
{{- else -}}
{{- default "default" .Values.serviceAccount.name -}}
{{- end -}}
{{- end -}}

{{- define "vllm-summarizer.claimName" -}}
{{- default (include "vllm-summarizer.suffixed" (list . "cache")) .Values.cache.persistence.existingClaim -}}
{{- end -}}

{{/* Labels, annotations and selectors: the API takes text alone, and --set makes numbers and booleans. */}}
{{- define "vllm-summarizer.texts" -}}
{{- $texts := dict -}}
{{- range $key, $value := . -}}
{{- if not (kindIs "invalid" $value) -}}{{- $_ := set $texts $key (include "vllm-summarizer.text" $value) -}}{{- end -}}
{{- end -}}
{{- toYaml $texts -}}
{{- end -}}

{{/* A value as text; whole numbers arrive as floats, which print as 1e+06. */}}
{{- define "vllm-summarizer.text" -}}
{{- if kindIs "float64" . -}}
{{- if eq . (floor .) -}}{{- printf "%.0f" . -}}{{- else -}}{{- toString . -}}{{- end -}}
{{- else -}}
{{- toString . -}}
{{- end -}}
{{- end -}}

{{- define "vllm-summarizer.image" -}}
{{- with .Values.image -}}
{{- if .digest -}}
{{- printf "%s@%s" .repository .digest -}}
{{- else -}}
{{- printf "%s:%s" .repository .tag -}}
{{- end -}}
{{- end -}}
{{- end -}}
