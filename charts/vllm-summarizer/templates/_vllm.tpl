{{/* The command line and the environment of the server. */}}

{{/* A parallel size among engine.extraArgs, 1 when it is not there: (list . "--flag" "-f"). */}}
{{- define "vllm-summarizer.parallel" -}}
{{- max 1 (include "vllm-summarizer.extraArg" . | int64) -}}
{{- end -}}

{{/* Over several nodes a stage each, when not said otherwise: between nodes only stages talk little enough. */}}
{{- define "vllm-summarizer.pipelineParallelSize" -}}
{{- if include "vllm-summarizer.extraArg" (list . "--pipeline-parallel-size" "-pp") -}}
{{- include "vllm-summarizer.parallel" (list . "--pipeline-parallel-size" "-pp") -}}
{{- else -}}
{{- int64 .Values.gpu.nodes -}}
{{- end -}}
{{- end -}}

{{/* What the other ways to split leave of the GPUs. */}}
{{- define "vllm-summarizer.tensorParallelSize" -}}
{{- if kindIs "invalid" .Values.engine.tensorParallelSize -}}
{{- $others := mul (include "vllm-summarizer.pipelineParallelSize" .) (include "vllm-summarizer.parallel" (list . "--data-parallel-size" "-dp")) -}}
{{- max 1 (div (mul .Values.gpu.count .Values.gpu.nodes) $others) -}}
{{- else -}}
{{- int64 .Values.engine.tensorParallelSize -}}
{{- end -}}
{{- end -}}

{{/* A whole number as text; YAML numbers arrive as floats, which print as 1e+06. */}}
{{- define "vllm-summarizer.whole" -}}
{{- if kindIs "string" . -}}{{ . }}{{- else -}}{{ int64 . }}{{- end -}}
{{- end -}}

{{/* The arguments: (dict "root" . "role" "server"), or "leader" and "worker" of a replica over several nodes. */}}
{{- define "vllm-summarizer.args" -}}
{{- $role := .role -}}
{{- $root := .root -}}
{{- with .root -}}
{{- $engine := .Values.engine -}}
{{- $args := list (include "vllm-summarizer.modelPath" .) -}}
{{- if and (include "vllm-summarizer.onHub" .Values.model.id) (not .Values.model.download) .Values.model.revision -}}
{{- $args = append $args (printf "--revision=%s" .Values.model.revision) -}}
{{- end -}}
{{- $args = concat $args (list
    (printf "--served-model-name=%s" (include "vllm-summarizer.servedName" .))
    "--port=8000"
    (printf "--tensor-parallel-size=%s" (include "vllm-summarizer.tensorParallelSize" .))
    (printf "--max-model-len=%s" (include "vllm-summarizer.whole" $engine.maxModelLen))) -}}
{{- with include "vllm-summarizer.utilization" . -}}
{{- $args = append $args (printf "--gpu-memory-utilization=%v" .) -}}
{{- end -}}
{{- with include "vllm-summarizer.kvCacheBytes" . -}}
{{- $args = append $args (printf "--kv-cache-memory-bytes=%s" .) -}}
{{- end -}}
{{- if not (kindIs "invalid" $engine.maxNumBatchedTokens) -}}
{{- $args = append $args (printf "--max-num-batched-tokens=%d" (int64 $engine.maxNumBatchedTokens)) -}}
{{- end -}}
{{- if not (kindIs "invalid" $engine.maxNumSeqs) -}}
{{- $args = append $args (printf "--max-num-seqs=%d" (int64 $engine.maxNumSeqs)) -}}
{{- end -}}
{{- with $engine.dtype -}}{{- $args = append $args (printf "--dtype=%s" .) -}}{{- end -}}
{{- with $engine.quantization -}}{{- $args = append $args (printf "--quantization=%s" .) -}}{{- end -}}
{{- with $engine.kvCacheDtype -}}{{- $args = append $args (printf "--kv-cache-dtype=%s" .) -}}{{- end -}}
{{- if $engine.enforceEager -}}{{- $args = append $args "--enforce-eager" -}}{{- end -}}
{{- if .Values.model.chatTemplate -}}
{{- $args = append $args "--chat-template=/etc/summarizer/chat-template.jinja" -}}
{{- /* Mistral's own tokenizer, which vLLM takes by itself where the repository has it, knows no template. */ -}}
{{- if not (include "vllm-summarizer.extraArg" (list . "--tokenizer-mode")) -}}
{{- $args = append $args "--tokenizer-mode=hf" -}}
{{- end -}}
{{- end -}}
{{- if .Values.adapters -}}
{{- $args = concat $args (list "--enable-lora" (printf "--max-loras=%d" (default (min 8 (len .Values.adapters)) $engine.maxLoras | int64))) -}}
{{- if not (kindIs "invalid" $engine.maxLoraRank) -}}
{{- $args = append $args (printf "--max-lora-rank=%d" (int64 $engine.maxLoraRank)) -}}
{{- end -}}
{{- $args = append $args "--lora-modules" -}}
{{- range .Values.adapters -}}
{{- $args = append $args (printf "%s=%s" .name (include "vllm-summarizer.adapterPath" (dict "root" $root "adapter" .))) -}}
{{- end -}}
{{- end -}}
{{- $args = concat $args (list
    (printf "--shutdown-timeout=%d" (int64 .Values.shutdown.drainSeconds))
    "--disable-access-log-for-endpoints=/health,/metrics") -}}
{{- if include "vllm-summarizer.readsRank" . -}}
{{- /* vLLM finds this flag only as two arguments. */ -}}
{{- $args = concat $args (list "--config" (include "vllm-summarizer.engineConfig" .)) -}}
{{- end -}}
{{- if ne $role "server" -}}
{{- if not (include "vllm-summarizer.extraArg" (list . "--pipeline-parallel-size" "-pp")) -}}
{{- $args = append $args (printf "--pipeline-parallel-size=%s" (include "vllm-summarizer.pipelineParallelSize" .)) -}}
{{- end -}}
{{- /* The controller sets these variables in every container. */ -}}
{{- $args = concat $args (list (printf "--nnodes=%d" (int64 .Values.gpu.nodes)) "--node-rank=$(LWS_WORKER_INDEX)" "--master-addr=$(LWS_LEADER_ADDRESS)" "--distributed-executor-backend=mp") -}}
{{- if eq $role "worker" -}}{{- $args = append $args "--headless" -}}{{- end -}}
{{- end -}}
{{- toYaml (concat $args $engine.extraArgs) -}}
{{- end -}}
{{- end -}}

{{/* HF_TOKEN for whichever container talks to the Hub. */}}
{{- define "vllm-summarizer.tokenEnv" -}}
{{- with .Values.hfToken -}}
{{- if .secretName -}}
- name: HF_TOKEN
  valueFrom:
    secretKeyRef:
      name: {{ .secretName }}
      key: {{ .secretKey }}
      optional: {{ .optional }}
{{- end -}}
{{- end -}}
{{- end -}}

{{/*
Environment that both containers share. Everything that is written goes to a volume, because
the root filesystem is read-only; USER and LOGNAME answer Python's getuser() for a user
that the image's passwd file may not have.
*/}}
{{- define "vllm-summarizer.commonEnv" -}}
- {name: HOME, value: /home/vllm}
- {name: USER, value: vllm}
- {name: LOGNAME, value: vllm}
- {name: HF_HOME, value: /cache/huggingface}
- {name: XDG_CACHE_HOME, value: /cache/xdg}
- {name: HF_HUB_DISABLE_TELEMETRY, value: "1"}
- {name: DO_NOT_TRACK, value: "1"}
- {name: PYTHONDONTWRITEBYTECODE, value: "1"}
- {name: PYTHONUNBUFFERED, value: "1"}
{{- with .Values.model.hubEndpoint }}
- {name: HF_ENDPOINT, value: {{ . | quote }}}
{{- end }}
{{- end -}}

{{- define "vllm-summarizer.serverEnv" -}}
{{ include "vllm-summarizer.commonEnv" . }}
- {name: VLLM_CACHE_ROOT, value: /cache/vllm}
- {name: TRITON_CACHE_DIR, value: /cache/triton}
- {name: TORCHINDUCTOR_CACHE_DIR, value: /cache/inductor}
{{- /* vLLM gives an engine 600 s by itself; the startup probe is to be what ends a slow start. */}}
- {name: VLLM_ENGINE_READY_TIMEOUT_S, value: {{ include "vllm-summarizer.startupBudget" . | quote }}}
- {name: VLLM_NO_USAGE_STATS, value: "1"}
- {name: VLLM_DO_NOT_TRACK, value: "1"}
{{- if .Values.model.download }}
- {name: HF_HUB_OFFLINE, value: "1"}
{{- else if include "vllm-summarizer.usesHub" . }}
{{ include "vllm-summarizer.tokenEnv" . }}
{{- end }}
{{- end -}}

{{/* The chart's variables without those that the user sets, then the user's with values as text: (list chartEnvYAML userList). */}}
{{- define "vllm-summarizer.mergedEnv" -}}
{{- $user := index . 1 -}}
{{- $names := list -}}
{{- range $user -}}{{- $names = append $names .name -}}{{- end -}}
{{- $env := list -}}
{{- range index . 0 | fromYamlArray -}}
{{- if not (has .name $names) -}}{{- $env = append $env . -}}{{- end -}}
{{- end -}}
{{- range $user -}}
{{- if kindIs "invalid" .value -}}{{- $env = append $env . -}}
{{- else -}}{{- $env = append $env (merge (dict "value" (include "vllm-summarizer.text" .value)) .) -}}{{- end -}}
{{- end -}}
{{- toYaml $env -}}
{{- end -}}
