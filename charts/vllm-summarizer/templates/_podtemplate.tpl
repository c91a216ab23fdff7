{{/* The pods of a Deployment or, by role, of a LeaderWorkerSet: (dict "root" . "role" "server"). */}}
{{- define "vllm-summarizer.podTemplate" -}}
{{- $role := .role -}}
{{- with .root -}}
metadata:
  # No label that changes with the chart's version: that alone must not restart a pod.
  labels:
    {{- include "vllm-summarizer.selectorLabels" . | nindent 4 }}
    app.kubernetes.io/managed-by: {{ .Release.Service }}
    {{- with .Values.podLabels }}
    {{- include "vllm-summarizer.texts" . | nindent 4 }}
    {{- end }}
  annotations:
    kubectl.kubernetes.io/default-container: vllm
    {{- if include "vllm-summarizer.filesNeeded" . }}
    checksum/files: {{ include "vllm-summarizer.files" . | sha256sum }}
    {{- end }}
    {{- with .Values.podAnnotations }}
    {{- include "vllm-summarizer.texts" . | nindent 4 }}
    {{- end }}
spec:
  {{- with .Values.imagePullSecrets }}
  imagePullSecrets:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  serviceAccountName: {{ include "vllm-summarizer.serviceAccountName" . | quote }}
  automountServiceAccountToken: false
  # A Service called "vllm" would otherwise set VLLM_PORT to a URL, which stops vLLM.
  enableServiceLinks: false
  {{- if include "vllm-summarizer.hostIPC" . }}
  hostIPC: true
  {{- end }}
  securityContext:
    {{- include "vllm-summarizer.podSecurityContext" . | nindent 4 }}
  terminationGracePeriodSeconds: {{ include "vllm-summarizer.gracePeriod" . }}
  {{- with include "vllm-summarizer.nodeSelector" . }}
  nodeSelector:
    {{- . | nindent 4 }}
  {{- end }}
  tolerations:
    {{- include "vllm-summarizer.tolerations" . | nindent 4 }}
  {{- with include "vllm-summarizer.affinity" . }}
  affinity:
    {{- . | nindent 4 }}
  {{- end }}
  {{- with .Values.topologySpreadConstraints }}
  topologySpreadConstraints:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  {{- with .Values.priorityClassName }}
  priorityClassName: {{ . | quote }}
  {{- end }}
  {{- with .Values.runtimeClassName }}
  runtimeClassName: {{ . | quote }}
  {{- end }}
  {{- if include "vllm-summarizer.downloads" . }}
  initContainers:
    {{- include "vllm-summarizer.downloadContainer" . | nindent 4 }}
  {{- end }}
  containers:
    {{- include "vllm-summarizer.serverContainer" (dict "root" . "role" $role) | nindent 4 }}
  volumes:
    {{- include "vllm-summarizer.volumes" . | nindent 4 }}
{{- end -}}
{{- end -}}
