{{/* Which GPU, and how it is shared. */}}

{{/*
What is known of gpu.accelerator, as JSON: {} when nothing is. files/accelerators.json is generated from the plugin's
catalog, one accelerator a line: it is asked for often, and the whole of it takes long to parse.
*/}}
{{- define "vllm-summarizer.accelerator" -}}
{{- $key := printf "  %q: " .Values.gpu.accelerator -}}
{{- $found := "{}" -}}
{{- range .Files.Lines "files/accelerators.json" -}}
{{- if hasPrefix $key . -}}{{- $found = trimPrefix $key . | trimSuffix "," -}}{{- end -}}
{{- end -}}
{{- $found -}}
{{- end -}}

{{/* "true" when tenants share the memory of one GPU. */}}
{{- define "vllm-summarizer.shared" -}}
{{- if has .Values.gpu.sharing.strategy (list "time-sharing" "mps") -}}true{{- end -}}
{{- end -}}

{{- define "vllm-summarizer.clients" -}}
{{- if and (include "vllm-summarizer.shared" .) .Values.gpu.sharing.clients -}}{{- int64 .Values.gpu.sharing.clients -}}{{- else -}}1{{- end -}}
{{- end -}}

{{/* NVIDIA's device plugin advertises MIG profiles by name (its strategy "mixed"); GKE does not. */}}
{{- define "vllm-summarizer.resourceName" -}}
{{- if .Values.gpu.resourceName -}}
{{- .Values.gpu.resourceName -}}
{{- else if and (eq .Values.gpu.sharing.strategy "mig") (has .Values.platform (list "nvidia" "eks")) -}}
{{- printf "nvidia.com/mig-%s" .Values.gpu.sharing.partition -}}
{{- else -}}
nvidia.com/gpu
{{- end -}}
{{- end -}}

{{/*
What a tenant asks for at its start: its part of vLLM's default of 0.92, rounded down. It counts from the whole GPU's
memory under MPS too, where a tenant's limit is total/N and the total that CUDA reports stays whole.
*/}}
{{- define "vllm-summarizer.utilization" -}}
{{- if not (kindIs "invalid" .Values.engine.gpuMemoryUtilization) -}}
{{- .Values.engine.gpuMemoryUtilization -}}
{{- else if gt (include "vllm-summarizer.clients" . | int64) 1 -}}
{{- divf (floor (divf 92 (include "vllm-summarizer.clients" . | float64))) 100 -}}
{{- end -}}
{{- end -}}

{{/*
GiB that a tenant may take of a GPU that is known: what the user says, or an equal part. With its KV cache stated, vLLM
looks at the utilization at its start alone.
*/}}
{{- define "vllm-summarizer.tenantGiB" -}}
{{- with (include "vllm-summarizer.accelerator" . | fromJson).memoryGiB -}}
{{- if kindIs "invalid" $.Values.engine.gpuMemoryUtilization -}}
{{- divf . (include "vllm-summarizer.clients" $ | float64) -}}
{{- else -}}
{{- mulf . (toString $.Values.engine.gpuMemoryUtilization | float64) -}}
{{- end -}}
{{- end -}}
{{- end -}}

{{/* GiB of the weights in memory: quantized at start, the linear layers are half of their files in 8 bits, and the embeddings stay. */}}
{{- define "vllm-summarizer.loadedGiB" -}}
{{- $weights := include "vllm-summarizer.weightsGiB" . | float64 -}}
{{- if and .Values.engine.quantization (not (has .Values.engine.quantization (list "awq" "gptq"))) -}}
{{- mulf 0.6 $weights -}}
{{- else -}}
{{- $weights -}}
{{- end -}}
{{- end -}}

{{/*
Bytes of the KV cache. For a tenant they are stated, because vLLM would otherwise measure what is free on the whole GPU
while its neighbours start: with the size given it does not measure, and tenants may start in any order. 2.6 GiB are for
CUDA and the first start of a 3B or 4B model, which copies its embedding twice; the plugin states the figure of the model itself.
*/}}
{{- define "vllm-summarizer.kvCacheBytes" -}}
{{- if not (kindIs "invalid" .Values.engine.kvCacheMemoryGiB) -}}
{{- mulf 1073741824 (toString .Values.engine.kvCacheMemoryGiB | float64) | floor | int64 -}}
{{- else if gt (include "vllm-summarizer.clients" . | int64) 1 -}}
{{- with include "vllm-summarizer.tenantGiB" . -}}
{{- $left := subf (float64 .) (include "vllm-summarizer.loadedGiB" $ | float64) 2.6 -}}
{{- if gt $left 0.0 -}}{{- mulf 1073741824 $left | floor | int64 -}}{{- end -}}
{{- end -}}
{{- end -}}
{{- end -}}

{{/* What GKE's nodes with this GPU, shared in this way, are labelled. */}}
{{- define "vllm-summarizer.gkeSelector" -}}
{{- $selector := dict "cloud.google.com/gke-accelerator" .Values.gpu.accelerator -}}
{{- with include "vllm-summarizer.driverVersion" . -}}
{{- $_ := set $selector "cloud.google.com/gke-gpu-driver-version" . -}}
{{- end -}}
{{- with .Values.gpu.sharing -}}
{{- if include "vllm-summarizer.shared" $ -}}
{{- $_ := set $selector "cloud.google.com/gke-gpu-sharing-strategy" .strategy -}}
{{- $_ := set $selector "cloud.google.com/gke-max-shared-clients-per-gpu" (include "vllm-summarizer.clients" $) -}}
{{- else if eq .strategy "mig" -}}
{{- $_ := set $selector "cloud.google.com/gke-gpu-partition-size" .partition -}}
{{- end -}}
{{- /* Without it Autopilot gives each pod a node of its own, and nothing would be shared. */ -}}
{{- if and (ne .strategy "none") (eq $.Values.platform "gke-autopilot") -}}
{{- $counts := (include "vllm-summarizer.accelerator" $ | fromJson).autopilotCounts | default (list 1) -}}
{{- $_ := set $selector "cloud.google.com/gke-accelerator-count" (first $counts | toString) -}}
{{- end -}}
{{- end -}}
{{- toYaml $selector -}}
{{- end -}}

{{/* What a node must have or lack that no single label says, as a list of NodeSelectorRequirements under "all". */}}
{{- define "vllm-summarizer.nodeRequirements" -}}
{{- $facts := include "vllm-summarizer.accelerator" . | fromJson -}}
{{- $all := list -}}
{{- if eq .Values.platform "nvidia" -}}
{{- $products := list -}}
{{- /* A shared GPU that has another resource name keeps its product's: GPU feature discovery marks one of the two. */ -}}
{{- $marked := and (eq "true" (include "vllm-summarizer.shared" .)) (eq "nvidia.com/gpu" (include "vllm-summarizer.resourceName" .)) -}}
{{- range default (list .Values.gpu.accelerator) $facts.products -}}
{{- $products = append $products (ternary (printf "%s-SHARED" .) . $marked) -}}
{{- end -}}
{{- $all = append $all (dict "key" "nvidia.com/gpu.product" "operator" "In" "values" $products) -}}
{{- else if and (eq .Values.platform "eks") $facts.eksInstanceTypes -}}
{{- $all = append $all (dict "key" "node.kubernetes.io/instance-type" "operator" "In" "values" $facts.eksInstanceTypes) -}}
{{- else if and (eq .Values.platform "gke-standard") (eq .Values.gpu.sharing.strategy "none") -}}
{{- /* GKE lets a pod that asks for no sharing onto a shared GPU, which has not the memory that it would take. */ -}}
{{- range list "cloud.google.com/gke-gpu-sharing-strategy" "cloud.google.com/gke-gpu-partition-size" -}}
{{- if not (or (hasKey $.Values.nodeSelector .) (hasKey $.Values.nodeSelector "cloud.google.com/compute-class")) -}}
{{- $all = append $all (dict "key" . "operator" "DoesNotExist") -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- toYaml (dict "all" $all) -}}
{{- end -}}

{{/*
The user's affinity with what platform and sharing need. Terms of a node selector are alternatives, so that the requirements
go into each. Replicas of one release keep off each other's shared GPU: there they would add no capacity.
*/}}
{{- define "vllm-summarizer.affinity" -}}
{{- $affinity := deepCopy .Values.affinity -}}
{{- with (include "vllm-summarizer.nodeRequirements" . | fromYaml).all -}}
{{- $requirements := . -}}
{{- $node := get $affinity "nodeAffinity" | default dict -}}
{{- $required := get $node "requiredDuringSchedulingIgnoredDuringExecution" | default dict -}}
{{- $terms := list -}}
{{- range get $required "nodeSelectorTerms" | default (list dict) -}}
{{- $terms = append $terms (merge (dict "matchExpressions" (concat (get . "matchExpressions" | default list) $requirements)) .) -}}
{{- end -}}
{{- $_ := set $required "nodeSelectorTerms" $terms -}}
{{- $_ := set $node "requiredDuringSchedulingIgnoredDuringExecution" $required -}}
{{- $_ := set $affinity "nodeAffinity" $node -}}
{{- end -}}
{{- if include "vllm-summarizer.shared" . -}}
{{- $anti := get $affinity "podAntiAffinity" | default dict -}}
{{- $own := dict "topologyKey" "kubernetes.io/hostname" "labelSelector" (dict "matchLabels" (include "vllm-summarizer.selectorLabels" . | fromYaml)) -}}
{{- $_ := set $anti "requiredDuringSchedulingIgnoredDuringExecution" (append (get $anti "requiredDuringSchedulingIgnoredDuringExecution" | default list) $own) -}}
{{- $_ := set $affinity "podAntiAffinity" $anti -}}
{{- end -}}
{{- if $affinity -}}{{- toYaml $affinity -}}{{- end -}}
{{- end -}}

{{/* GKE's device plugin talks to MPS's daemon through the node's shared memory; NVIDIA's mounts what it needs. */}}
{{- define "vllm-summarizer.hostIPC" -}}
{{- if and (eq .Values.gpu.sharing.strategy "mps") (eq .Values.platform "gke-standard") -}}true{{- end -}}
{{- end -}}
