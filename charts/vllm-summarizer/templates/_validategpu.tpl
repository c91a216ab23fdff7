{{/* Checks of GPUs: which platform has them, how they can be shared, and whether tenants fit together. */}}

{{/* A list as words: "1, 2, 4 or 8". */}}
{{- define "vllm-summarizer.words" -}}
{{- $texts := list -}}
{{- range . -}}{{- $texts = append $texts (toString .) -}}{{- end -}}
{{- if gt (len $texts) 1 -}}{{ join ", " (initial $texts) }} or {{ last $texts }}{{- else -}}{{ join "" $texts }}{{- end -}}
{{- end -}}

{{- define "vllm-summarizer.check.gpu" -}}
{{- $gpus := int64 .Values.gpu.count -}}
{{- $facts := include "vllm-summarizer.accelerator" . | fromJson -}}
{{- $chosen := hasKey .Values.nodeSelector "cloud.google.com/compute-class" -}}
{{- with $facts }}
{{- if and (hasPrefix "gke-" $.Values.platform) (not .gke) }}
gpu.accelerator {{ $.Values.gpu.accelerator }} is not possible on {{ $.Values.platform }}: GKE has no {{ .name }}; set platform to nvidia{{ if .eksInstanceTypes }}, eks{{ end }} or custom.
{{- else if and (eq $.Values.platform "eks") (not .eksInstanceTypes) }}
gpu.accelerator {{ $.Values.gpu.accelerator }} is not possible on eks: EC2 has no instance type with the {{ .name }}; set platform to nvidia or custom.
{{- else if and (eq $.Values.platform "gke-autopilot") (not .autopilotCounts) (not $chosen) }}
gpu.accelerator {{ $.Values.gpu.accelerator }} is not possible on GKE Autopilot, which has no {{ .name }}: set platform to gke-standard.
{{- else if and (eq $.Values.platform "gke-autopilot") (not (has (toString $gpus) (include "vllm-summarizer.words" .autopilotCounts | replace " or " ", " | splitList ", "))) (not $chosen) (not (hasKey $.Values.nodeSelector "cloud.google.com/gke-accelerator-count")) (eq $.Values.gpu.sharing.strategy "none") }}
gpu.count {{ $gpus }} is not possible: GKE Autopilot has nodes with {{ include "vllm-summarizer.words" .autopilotCounts }} {{ .name }}.
{{- end }}
{{- end }}
{{- $strategy := hasKey .Values.nodeSelector "cloud.google.com/gke-gpu-sharing-strategy" }}
{{- $clients := hasKey .Values.nodeSelector "cloud.google.com/gke-max-shared-clients-per-gpu" }}
{{- if ne $strategy $clients }}
nodeSelector has one of cloud.google.com/gke-gpu-sharing-strategy and cloud.google.com/gke-max-shared-clients-per-gpu: GKE takes both or neither.
{{- else if and $strategy (gt $gpus 1) }}
gpu.count {{ $gpus }} is not possible on a shared GPU: GKE gives a container one share of one GPU.
{{- end }}
{{- end -}}

{{- define "vllm-summarizer.check.sharing" -}}
{{- $gpus := int64 .Values.gpu.count -}}
{{- $facts := include "vllm-summarizer.accelerator" . | fromJson -}}
{{- with .Values.gpu.sharing }}
{{- $shared := include "vllm-summarizer.shared" $ }}
{{- if and $shared (not .clients) }}
gpu.sharing.clients is null: say how many tenants share a GPU under {{ .strategy }}, from 2 to 48, as the nodes are prepared for.
{{- else if and .clients (not $shared) }}
gpu.sharing.clients is {{ int64 .clients }} and gpu.sharing.strategy is {{ .strategy }}: tenants are counted under time-sharing and mps alone.
{{- end }}
{{- if and .partition (ne .strategy "mig") }}
gpu.sharing.partition is {{ .partition }} and gpu.sharing.strategy is {{ .strategy }}: a partition needs mig.
{{- end }}
{{- if and (eq .strategy "mps") (eq $.Values.platform "gke-autopilot") }}
MPS is not possible on GKE Autopilot: set gpu.sharing.strategy to time-sharing, or platform to gke-standard.
{{- else if and (eq .strategy "mps") $facts (not $facts.mps) }}
MPS is not known to be offered for the {{ $facts.name }} by any platform: set gpu.sharing.strategy to time-sharing.
{{- end }}
{{- if eq .strategy "mig" }}
{{- if and $facts (not $facts.partitions) }}
MIG is not possible on the {{ $facts.name }}, which cannot be partitioned: set gpu.sharing.strategy to time-sharing{{ if ne $.Values.platform "gke-autopilot" }} or mps{{ end }}, or gpu.accelerator to one with MIG such as nvidia-tesla-a100 or nvidia-h100-80gb.
{{- else if not .partition }}
gpu.sharing.partition is empty: name the MIG profile{{ with $facts.partitions }}, one of {{ keys . | sortAlpha | join ", " }}{{ end }}.
{{- else if and $facts (not (hasKey $facts.partitions .partition)) }}
gpu.sharing.partition {{ .partition }} is none of the {{ $facts.name }}: it has {{ keys $facts.partitions | sortAlpha | join ", " }}.
{{- end }}
{{- end }}
{{- if ne .strategy "none" }}
{{- if gt (int64 $.Values.gpu.nodes) 1 }}
gpu.nodes {{ int64 $.Values.gpu.nodes }} is not possible with gpu.sharing.strategy {{ .strategy }}: a model that is split over nodes cannot share their GPUs.
{{- else if gt $gpus 1 }}
gpu.count {{ $gpus }} is not possible with gpu.sharing.strategy {{ .strategy }}: a container gets one share of one GPU, so that a model cannot be split over several (tensor parallel).
{{- end }}
{{- range list "cloud.google.com/gke-gpu-sharing-strategy" "cloud.google.com/gke-max-shared-clients-per-gpu" "cloud.google.com/gke-gpu-partition-size" }}
{{- if and (hasKey $.Values.nodeSelector .) (hasPrefix "gke-" $.Values.platform) }}
nodeSelector may not hold {{ . }} beside gpu.sharing, which sets it.
{{- end }}
{{- end }}
{{- end }}
{{- end }}
{{- end -}}

{{/*
What surely does not fit: the weights and half a GiB, which CUDA and the smallest step take. Whether the context fits as
well is arithmetic for the plugin's plan.
*/}}
{{- define "vllm-summarizer.check.tenants" -}}
{{- $facts := include "vllm-summarizer.accelerator" . | fromJson -}}
{{- $clients := include "vllm-summarizer.clients" . | int64 -}}
{{- $weights := include "vllm-summarizer.weightsGiB" . | float64 -}}
{{- /* Quantized at start, weights are smaller than their files. */ -}}
{{- $whole := or (not .Values.engine.quantization) (has .Values.engine.quantization (list "awq" "gptq")) -}}
{{- if and $facts (gt $clients 1) }}
{{- $share := include "vllm-summarizer.utilization" . | float64 }}
{{- $budget := include "vllm-summarizer.tenantGiB" . | float64 }}
{{- $kv := 0.0 }}
{{- if not (kindIs "invalid" .Values.engine.kvCacheMemoryGiB) }}{{- $kv = toString .Values.engine.kvCacheMemoryGiB | float64 }}{{- end }}
{{- if gt (mulf $share $clients) 1.0 }}
{{ $clients }} tenants with engine.gpuMemoryUtilization {{ $share }} take more than the whole GPU: lower it to {{ divf (floor (divf 92 $clients)) 100 }}, or leave it null.
{{- else if and $whole (gt (addf $weights 0.5) $budget) }}
{{ $clients }} tenants do not fit one {{ $facts.name }}: each has {{ $weights }} GiB of weights, and its part of {{ $facts.memoryGiB }} GiB is {{ printf "%.2f" $budget }} GiB; quantize (engine.quantization fp8 halves the weights), take a smaller model, fewer tenants or a larger GPU.
{{- else if and $whole (gt (mulf $clients (addf $weights $kv 0.5)) $facts.memoryGiB) }}
{{ $clients }} tenants do not fit one {{ $facts.name }}: each takes {{ printf "%.2f" (addf $weights $kv 0.5) }} GiB (weights, engine.kvCacheMemoryGiB and 0.5), together more than {{ $facts.memoryGiB }} GiB.
{{- end }}
{{- else if and (eq .Values.gpu.sharing.strategy "mig") $facts.partitions .Values.gpu.sharing.partition $whole }}
{{- with get $facts.partitions .Values.gpu.sharing.partition }}
{{- if gt (addf $weights 0.5) (mulf .memoryGiB 1.0) }}
The model does not fit a partition {{ $.Values.gpu.sharing.partition }} of the {{ $facts.name }}: it has {{ $weights }} GiB of weights and the partition {{ .memoryGiB }} GiB: take a larger partition or a smaller model.
{{- end }}
{{- end }}
{{- end }}
{{- end -}}
