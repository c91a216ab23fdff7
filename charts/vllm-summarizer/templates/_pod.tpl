{{/* Placement and security of the pods. */}}

{{- define "vllm-summarizer.nodeSelector" -}}
{{- $selector := dict -}}
{{- /* A ComputeClass chooses GPU and driver itself, and GKE refuses to have both chosen. */ -}}
{{- if and (hasPrefix "gke-" .Values.platform) (not (hasKey .Values.nodeSelector "cloud.google.com/compute-class")) -}}
{{- $selector = include "vllm-summarizer.gkeSelector" . | fromYaml -}}
{{- end -}}
{{- $selector = mergeOverwrite $selector .Values.nodeSelector -}}
{{- if $selector -}}{{- include "vllm-summarizer.texts" $selector -}}{{- end -}}
{{- end -}}

{{/* On Standard the driver belongs to the node pool: asked for without need, it could match no node. */}}
{{- define "vllm-summarizer.driverVersion" -}}
{{- if not (kindIs "invalid" .Values.gpu.driverVersion) -}}
{{- .Values.gpu.driverVersion -}}
{{- else if eq .Values.platform "gke-autopilot" -}}
latest
{{- end -}}
{{- end -}}

{{/*
GPU nodes are tainted with the resource's name, or with nvidia.com/gpu whatever a shared or partitioned GPU is
called; only GKE adds the toleration by itself.
*/}}
{{- define "vllm-summarizer.tolerations" -}}
{{- $resource := include "vllm-summarizer.resourceName" . -}}
{{- $keys := list $resource -}}
{{- if hasPrefix "nvidia.com/" $resource -}}{{- $keys = append $keys "nvidia.com/gpu" | uniq -}}{{- end -}}
{{- $own := list -}}
{{- range $keys -}}{{- $own = append $own (dict "key" . "operator" "Exists" "effect" "NoSchedule") -}}{{- end -}}
{{- toYaml (concat $own .Values.tolerations) -}}
{{- end -}}

{{- define "vllm-summarizer.podSecurityContext" -}}
runAsNonRoot: true
{{- with .Values.securityContext }}
{{- if not (kindIs "invalid" .runAsUser) }}
runAsUser: {{ int64 .runAsUser }}
{{- end }}
{{- if not (kindIs "invalid" .runAsGroup) }}
runAsGroup: {{ int64 .runAsGroup }}
{{- end }}
{{- if not (kindIs "invalid" .fsGroup) }}
fsGroup: {{ int64 .fsGroup }}
fsGroupChangePolicy: OnRootMismatch
{{- end }}
{{- end }}
seccompProfile:
  type: RuntimeDefault
{{- end -}}

{{- define "vllm-summarizer.containerSecurityContext" -}}
allowPrivilegeEscalation: false
readOnlyRootFilesystem: {{ .Values.securityContext.readOnlyRootFilesystem }}
capabilities:
  drop: [ALL]
{{- end -}}

{{/*
The wait before SIGTERM. Kubernetes has an action of its own for it since 1.30; before
that only a program in the image can wait: (dict "root" . "role" "server").
*/}}
{{- define "vllm-summarizer.lifecycle" -}}
{{- $seconds := int64 .root.Values.shutdown.preStopSeconds -}}
{{- /* A worker ends at SIGTERM whatever runs: it stays until its leader has answered what it had. */ -}}
{{- if eq .role "worker" -}}{{- $seconds = add $seconds .root.Values.shutdown.drainSeconds -}}{{- end -}}
{{- if gt $seconds 0 -}}
preStop:
  {{- if semverCompare ">=1.30.0-0" .root.Capabilities.KubeVersion.Version }}
  sleep:
    seconds: {{ $seconds }}
  {{- else }}
  exec:
    command: [sleep, {{ $seconds | toString | quote }}]
  {{- end }}
{{- end -}}
{{- end -}}

{{- define "vllm-summarizer.probes" -}}
{{- $check := "httpGet: {path: /health, port: http}" -}}
{{- with .Values.probes -}}
startupProbe:
  {{ $check }}
  periodSeconds: {{ int64 .startup.periodSeconds }}
  timeoutSeconds: {{ int64 .startup.timeoutSeconds }}
  failureThreshold: {{ divf (include "vllm-summarizer.startupBudget" $ | float64) .startup.periodSeconds | ceil | int64 }}
readinessProbe:
  {{ $check }}
  periodSeconds: {{ int64 .readiness.periodSeconds }}
  timeoutSeconds: {{ int64 .readiness.timeoutSeconds }}
  failureThreshold: {{ int64 .readiness.failureThreshold }}
livenessProbe:
  {{ $check }}
  periodSeconds: {{ int64 .liveness.periodSeconds }}
  timeoutSeconds: {{ int64 .liveness.timeoutSeconds }}
  failureThreshold: {{ int64 .liveness.failureThreshold }}
{{- end -}}
{{- end -}}

{{- define "vllm-summarizer.volumes" -}}
- name: cache
  {{- if .Values.cache.persistence.enabled }}
  persistentVolumeClaim:
    claimName: {{ include "vllm-summarizer.claimName" . | quote }}
  {{- else }}
  emptyDir:
    sizeLimit: {{ include "vllm-summarizer.cacheGiB" . }}Gi
  {{- end }}
- name: home
  emptyDir: {}
- name: tmp
  emptyDir: {}
- name: shm
  emptyDir:
    medium: Memory
    sizeLimit: {{ include "vllm-summarizer.sharedMemory" . }}
{{- if include "vllm-summarizer.filesNeeded" . }}
- name: files
  configMap:
    name: {{ include "vllm-summarizer.fullname" . | quote }}
{{- end }}
{{- with .Values.extraVolumes }}
{{ toYaml . }}
{{- end }}
{{- end -}}

{{- define "vllm-summarizer.filesNeeded" -}}
{{- if or (include "vllm-summarizer.downloads" .) .Values.model.chatTemplate -}}true{{- end -}}
{{- end -}}
