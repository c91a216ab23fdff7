package explain

// arguments explains vLLM's command line, argument by argument.
func arguments() []entry {
	return []entry{
		{path: "[*]", derive: func(f field) string {
			extra, _ := f.chart("engine.extraArgs").([]any)
			if f.index >= len(f.siblings)-len(extra) {
				return "From engine.extraArgs, as it stands there."
			}
			return ""
		}},
		{path: "[--revision]", text: "Commit, tag or branch that vLLM fetches (model.revision)."},
		{path: "[--served-model-name]", derive: either("model.servedName",
			"What clients write as model in a request (model.servedName).",
			"What clients write as model in a request: model.id, as model.servedName is empty.")},
		{path: "[--port]", text: "Inside the container, where the port called http is; clients use service.port."},
		{path: "[--tensor-parallel-size]", derive: either("engine.tensorParallelSize",
			"GPUs that every layer of the model is split over (engine.tensorParallelSize).",
			"GPUs that every layer of the model is split over: gpu.count, divided by pipeline and data parallel sizes in engine.extraArgs.")},
		{path: "[--max-model-len]", derive: func(f field) string {
			if f.chart("engine.maxModelLen") == "auto" {
				return "Longest prompt and answer together: auto is as many tokens as the GPU's memory has room for (engine.maxModelLen)."
			}
			return "Longest prompt and answer together, in tokens (engine.maxModelLen). vLLM does not start unless the GPU's memory has room for one such request."
		}},
		{path: "[--gpu-memory-utilization]", text: "Share of the GPU's memory that vLLM takes for everything: weights, working memory and, with the rest, the KV cache (engine.gpuMemoryUtilization)."},
		{path: "[--kv-cache-memory-bytes]", text: "Memory of the KV cache, stated: what vLLM measures is wrong while a neighbour on the same GPU starts."},
		{path: "[--max-num-seqs]", text: "Requests that are worked on at once; the others wait (engine.maxNumSeqs)."},
		{path: "[--max-num-batched-tokens]", text: "Tokens that one step works on: fewer need less working memory, and take longer over long prompts."},
		{path: "[--dtype]", text: "Number format of the weights in memory, instead of the model's own (engine.dtype)."},
		{path: "[--quantization]", text: "Weights in fewer bits, by this method: less memory, faster answers, some quality lost (engine.quantization)."},
		{path: "[--kv-cache-dtype]", text: "Number format of the KV cache: in 8 bits it holds twice the tokens of 16 (engine.kvCacheDtype)."},
		{path: "[--enforce-eager]", text: "No compilation and no CUDA graphs: starts sooner, answers slower (engine.enforceEager)."},
		{path: "[--chat-template]", text: "How a conversation becomes the model's prompt: the text of model.chatTemplate, from the ConfigMap."},
		{path: "[--tokenizer-mode]", text: "Hugging Face's tokenizer: Mistral's own, which vLLM would take by itself, does not read a chat template."},
		{path: "[--enable-lora]", text: "Adapters can be applied to the model (adapters)."},
		{path: "[--max-loras]", derive: either("engine.maxLoras",
			"Adapters that one batch may mix; each has a place in the GPU's memory (engine.maxLoras).",
			"Adapters that one batch may mix; each has a place in the GPU's memory: all of them, up to 8.")},
		{path: "[--max-lora-rank]", text: "Largest rank of an adapter; every place is as large as this rank needs (engine.maxLoraRank)."},
		{path: "[--lora-modules]", text: "The adapters, as NAME=DIRECTORY: a client that asks for the model NAME is answered with it (adapters)."},
		{path: "[--lora-modules value]", text: "From adapters: its name, and where its files lie."},
		{path: "[--pipeline-parallel-size]", text: "Stages that the layers are split into, one for each node: between nodes, only stages talk little enough (gpu.nodes)."},
		{path: "[--nnodes]", text: "Nodes that one replica spans (gpu.nodes)."},
		{path: "[--node-rank]", text: "Which of them this pod is; the LeaderWorkerSet's controller sets the variable."},
		{path: "[--master-addr]", text: "Where the pods of one replica meet: at their leader."},
		{path: "[--distributed-executor-backend]", text: "Processes that vLLM starts itself, so that no Ray cluster is needed."},
		{path: "[--headless]", text: "A worker computes, and listens to no client."},
		{path: "[--shutdown-timeout]", text: "Seconds in which requests that have begun may be finished, once the pod ends (shutdown.drainSeconds). vLLM's default cuts them off."},
		{path: "[--disable-access-log-for-endpoints]", text: "Probes and metrics ask every few seconds; the log is for requests."},
		{path: "[--config]", text: "One more argument comes from a file: the largest rank of the adapters, which the download reads from them."},
		{path: "[--config value]", text: "Written by the download container; a flag here would win over it."},
		{path: "[*]", derive: func(f field) string {
			if f.index > 0 {
				return ""
			}
			if f.value != f.chart("model.id") {
				return "The model, where the download put it: a directory for each revision (model.id, model.revision)."
			}
			return "The model, which vLLM fetches or reads itself (model.id)."
		}},
	}
}

// environment explains the variables that the chart sets.
func environment() []entry {
	return []entry{
		{path: "HOME...", text: "A place that can be written to; what the image has as home need not be."},
		{path: "USER...", text: "Python asks for the user's name, and the image need not know user number runAsUser."},
		{path: "LOGNAME...", text: "The same question; Python looks here first."},
		{path: "HF_HOME...", text: "Where Hugging Face's libraries keep their files: on the cache volume."},
		{path: "XDG_CACHE_HOME...", text: "Where all other libraries keep theirs."},
		{path: "HF_HUB_DISABLE_TELEMETRY...", text: "Nothing about the use is sent to Hugging Face."},
		{path: "DO_NOT_TRACK...", text: "A wish that several libraries honour: nothing about the use is sent to their makers."},
		{path: "PYTHONDONTWRITEBYTECODE...", text: "Python would try to write compiled files beside its own, which is not possible here."},
		{path: "PYTHONUNBUFFERED...", text: "Log lines appear when they are written, the last ones before a crash too."},
		{path: "HF_ENDPOINT...", text: "Another address than huggingface.co (model.hubEndpoint)."},
		{path: "HF_TOKEN...", text: "Opens gated models. Only a reference: the token is in the Secret (hfToken.secretName, hfToken.secretKey) and nowhere else. With optional: true the pod starts without it, as public models can."},
		{path: "VLLM_CACHE_ROOT...", text: "Compiled kernels, on the cache volume: a container that starts anew there does not compile again."},
		{path: "TRITON_CACHE_DIR...", text: "The same for kernels that Triton compiles."},
		{path: "TORCHINDUCTOR_CACHE_DIR...", text: "The same for PyTorch's compiler."},
		{path: "VLLM_ENGINE_READY_TIMEOUT_S...", text: "Seconds that vLLM gives its engine: as long as the startup probe, which is what ends a slow start. vLLM alone would give up after 600."},
		{path: "VLLM_NO_USAGE_STATS...", text: "Nothing about the use is sent to vLLM's makers."},
		{path: "VLLM_DO_NOT_TRACK...", text: "The same wish, in vLLM's own words."},
		{path: "HF_HUB_OFFLINE...", text: "The server asks the Hub for nothing: it needs no token, and a container that starts anew no Hub."},
	}
}
