{{/* Where model and adapters come from, and where the server finds them. */}}

{{/* "true" when the text is an id on the Hub, not a path or an object store's URL. */}}
{{- define "vllm-summarizer.onHub" -}}
{{- if not (regexMatch "^(/|gs://|s3://|az://)" .) -}}true{{- end -}}
{{- end -}}

{{/* "true" when the model or an adapter comes from the Hub. */}}
{{- define "vllm-summarizer.usesHub" -}}
{{- $ids := list .Values.model.id -}}
{{- range .Values.adapters -}}{{- $ids = append $ids .repo -}}{{- end -}}
{{- $found := "" -}}
{{- range $ids -}}{{- if include "vllm-summarizer.onHub" . -}}{{- $found = "true" -}}{{- end -}}{{- end -}}
{{- $found -}}
{{- end -}}

{{/* "true" when the init container fetches the model. */}}
{{- define "vllm-summarizer.fetchesModel" -}}
{{- if and .Values.model.download (include "vllm-summarizer.onHub" .Values.model.id) -}}true{{- end -}}
{{- end -}}

{{/* "true" when the init container fetches at least one adapter. */}}
{{- define "vllm-summarizer.fetchesAdapters" -}}
{{- if .Values.model.download -}}
{{- $found := "" -}}
{{- range .Values.adapters -}}
{{- if include "vllm-summarizer.onHub" .repo -}}{{- $found = "true" -}}{{- end -}}
{{- end -}}
{{- $found -}}
{{- end -}}
{{- end -}}

{{/* "true" when the largest LoRA rank is read from the adapters at start. */}}
{{- define "vllm-summarizer.readsRank" -}}
{{- if and .Values.model.download .Values.adapters (kindIs "invalid" .Values.engine.maxLoraRank) -}}true{{- end -}}
{{- end -}}

{{/* "true" when there is an init container. */}}
{{- define "vllm-summarizer.downloads" -}}
{{- if or (include "vllm-summarizer.fetchesModel" .) (include "vllm-summarizer.fetchesAdapters" .) (include "vllm-summarizer.readsRank" .) -}}true{{- end -}}
{{- end -}}

{{/* Directory of a fetched repository, by id and revision: (dict "repo" "ORG/NAME" "revision" ""). */}}
{{- define "vllm-summarizer.repoPath" -}}
{{- printf "/cache/repos/%s/%s" (replace "/" "--" .repo) (default "main" .revision | replace "/" "--") -}}
{{- end -}}

{{- define "vllm-summarizer.modelPath" -}}
{{- if include "vllm-summarizer.fetchesModel" . -}}
{{- include "vllm-summarizer.repoPath" (dict "repo" .Values.model.id "revision" .Values.model.revision) -}}
{{- else -}}
{{- .Values.model.id -}}
{{- end -}}
{{- end -}}

{{/* Where the server finds an adapter: (dict "root" . "adapter" {name, repo, revision}). */}}
{{- define "vllm-summarizer.adapterPath" -}}
{{- if and .root.Values.model.download (include "vllm-summarizer.onHub" .adapter.repo) -}}
{{- include "vllm-summarizer.repoPath" (dict "repo" .adapter.repo "revision" .adapter.revision) -}}
{{- else -}}
{{- .adapter.repo -}}
{{- end -}}
{{- end -}}

{{- define "vllm-summarizer.servedName" -}}
{{- default .Values.model.id .Values.model.servedName -}}
{{- end -}}

{{/* The file in which the download container leaves arguments for the server. */}}
{{- define "vllm-summarizer.engineConfig" -}}/home/vllm/engine.yaml{{- end -}}

{{/* What training leaves beside an adapter and serving does not need. */}}
{{- define "vllm-summarizer.adapterIgnore" -}}
{{- toJson (list "checkpoint-*/*" "runs/*" "optimizer.*" "scheduler.*" "rng_state*" "training_args.bin" "*.gguf") -}}
{{- end -}}

{{/* What files/download.py is told to do. */}}
{{- define "vllm-summarizer.downloadPlan" -}}
{{- $repos := list -}}
{{- if include "vllm-summarizer.fetchesModel" . -}}
{{- $repos = append $repos (dict "repo" .Values.model.id "revision" (default "main" .Values.model.revision) "path" (include "vllm-summarizer.modelPath" .) "ignore" .Values.model.ignorePatterns) -}}
{{- end -}}
{{- $adapters := list -}}
{{- range .Values.adapters -}}
{{- $path := include "vllm-summarizer.adapterPath" (dict "root" $ "adapter" .) -}}
{{- $adapters = append $adapters (dict "name" .name "path" $path) -}}
{{- if include "vllm-summarizer.onHub" .repo -}}
{{- $repos = append $repos (dict "repo" .repo "revision" (default "main" .revision) "path" $path "ignore" (include "vllm-summarizer.adapterIgnore" $ | fromJsonArray)) -}}
{{- end -}}
{{- end -}}
{{- /* An emptyDir has a limit that the kernel does not show: the pod is evicted above it. */ -}}
{{- $limit := ternary nil (include "vllm-summarizer.cacheGiB" . | int64) .Values.cache.persistence.enabled -}}
{{- $plan := dict "cacheLimitGiB" $limit "repos" $repos "adapters" $adapters "engineConfig" (ternary (include "vllm-summarizer.engineConfig" .) "" (eq "true" (include "vllm-summarizer.readsRank" .))) "secret" (pick .Values.hfToken "secretName" "secretKey") -}}
{{- toPrettyJson $plan -}}
{{- end -}}
