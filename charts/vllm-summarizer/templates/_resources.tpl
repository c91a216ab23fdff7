{{/* Sizes and times that follow from the model's weights and the number of GPUs. */}}

{{- define "vllm-summarizer.weightsGiB" -}}
{{- .Values.model.weightsGiB | toString | float64 -}}
{{- end -}}

{{/* GiB of weights that are fetched to the cache: none of a path, which lies elsewhere, or of a bucket, which vLLM streams. */}}
{{- define "vllm-summarizer.fetchedGiB" -}}
{{- if include "vllm-summarizer.onHub" .Values.model.id -}}{{- include "vllm-summarizer.weightsGiB" . -}}{{- else -}}0{{- end -}}
{{- end -}}

{{/* GiB of the cache: weights, 4 GiB for compiled kernels, a quarter for each adapter. */}}
{{- define "vllm-summarizer.cacheGiB" -}}
{{- addf (include "vllm-summarizer.fetchedGiB" . | float64) 4 (mulf 0.25 (len .Values.adapters)) | ceil | int64 -}}
{{- end -}}

{{/*
Room for two revisions: a new one is fetched beside the one that is served. Adapters do not count (4 GiB hold many):
a claim cannot shrink, so that taking one away again would be refused.
*/}}
{{- define "vllm-summarizer.claimSize" -}}
{{- if .Values.cache.persistence.size -}}
{{- .Values.cache.persistence.size -}}
{{- else -}}
{{- printf "%dGi" (addf (mulf 2 (include "vllm-summarizer.fetchedGiB" . | float64)) 4 | ceil | int64) -}}
{{- end -}}
{{- end -}}

{{- define "vllm-summarizer.sharedMemory" -}}
{{- default (printf "%dGi" (mul 2 (int64 .Values.gpu.count))) .Values.sharedMemory.sizeLimit -}}
{{- end -}}

{{- define "vllm-summarizer.sharedMemoryGiB" -}}
{{- $size := include "vllm-summarizer.sharedMemory" . -}}
{{- divf (trimSuffix "Gi" $size | trimSuffix "Mi" | float64) (ternary 1024 1 (hasSuffix "Mi" $size)) -}}
{{- end -}}

{{/*
Requests by name, the user's over the derived ones. CPU: vLLM keeps one core busy for the
API, one for the engine and two for each GPU. Memory: 6 GiB of processes, weights on their
way to the GPU, /dev/shm. Ephemeral storage: 2 GiB for logs, /tmp and HOME, and the cache
where it is not on a claim.
*/}}
{{- define "vllm-summarizer.requests" -}}
{{- $gpus := int64 .Values.gpu.count -}}
{{- $memory := addf 6 (include "vllm-summarizer.weightsGiB" . | float64) (include "vllm-summarizer.sharedMemoryGiB" . | float64) | ceil | int64 -}}
{{- $disk := ternary 2 (add 2 (include "vllm-summarizer.cacheGiB" . | int64)) .Values.cache.persistence.enabled -}}
{{- $derived := dict "cpu" (add 2 (mul 2 $gpus) | toString) "memory" (printf "%dGi" $memory) "ephemeral-storage" (printf "%dGi" $disk) -}}
{{- toYaml (mergeOverwrite $derived .Values.resources.requests) -}}
{{- end -}}

{{/* A quantity of Kubernetes ("500m", "1.5Gi", 2) as a number. */}}
{{- define "vllm-summarizer.quantity" -}}
{{- $text := include "vllm-summarizer.text" . -}}
{{- $unit := regexFind "[A-Za-z]*$" $text -}}
{{- $units := dict "m" 0.001 "k" 1e3 "M" 1e6 "G" 1e9 "T" 1e12 "P" 1e15 "Ki" 1024.0 "Mi" 1048576.0 "Gi" 1073741824.0 "Ti" 1099511627776.0 "Pi" 1125899906842624.0 -}}
{{- mulf (trimSuffix $unit $text | float64) (ternary (get $units $unit) 1.0 (hasKey $units $unit)) -}}
{{- end -}}

{{/* Limits: memory and disk as requested, so that the node cannot run out; CPU is left open. */}}
{{- define "vllm-summarizer.limits" -}}
{{- $requests := include "vllm-summarizer.requests" . | fromYaml -}}
{{- toYaml (mergeOverwrite (pick $requests "memory" "ephemeral-storage") .Values.resources.limits) -}}
{{- end -}}

{{/* Resources of the server: (dict "root" . "gpu" true), or of another container without GPU. */}}
{{- define "vllm-summarizer.resources" -}}
{{- $requests := include "vllm-summarizer.requests" .root | fromYaml -}}
{{- $limits := include "vllm-summarizer.limits" .root | fromYaml -}}
{{- if .gpu -}}
{{- $gpu := dict (include "vllm-summarizer.resourceName" .root) (int64 .root.Values.gpu.count | toString) -}}
{{- $requests = merge $requests $gpu -}}
{{- $limits = merge $limits $gpu -}}
{{- end -}}
requests:
  {{- toYaml $requests | nindent 2 }}
limits:
  {{- toYaml $limits | nindent 2 }}
{{- end -}}

{{/* Seconds that the server may take to load: 300 for processes, compilation and graphs, and 20 a GiB (50 MiB/s from a slow disk). */}}
{{- define "vllm-summarizer.startupBudget" -}}
{{- if kindIs "invalid" .Values.probes.startup.budgetSeconds -}}
{{- $perGiB := ternary 20 40 (or .Values.model.download (not (include "vllm-summarizer.onHub" .Values.model.id))) -}}
{{- addf 300 (mulf $perGiB (include "vllm-summarizer.weightsGiB" . | float64)) | ceil | int64 -}}
{{- else -}}
{{- int64 .Values.probes.startup.budgetSeconds -}}
{{- end -}}
{{- end -}}

{{/* Seconds that the download may take: 120, and 20 a GiB (50 MiB/s). */}}
{{- define "vllm-summarizer.downloadBudget" -}}
{{- if include "vllm-summarizer.downloads" . -}}
{{- addf 120 (mulf 20 (include "vllm-summarizer.fetchedGiB" . | float64)) | ceil | int64 -}}
{{- else -}}
0
{{- end -}}
{{- end -}}

{{- define "vllm-summarizer.progressDeadline" -}}
{{- if kindIs "invalid" .Values.progressDeadlineSeconds -}}
{{- add 1200 (include "vllm-summarizer.downloadBudget" . | int64) (include "vllm-summarizer.startupBudget" . | int64) -}}
{{- else -}}
{{- int64 .Values.progressDeadlineSeconds -}}
{{- end -}}
{{- end -}}

{{/* Time to end: the wait before SIGTERM, the drain, and 30 s for the engine to give the GPU back, which a busy machine needs. */}}
{{- define "vllm-summarizer.gracePeriod" -}}
{{- add (int64 .Values.shutdown.preStopSeconds) (int64 .Values.shutdown.drainSeconds) 30 -}}
{{- end -}}
