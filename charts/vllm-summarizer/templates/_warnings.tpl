{{/* What works and may surprise; shown after the notes. */}}
{{- define "vllm-summarizer.warnings" -}}
{{- $in := printf "-n %s" (include "vllm-summarizer.namespace" .) -}}
{{- if and (include "vllm-summarizer.usesHub" .) .Values.hfToken.secretName .Values.hfToken.optional }}

A gated model needs a token, in a Secret that is not made here:
  kubectl {{ $in }} create secret generic {{ .Values.hfToken.secretName }} --from-file={{ .Values.hfToken.secretKey }}=token.txt
{{- end }}
{{- if and (include "vllm-summarizer.onHub" .Values.model.id) (not (regexMatch "^[0-9a-f]{40}$" .Values.model.revision)) }}

WARNING: model.revision is no commit, so that a restart may serve other weights. Pin one of 40 characters.
{{- end }}
{{- if and .Values.networkPolicy.enabled (not .Values.networkPolicy.allowSameNamespace) (not .Values.networkPolicy.ingressFrom) }}

WARNING: the NetworkPolicy lets nobody in; only kubectl port-forward reaches the server.
{{- end }}
{{- if and (eq .Values.platform "gke-standard") (not (include "vllm-summarizer.driverVersion" .)) }}

The node pool must have NVIDIA driver R580 or newer, which before GKE 1.34 is not the default:
  gcloud container node-pools create ... --accelerator type={{ .Values.gpu.accelerator }},count={{ .Values.gpu.count }},gpu-driver-version=latest
{{- end }}
{{- if eq .Values.gpu.sharing.strategy "time-sharing" }}

WARNING: time-sharing isolates no memory: a tenant that takes more than its share stops its neighbours. Metrics of the GPU are of all tenants together.
{{- else if eq .Values.gpu.sharing.strategy "mps" }}

WARNING: MPS with vLLM is experimental (CUDA has refused it in public reports). Metrics of the GPU are of all tenants together.
{{- if include "vllm-summarizer.hostIPC" . }}
On GKE it needs hostIPC, which the Pod Security levels baseline and restricted refuse: the namespace must be at level privileged:
  kubectl label --overwrite namespace {{ include "vllm-summarizer.namespace" . }} pod-security.kubernetes.io/enforce=privileged
{{- end }}
{{- end }}
{{- if ne .Values.service.type "ClusterIP" }}

WARNING: a Service of type {{ .Values.service.type }} opens an API without authentication to other networks.
{{- if and .Values.networkPolicy.enabled (not .Values.networkPolicy.ingressFrom) }}
The NetworkPolicy lets nobody from outside the namespace in until networkPolicy.ingressFrom says who.
{{- end }}
{{- end }}
{{- if and (eq 0 (int64 .Values.shutdown.preStopSeconds)) (gt (int64 .Values.replicas) 0) }}

WARNING: with shutdown.preStopSeconds 0, requests that arrive while a pod ends are answered with 500.
{{- end }}
{{- if and (eq "true" (toString (index .Values.nodeSelector "cloud.google.com/gke-spot"))) (gt (include "vllm-summarizer.gracePeriod" . | int64) 25) }}

WARNING: GKE gives pods on Spot nodes about 25 s to end, and this one may need {{ include "vllm-summarizer.gracePeriod" . }} s: lower shutdown.preStopSeconds and shutdown.drainSeconds.
{{- end }}
{{- end -}}
