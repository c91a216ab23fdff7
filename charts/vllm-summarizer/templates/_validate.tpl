{{/*
Combinations that the schema lets through and that cannot work. Each check writes one
sentence a line; all of them are shown together.
*/}}
{{- define "vllm-summarizer.validate" -}}
{{- $found := list -}}
{{- range list "names" "image" "model" "token" "engine" "adapters" "extraArgs" "gpu" "sharing" "tenants" "resources" "cache" "rollout" "disruption" "pod" -}}
{{- $found = concat $found (include (printf "vllm-summarizer.check.%s" .) $ | splitList "\n") -}}
{{- end -}}
{{- $problems := list -}}
{{- range $found -}}
{{- with trim . -}}{{- $problems = append $problems . -}}{{- end -}}
{{- end -}}
{{- if $problems -}}{{- fail (join "\n" $problems) -}}{{- end -}}
{{- end -}}

{{- define "vllm-summarizer.check.names" -}}
{{- /* A Service's name is a DNS label that starts with a letter. Helm and the schema refuse capitals. */ -}}
{{- $name := include "vllm-summarizer.fullname" . -}}
{{- if not (regexMatch "^[a-z]([-a-z0-9]*[a-z0-9])?$" (lower $name)) }}
The name {{ $name | quote }} is none for a Service, which takes letters, digits and dashes after a letter: set fullnameOverride.
{{- end }}
{{- /* A StatefulSet's revision is a label of its pods, name and 11 characters; that of the workers is called as their leader. */ -}}
{{- $longest := sub 51 (toString .Values.replicas | len) | int }}
{{- if and (gt (int64 .Values.gpu.nodes) 1) (gt (len $name) $longest) }}
The name {{ $name | quote }} is too long for a replica over several nodes, whose pods could not be made: set fullnameOverride to one of at most {{ $longest }} characters.
{{- end }}
{{- end -}}

{{- define "vllm-summarizer.check.image" -}}
{{- if and (not .Values.image.tag) (not .Values.image.digest) }}
image.tag and image.digest are both empty: name one image.
{{- end }}
{{- end -}}

{{- define "vllm-summarizer.check.model" -}}
{{- $id := .Values.model.id -}}
{{- if hasPrefix "https://huggingface.co/" $id }}
model.id is a web address: write {{ trimPrefix "https://huggingface.co/" $id | quote }}.
{{- else if and (include "vllm-summarizer.onHub" $id) (not (regexMatch "^[A-Za-z0-9][A-Za-z0-9._-]*/[A-Za-z0-9][A-Za-z0-9._-]*$" $id)) }}
model.id {{ $id | quote }} is no model id: write ORG/NAME as on the Hugging Face Hub, an absolute path in the container, or a gs://, s3:// or az:// URL.
{{- else if and (eq .Values.model.revision "c170c708c41dac9275d15a8fff4eca08d52bab71") (ne $id "mistralai/Mistral-7B-Instruct-v0.3") (include "vllm-summarizer.onHub" $id) }}
model.revision is still the commit of the default model: set it to a commit of {{ $id }}, or to "main".
{{- end }}
{{- if and (not (include "vllm-summarizer.onHub" $id)) (not .Values.model.servedName) }}
model.servedName is empty: with a path or URL as model.id, say by which name clients ask for the model.
{{- end }}
{{- $weights := include "vllm-summarizer.weightsGiB" . | float64 }}
{{- if or (le $weights 0.0) (gt $weights 4096.0) }}
model.weightsGiB {{ .Values.model.weightsGiB }} is no size: give the GiB that the weights take on disk.
{{- end }}
{{- end -}}

{{- define "vllm-summarizer.check.token" -}}
{{- if regexMatch "hf_[A-Za-z0-9]{30,}" (toJson .Values) }}
The values hold what looks like a Hugging Face token, which would be stored in every release record: put it into a Secret and name that in hfToken.secretName.
{{- end }}
{{- if and (not .Values.hfToken.optional) (not .Values.hfToken.secretName) }}
hfToken.optional is false and hfToken.secretName is empty: name the Secret that must be there.
{{- end }}
{{- range concat .Values.extraEnv .Values.extraDownloadEnv }}
{{- if and (regexMatch "(^|_)(TOKEN|SECRET|PASSWORD|API_KEY|ACCESS_KEY|ACCOUNT_KEY)$" .name) (hasKey . "value") }}
{{ .name }} is a secret and may not be given by value: use valueFrom.secretKeyRef.
{{- end }}
{{- end }}
{{- end -}}

{{- define "vllm-summarizer.check.engine" -}}
{{- $engine := .Values.engine -}}
{{- $gpus := mul .Values.gpu.count .Values.gpu.nodes -}}
{{- $tensor := include "vllm-summarizer.tensorParallelSize" . | int64 -}}
{{- $pipeline := include "vllm-summarizer.pipelineParallelSize" . | int64 -}}
{{- $data := include "vllm-summarizer.parallel" (list . "--data-parallel-size" "-dp") | int64 -}}
{{- /* Over several nodes the user's arguments say which part is here. */ -}}
{{- $nodes := or (include "vllm-summarizer.extraArg" (list . "--nnodes" "-n")) (include "vllm-summarizer.extraArg" (list . "--data-parallel-size-local" "-dpl")) -}}
{{- if and (not $nodes) (ne (mul $tensor $pipeline $data) $gpus) }}
The tensor, pipeline and data parallel sizes {{ $tensor }} x {{ $pipeline }} x {{ $data }} make {{ mul $tensor $pipeline $data }} GPUs and {{ if gt (int64 .Values.gpu.nodes) 1 }}gpu.count x gpu.nodes{{ else }}gpu.count{{ end }} is {{ $gpus }}: leave engine.tensorParallelSize null, and let the other two divide gpu.count.
{{- end }}
{{- if not (kindIs "invalid" $engine.gpuMemoryUtilization) }}
{{- $share := toString $engine.gpuMemoryUtilization | float64 }}
{{- if or (le $share 0.0) (gt $share 1.0) }}
engine.gpuMemoryUtilization {{ $engine.gpuMemoryUtilization }} is no share: give a number above 0 and at most 1.
{{- end }}
{{- end }}
{{- if and (not .Values.adapters) (or (not (kindIs "invalid" $engine.maxLoraRank)) (not (kindIs "invalid" $engine.maxLoras))) }}
engine.maxLoraRank and engine.maxLoras are for adapters, and there are none.
{{- end }}
{{- end -}}

{{- define "vllm-summarizer.check.adapters" -}}
{{- $names := list (include "vllm-summarizer.servedName" .) -}}
{{- range .Values.adapters }}
{{- if eq .name (first $names) }}
The adapter {{ .name }} has the name of the model: clients could not tell them apart.
{{- else if has .name $names }}
Two adapters are called {{ .name }}: give each a name of its own.
{{- end }}
{{- $names = append $names .name }}
{{- if and (not $.Values.model.download) (include "vllm-summarizer.onHub" .repo) .revision }}
The revision of adapter {{ .name }} needs model.download: vLLM itself always takes an adapter's newest commit.
{{- end }}
{{- if not (regexMatch "^/.|^[A-Za-z0-9][A-Za-z0-9._-]*/[A-Za-z0-9][A-Za-z0-9._-]*$" .repo) }}
The repo {{ .repo | quote }} of adapter {{ .name }} is neither ORG/NAME nor an absolute path.
{{- end }}
{{- end }}
{{- if and .Values.adapters (not .Values.model.download) (kindIs "invalid" .Values.engine.maxLoraRank) }}
engine.maxLoraRank is null and model.download is false, so that nothing reads the rank from the adapters: set it to the largest of their ranks.
{{- end }}
{{- end -}}

{{- define "vllm-summarizer.check.resources" -}}
{{- range $kind := list "requests" "limits" }}
{{- $resource := include "vllm-summarizer.resourceName" $ }}
{{- if hasKey (index $.Values.resources $kind) $resource }}
resources.{{ $kind }} may not hold {{ $resource }}, which would also ask GPUs for the download: set gpu.count.
{{- end }}
{{- end }}
{{- $requests := include "vllm-summarizer.requests" . | fromYaml }}
{{- $limits := include "vllm-summarizer.limits" . | fromYaml }}
{{- range $name, $limit := $limits }}
{{- if hasKey $requests $name }}
{{- if lt (include "vllm-summarizer.quantity" $limit | float64) (include "vllm-summarizer.quantity" (get $requests $name) | float64) }}
resources.limits.{{ $name }} {{ $limit }} is below the request, {{ get $requests $name }}: set resources.requests.{{ $name }} too.
{{- end }}
{{- end }}
{{- end }}
{{- $disk := addf 1073741824 (mulf 1073741824 (include "vllm-summarizer.fetchedGiB" . | float64)) }}
{{- if and (not .Values.cache.persistence.enabled) (lt (include "vllm-summarizer.quantity" (get $limits "ephemeral-storage") | float64) $disk) }}
resources.limits.ephemeral-storage {{ get $limits "ephemeral-storage" }} does not hold {{ include "vllm-summarizer.fetchedGiB" . }} GiB of weights and 1 GiB for logs and /tmp: the pod would be evicted while it downloads; raise it, or set cache.persistence.enabled.
{{- end }}
{{- end -}}

{{- define "vllm-summarizer.check.cache" -}}
{{- with .Values.cache.persistence }}
{{- if and .enabled .size (not .existingClaim) (lt (include "vllm-summarizer.quantity" .size | float64) (mulf 1073741824 (include "vllm-summarizer.fetchedGiB" $ | float64))) }}
cache.persistence.size {{ .size }} does not hold {{ include "vllm-summarizer.fetchedGiB" $ }} GiB of weights: leave it empty, or give twice the weights and 4 GiB.
{{- end }}
{{- $rolling := and (eq $.Values.strategy.type "RollingUpdate") (ne (toString $.Values.strategy.maxSurge) "0") (ne (toString $.Values.strategy.maxSurge) "0%") }}
{{- if and .enabled (gt (int64 $.Values.replicas) 1) (ne .accessMode "ReadWriteMany") }}
{{ $.Values.replicas }} replicas cannot share a {{ .accessMode }} volume: set cache.persistence.accessMode to ReadWriteMany on storage that has it (a claim that exists keeps its mode: delete it first), or cache.persistence.enabled to false.
{{- else if and .enabled (gt (int64 $.Values.gpu.nodes) 1) (ne .accessMode "ReadWriteMany") }}
The pods of a replica over {{ int64 $.Values.gpu.nodes }} nodes cannot share a {{ .accessMode }} volume: set cache.persistence.accessMode to ReadWriteMany on storage that has it, or cache.persistence.enabled to false.
{{- else if and .enabled $rolling (ne .accessMode "ReadWriteMany") }}
A RollingUpdate with maxSurge {{ $.Values.strategy.maxSurge }} needs the {{ .accessMode }} volume twice at once: set strategy.maxSurge to 0 or strategy.type to Recreate.
{{- end }}
{{- if and .existingClaim (not .enabled) }}
cache.persistence.existingClaim is set and cache.persistence.enabled is false: the claim would not be used.
{{- end }}
{{- end }}
{{- end -}}

{{- define "vllm-summarizer.check.rollout" -}}
{{- with .Values.strategy }}
{{- if and (eq .type "RollingUpdate") (has (toString .maxSurge) (list "0" "0%")) (has (toString .maxUnavailable) (list "0" "0%")) }}
strategy.maxSurge and strategy.maxUnavailable are both 0: no pod could ever be replaced.
{{- end }}
{{- end }}
{{- $least := add (include "vllm-summarizer.downloadBudget" .) (include "vllm-summarizer.startupBudget" .) }}
{{- $deadline := include "vllm-summarizer.progressDeadline" . | int64 }}
{{- if le $deadline $least }}
progressDeadlineSeconds {{ $deadline }} ends a rollout before the model can be there: the download and startup budgets are {{ $least }} s together.
{{- end }}
{{- end -}}

{{- define "vllm-summarizer.check.disruption" -}}
{{- with .Values.podDisruptionBudget }}
{{- /* It counts pods, and a replica has one on each of its nodes. */}}
{{- $replicas := mul $.Values.replicas $.Values.gpu.nodes }}
{{- if and .enabled (not (kindIs "invalid" .minAvailable)) (gt $replicas 0) }}
{{- $stay := int64 .minAvailable }}
{{- if kindIs "string" .minAvailable }}
{{- /* The disruption controller rounds a share up. */}}
{{- $stay = divf (mulf (trimSuffix "%" .minAvailable | float64) $replicas) 100 | ceil | int64 }}
{{- end }}
{{- if eq $replicas 1 }}
podDisruptionBudget.minAvailable with 1 replica would block every node drain and upgrade: use maxUnavailable, or two replicas or more.
{{- else if ge $stay $replicas }}
podDisruptionBudget.minAvailable {{ .minAvailable }} of {{ $replicas }} {{ if gt (int64 $.Values.gpu.nodes) 1 }}pods{{ else }}replicas{{ end }} would block every node drain and upgrade: leave room for one to go.
{{- end }}
{{- end }}
{{- end }}
{{- end -}}

{{- define "vllm-summarizer.check.pod" -}}
{{- range $key, $_ := .Values.podLabels }}
{{- if hasPrefix "app.kubernetes.io/" $key }}
podLabels may not set {{ $key }}, which the chart uses to find its pods.
{{- end }}
{{- end }}
{{- range $list := list "extraEnv" "extraDownloadEnv" "extraVolumes" }}
{{- $names := list }}
{{- range index $.Values $list }}
{{- if has .name $names }}
{{ $list }} has {{ .name }} twice.
{{- end }}
{{- $names = append $names .name }}
{{- end }}
{{- end }}
{{- range .Values.extraVolumes }}
{{- if has .name (list "cache" "home" "tmp" "shm" "files") }}
extraVolumes has {{ .name }}, which is the name of a volume of the chart.
{{- end }}
{{- end }}
{{- range .Values.extraVolumeMounts }}
{{- if has (trimSuffix "/" .mountPath) (list "/cache" "/home/vllm" "/tmp" "/dev/shm" "/etc/summarizer") }}
extraVolumeMounts has {{ .mountPath }}, where the chart mounts a volume of its own.
{{- end }}
{{- end }}
{{- end -}}
