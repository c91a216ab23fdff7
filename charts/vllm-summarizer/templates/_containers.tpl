{{/* The two containers of a pod. */}}

{{- define "vllm-summarizer.downloadContainer" -}}
- name: download
  image: {{ include "vllm-summarizer.image" . | quote }}
  imagePullPolicy: {{ .Values.image.pullPolicy }}
  command: [python3, /etc/summarizer/download.py, /etc/summarizer/download.json]
  env:
    {{- $own := printf "%s\n%s" (include "vllm-summarizer.commonEnv" .) (include "vllm-summarizer.tokenEnv" .) }}
    {{- include "vllm-summarizer.mergedEnv" (list $own .Values.extraDownloadEnv) | nindent 4 }}
  resources:
    {{- include "vllm-summarizer.resources" (dict "root" . "gpu" false) | nindent 4 }}
  securityContext:
    {{- include "vllm-summarizer.containerSecurityContext" . | nindent 4 }}
  terminationMessagePolicy: FallbackToLogsOnError
  volumeMounts:
    - {name: cache, mountPath: /cache}
    - {name: home, mountPath: /home/vllm}
    - {name: tmp, mountPath: /tmp}
    - {name: files, mountPath: /etc/summarizer, readOnly: true}
    {{- with .Values.extraVolumeMounts }}
    {{- toYaml . | nindent 4 }}
    {{- end }}
{{- end -}}

{{/* The server: (dict "root" . "role" "server"). A worker answers nobody, so that nobody asks whether it is ready. */}}
{{- define "vllm-summarizer.serverContainer" -}}
{{- $role := .role -}}
{{- with .root -}}
- name: vllm
  image: {{ include "vllm-summarizer.image" . | quote }}
  imagePullPolicy: {{ .Values.image.pullPolicy }}
  args:
    {{- include "vllm-summarizer.args" (dict "root" . "role" $role) | nindent 4 }}
  env:
    {{- include "vllm-summarizer.mergedEnv" (list (include "vllm-summarizer.serverEnv" .) .Values.extraEnv) | nindent 4 }}
  {{- if ne $role "worker" }}
  ports:
    - {name: http, containerPort: 8000, protocol: TCP}
  {{- include "vllm-summarizer.probes" . | nindent 2 }}
  {{- end }}
  {{- with include "vllm-summarizer.lifecycle" (dict "root" . "role" $role) }}
  lifecycle:
    {{- . | nindent 4 }}
  {{- end }}
  resources:
    {{- include "vllm-summarizer.resources" (dict "root" . "gpu" true) | nindent 4 }}
  securityContext:
    {{- include "vllm-summarizer.containerSecurityContext" . | nindent 4 }}
  terminationMessagePolicy: FallbackToLogsOnError
  volumeMounts:
    - {name: cache, mountPath: /cache}
    - {name: home, mountPath: /home/vllm}
    - {name: tmp, mountPath: /tmp}
    - {name: shm, mountPath: /dev/shm}
    {{- if .Values.model.chatTemplate }}
    - {name: files, mountPath: /etc/summarizer, readOnly: true}
    {{- end }}
    {{- with .Values.extraVolumeMounts }}
    {{- toYaml . | nindent 4 }}
    {{- end }}
{{- end -}}
{{- end -}}
