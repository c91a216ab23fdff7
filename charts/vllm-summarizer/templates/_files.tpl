{{/* What the pods mount at /etc/summarizer. */}}

{{- define "vllm-summarizer.files" -}}
{{- if include "vllm-summarizer.downloads" . }}
{{- range $path, $_ := .Files.Glob "files/download*.py" }}
{{ base $path }}: |
  {{- $.Files.Get $path | trim | nindent 2 }}
{{- end }}
download.json: |
  {{- include "vllm-summarizer.downloadPlan" . | nindent 2 }}
{{- end }}
{{- with .Values.model.chatTemplate }}
chat-template.jinja: {{ . | toJson }}
{{- end }}
{{- end -}}
