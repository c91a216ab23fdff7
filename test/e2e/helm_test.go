//go:build e2e

package e2e

import (
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// The chart works alone, with both Helms, and the plugin sees what they installed.
func TestHelmAlone(t *testing.T) {
	for name, helm := range map[string]string{"Helm 3": env.helm3, "Helm 4": env.helm4} {
		t.Run(name, func(t *testing.T) {
			ns := namespace(t)
			helper(t, helm, "install", "my", filepath.Join(env.root, "charts/vllm-summarizer"), "-n", ns,
				"-f", values("local-sim-values.yaml"), "--wait", "--timeout", "3m")
			run(t, "status", "my", "-n", ns).exits(t, 0)
			pasteNotes(t, helper(t, helm, "get", "notes", "my", "-n", ns))
			helper(t, helm, "upgrade", "my", filepath.Join(env.root, "charts/vllm-summarizer"), "-n", ns,
				"-f", values("local-sim-values.yaml"), "--set", "shutdown.preStopSeconds=1", "--wait", "--timeout", "3m")
			run(t, "uninstall", "my", "-n", ns).exits(t, 0)
		})
	}
}

// pasteNotes runs what the notes say to type of the plugin, as a shell reads it.
func pasteNotes(t *testing.T, notes string) {
	t.Helper()
	lines := regexp.MustCompile(`(?m)^ +kubectl summarizer (.*)$`).FindAllStringSubmatch(notes, -1)
	if len(lines) == 0 {
		t.Fatalf("the notes have no command of the plugin:\n%s", notes)
	}
	for _, line := range lines {
		words := helper(t, "bash", "-c", `printf '%s\n' `+line[1])
		run(t, strings.Split(strings.TrimSpace(words), "\n")...).exits(t, 0)
	}
}

// Every value of the engine becomes a flag that the server knows, with a value that it takes: the simulator's
// entrypoint refuses what vLLM 0.32.0 would.
func TestEngineValuesAreFlagsOfTheServer(t *testing.T) {
	ns := namespace(t)
	run(t, install(ns, "all",
		"--gpus", "4", "--max-model-len", "4096",
		"--set", "engine.gpuMemoryUtilization=0.85", "--set", "engine.maxNumSeqs=64", "--set", "engine.dtype=bfloat16",
		"--set", "engine.quantization=fp8", "--set", "engine.kvCacheDtype=fp8", "--set", "engine.enforceEager=true",
		"--set-json", `engine.extraArgs=["--pipeline-parallel-size=2"]`, "--set", "model.chatTemplate=x",
		"--set-json", `adapters=[{"name":"a","repo":"/models/a"}]`, "--set", "engine.maxLoraRank=16", "--set", "engine.maxLoras=1",
	)...).exits(t, 0)
	args := helper(t, env.kubectl, "get", "pods", "-n", ns, "-o", "jsonpath={.items[0].spec.containers[0].args}")
	for _, want := range []string{"--tensor-parallel-size=2", "--pipeline-parallel-size=2", "--quantization=fp8", "--tokenizer-mode=hf", "--max-lora-rank=16"} {
		if !strings.Contains(args, want) {
			t.Errorf("the server got no %s: %s", want, args)
		}
	}
	// The same lane refuses a value that vLLM would.
	run(t, install(ns, "all", "--set", "engine.dtype=", "--set-json", `engine.extraArgs=["--attention-backend-typo=x"]`)...).exits(t, 1).
		says(t, `unrecognized arguments`)
}
