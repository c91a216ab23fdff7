{{/* Flags that a value of the chart sets, with that value. A second copy would silently win. */}}
{{- define "vllm-summarizer.ownedFlags" -}}
model: model.id
revision: model.revision
served-model-name: model.servedName
host: the chart (the container listens on every address)
port: the chart (the container listens on 8000; service.port is the Service's)
max-model-len: engine.maxModelLen
gpu-memory-utilization: engine.gpuMemoryUtilization
device-memory-utilization: engine.gpuMemoryUtilization
max-num-seqs: engine.maxNumSeqs
max-num-batched-tokens: engine.maxNumBatchedTokens
kv-cache-memory-bytes: engine.kvCacheMemoryGiB
dtype: engine.dtype
quantization: engine.quantization
q: engine.quantization
kv-cache-dtype: engine.kvCacheDtype
enforce-eager: engine.enforceEager
no-enforce-eager: engine.enforceEager
tensor-parallel-size: engine.tensorParallelSize
tp: engine.tensorParallelSize
chat-template: model.chatTemplate
enable-lora: adapters
no-enable-lora: adapters
lora-modules: adapters
max-loras: engine.maxLoras
max-lora-rank: engine.maxLoraRank
download-dir: cache
ignore-patterns: model.ignorePatterns
shutdown-timeout: shutdown.drainSeconds
disable-access-log-for-endpoints: the chart
{{- end -}}

{{/* The value of a flag in engine.extraArgs, "true" for one without a value, "" when it is not there: (list . "--flag" "-f"). */}}
{{- define "vllm-summarizer.extraArg" -}}
{{- $root := first . -}}
{{- $names := rest . -}}
{{- $found := "" -}}
{{- $next := false -}}
{{- range $root.Values.engine.extraArgs -}}
{{- if $next -}}
{{- $next = false -}}
{{- if not (hasPrefix "--" .) -}}{{- $found = . -}}{{- end -}}
{{- else if has (splitList "=" . | first | replace "_" "-") $names -}}
{{- if contains "=" . -}}{{- $found = (splitn "=" 2 .)._1 -}}{{- else -}}{{- $found = "true" -}}{{- $next = true -}}{{- end -}}
{{- end -}}
{{- end -}}
{{- $found -}}
{{- end -}}

{{- define "vllm-summarizer.check.extraArgs" -}}
{{- $owned := include "vllm-summarizer.ownedFlags" . | fromYaml -}}
{{- /* The patterns are the download container's; a server that fetches by itself takes its own. */ -}}
{{- if gt (int64 .Values.gpu.nodes) 1 -}}
{{- range list "nnodes" "n" "node-rank" "r" "master-addr" "distributed-executor-backend" -}}{{- $_ := set $owned . "gpu.nodes" -}}{{- end -}}
{{- end -}}
{{- if not .Values.model.download -}}{{- $owned = omit $owned "ignore-patterns" -}}{{- end -}}
{{- range .Values.engine.extraArgs }}
{{- if hasPrefix "-" . }}
{{- /* vLLM takes --max_model_len for --max-model-len, and a value after "=". */ -}}
{{- $flag := splitList "=" . | first | replace "_" "-" | trimAll "-" }}
{{- if has $flag (list "hf-token" "api-key") }}
engine.extraArgs may not hold --{{ $flag }}: arguments can be read by everybody who may see the pod. Use hfToken, or VLLM_API_KEY in extraEnv by secretKeyRef.
{{- else if hasKey $owned $flag }}
engine.extraArgs may not hold {{ splitList "=" . | first }}: it is set by {{ get $owned $flag }}.
{{- else if has $flag (list "uds" "headless" "ssl-keyfile" "ssl-certfile" "ssl-ca-certs" "ssl-cert-reqs" "ssl-ciphers") }}
engine.extraArgs may not hold --{{ $flag }}: probes, Service and clients expect HTTP on port 8000; put TLS before the Service.
{{- else if and (eq $flag "config") (include "vllm-summarizer.readsRank" $) }}
engine.extraArgs may not hold --config while the largest LoRA rank is read from the adapters: set engine.maxLoraRank.
{{- end }}
{{- if regexMatch "^[^=]* " . }}
engine.extraArgs holds {{ . | quote }} as one argument: write a flag and its value as two items, or with "=".
{{- end }}
{{- end }}
{{- end }}
{{- if .Values.model.download }}
{{- range list "--tokenizer" "--hf-config-path" "--spec-model" }}
{{- with include "vllm-summarizer.extraArg" (list $ .) }}
{{- if include "vllm-summarizer.onHub" . }}
engine.extraArgs names the repository {{ . | quote }}, which an offline server cannot fetch: set model.download to false, or give a path on a volume.
{{- end }}
{{- end }}
{{- end }}
{{- end }}
{{- if and .Values.model.chatTemplate (eq "mistral" (include "vllm-summarizer.extraArg" (list . "--tokenizer-mode"))) }}
model.chatTemplate is not read with --tokenizer-mode mistral: leave one of them out.
{{- end }}
{{- end -}}
