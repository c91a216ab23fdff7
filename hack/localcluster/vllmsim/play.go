package main

import (
	"fmt"
	"io"
	"os"
	"strconv"
	"time"
)

// play is the misbehaviour that the environment asks for:
//
//	VLLM_SIM_STARTUP_SECONDS       how long the port stays closed, default 0
//	VLLM_SIM_EXIT_CODE             ends the process with this code ...
//	VLLM_SIM_CRASH_AFTER_SECONDS   ... so long after its start, default 0
//	VLLM_SIM_EXIT_MESSAGE          ... after this text on stderr: a message, or kv-cache, oom, gated
//	VLLM_SIM_TTFT_MS, VLLM_SIM_ITL_MS   latencies of the first and each further token
//	VLLM_SIM_ARGS                  further flags of llm-d-inference-sim, split at spaces
type play struct {
	startup  time.Duration
	crashes  bool
	crashAt  time.Duration
	exitCode int
	message  string
}

// messages are what the real program ends with, by a short name.
var messages = map[string]string{
	"kv-cache": "ValueError: No available memory for the cache blocks. Try increasing `gpu_memory_utilization` when initializing the engine.\n" +
		"RuntimeError: Engine core initialization failed. See root cause above. Failed core proc(s): {}",
	"oom": "torch.OutOfMemoryError: CUDA out of memory. Tried to allocate 112.00 MiB. GPU 0 has a total capacity of 22.03 GiB of which 69.12 MiB is free.\n" +
		"RuntimeError: Engine core initialization failed. See root cause above. Failed core proc(s): {}",
	"gated": "OSError: You are trying to access a gated repo.\nMake sure to have access to it at https://huggingface.co/",
}

func readPlay(env func(string) string) (play, error) {
	var p play
	var err error
	if p.startup, err = seconds(env, "VLLM_SIM_STARTUP_SECONDS"); err != nil {
		return p, err
	}
	if p.crashAt, err = seconds(env, "VLLM_SIM_CRASH_AFTER_SECONDS"); err != nil {
		return p, err
	}
	if text := env("VLLM_SIM_EXIT_CODE"); text != "" {
		p.crashes = true
		if p.exitCode, err = strconv.Atoi(text); err != nil {
			return p, fmt.Errorf("VLLM_SIM_EXIT_CODE=%s is no exit code", text)
		}
	}
	if p.message = env("VLLM_SIM_EXIT_MESSAGE"); messages[p.message] != "" {
		p.message = messages[p.message]
	}
	return p, nil
}

func seconds(env func(string) string, name string) (time.Duration, error) {
	text := env(name)
	if text == "" {
		return 0, nil
	}
	n, err := strconv.ParseFloat(text, 64)
	if err != nil || n < 0 {
		return 0, fmt.Errorf("%s=%s is no number of seconds", name, text)
	}
	return time.Duration(n * float64(time.Second)), nil
}

// crash ends the process as played.
func (p play) crash() {
	if p.message != "" {
		fmt.Fprintln(os.Stderr, p.message)
	}
	os.Exit(p.exitCode)
}

// start writes what the real server logs on its way up, spread over the played time, and returns
// early when stop is closed. A crash inside this time ends the process.
func (p play) start(out io.Writer, model string, contextTokens int, port string, stop <-chan struct{}) {
	lines := []string{
		"(APIServer pid=1) INFO [model.py:733] Resolved architecture: LlamaForCausalLM",
		fmt.Sprintf("(APIServer pid=1) INFO [model.py:2152] Using max model len %d", contextTokens),
		fmt.Sprintf("(Worker pid=34) INFO [gpu_model_runner.py:68] Starting to load model %s...", model),
		"Loading safetensors checkpoint shards:   0% Completed | 0/1 [00:00<?, ?it/s]",
		"Loading safetensors checkpoint shards: 100% Completed | 1/1 [00:00<00:00,  6.11it/s]",
		fmt.Sprintf("(EngineCore pid=24) INFO [kv_cache_utils.py:2327] GPU KV cache size: %d tokens, Maximum concurrency for %d tokens per request: 4.00x", 4*contextTokens, contextTokens),
		"(APIServer pid=1) INFO [entry.py:140] Starting vLLM server on http://0.0.0.0:" + port,
	}
	pause := p.startup / time.Duration(len(lines))
	var elapsed time.Duration
	for _, line := range lines {
		if p.crashes && p.crashAt < elapsed+pause {
			wait(p.crashAt-elapsed, stop)
			p.crash()
		}
		if !wait(pause, stop) {
			return
		}
		elapsed += pause
		fmt.Fprintln(out, line)
	}
}

// wait sleeps; false when stop was closed first.
func wait(d time.Duration, stop <-chan struct{}) bool {
	timer := time.NewTimer(max(0, d))
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-stop:
		return false
	}
}
