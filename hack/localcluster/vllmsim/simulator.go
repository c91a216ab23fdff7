package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

const (
	// defaultModel is what `vllm serve` serves when no model is named.
	defaultModel = "Qwen/Qwen3-0.6B"
	// defaultContext is used when no --max-model-len is given and the model is no local directory
	// whose config.json says it: the shim fetches nothing.
	defaultContext = 8192
	// defaultSeqs is vLLM's default for a server on a GPU under 70 GiB; the simulator's own is 5.
	defaultSeqs = "256"
)

// simulatorArgs hands on what the simulator knows; every other option was checked and has no effect.
func simulatorArgs(p parsed, env func(string) string) ([]string, error) {
	model := modelOf(p)
	args := []string{
		"--model=" + model,
		"--port=" + p.get("port", "8000"),
		"--max-model-len=" + strconv.Itoa(contextOf(p, model)),
		"--max-num-seqs=" + p.get("max-num-seqs", defaultSeqs),
		// The simulator would otherwise ask the network for the model's tokenizer.
		"--force-dummy-tokenizer=true",
	}
	for from, to := range map[string]string{
		"max-loras": "max-loras", "max-cpu-loras": "max-cpu-loras", "seed": "seed", "max-num-queued-reqs": "max-waiting-queue-length",
		"ssl-certfile": "ssl-certfile", "ssl-keyfile": "ssl-keyfile",
	} {
		if v := p.get(from, ""); v != "" && v != "None" {
			args = append(args, "--"+to+"="+v)
		}
	}
	if p.has("enable-sleep-mode") {
		args = append(args, "--enable-sleep-mode")
	}
	if p.has("enable-request-id-headers") {
		args = append(args, "--enable-request-id-headers=true")
	}
	for variable, flag := range map[string]string{"VLLM_SIM_TTFT_MS": "time-to-first-token", "VLLM_SIM_ITL_MS": "inter-token-latency"} {
		if v := env(variable); v != "" {
			args = append(args, "--"+flag+"="+v+"ms")
		}
	}
	if names := p.values["served-model-name"]; len(names) > 0 {
		args = append(append(args, "--served-model-name"), names...)
	}
	adapters, err := parseAdapters(p.values["lora-modules"])
	if err != nil {
		return nil, err
	}
	if len(adapters) > 0 {
		args = append(args, "--lora-modules")
		for _, a := range adapters {
			data, err := json.Marshal(a)
			if err != nil {
				return nil, err
			}
			args = append(args, string(data))
		}
	}
	return append(args, strings.Fields(env("VLLM_SIM_ARGS"))...), nil
}

func modelOf(p parsed) string {
	if p.model != "" {
		return p.model
	}
	return p.get("model", defaultModel)
}

// checkLocal refuses an absolute path without a model's configuration, as the real program does
// after its imports. What a Hub id names is not asked for.
func checkLocal(model string) error {
	if !filepath.IsAbs(model) {
		return nil
	}
	for _, name := range []string{"config.json", "params.json"} {
		if _, err := os.Stat(filepath.Join(model, name)); err == nil {
			return nil
		}
	}
	return &crash{"ValueError", "Invalid repository ID or local directory specified: '" + model + "'.\nPlease verify the following requirements:\n" +
		"1. Provide a valid Hugging Face repository ID.\n2. Specify a local directory that contains a recognized configuration file."}
}

// contextOf is the context length in tokens: the flag's, or what the model's own config.json says.
func contextOf(p parsed, model string) int {
	if n, ok := humanInteger(p.get("max-model-len", "auto")); ok {
		return n
	}
	data, err := os.ReadFile(filepath.Join(model, "config.json"))
	if err != nil {
		return defaultContext
	}
	var config struct {
		Max int `json:"max_position_embeddings"`
	}
	if json.Unmarshal(data, &config) != nil || config.Max <= 0 {
		return defaultContext
	}
	return config.Max
}

// humanInteger reads 8192, 8k (8000) and 8K (8192); false for "auto" and -1.
func humanInteger(text string) (int, bool) {
	text = strings.TrimSpace(text)
	if text == "" || text == "-1" || strings.EqualFold(text, "auto") {
		return 0, false
	}
	const decimal, binary = "kmgt", "KMGT"
	factor, last := 1.0, text[len(text)-1]
	if i := strings.IndexByte(decimal, last); i >= 0 {
		for range i + 1 {
			factor *= 1000
		}
		text = text[:len(text)-1]
	} else if i := strings.IndexByte(binary, last); i >= 0 {
		for range i + 1 {
			factor *= 1024
		}
		text = text[:len(text)-1]
	}
	n, err := strconv.ParseFloat(strings.ReplaceAll(text, "_", ""), 64)
	return int(n * factor), err == nil
}
