package main

import (
	"context"
	"flag"
	"fmt"
	"maps"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/kubectl-summarizer/kubectl-summarizer/hack/localcluster/images"
)

var update = flag.Bool("update", false, "write differences.md and testdata/outcomes.json from what was measured")

// realParts finds the images' files, or skips: these tests start the real vLLM, as root, for a minute.
func realParts(t *testing.T) (cpuRoot, simRoot string) {
	t.Helper()
	if os.Getenv("VLLM_COMPARE") == "" {
		t.Skip("VLLM_COMPARE=1 compares with the real vLLM; it needs root")
	}
	here, err := filepath.Abs("..")
	if err != nil {
		t.Fatal(err)
	}
	t.Setenv("LOCALCLUSTER_SOURCE", here)
	ctx, cache := context.Background(), cacheDir(t)
	for _, name := range images.Names() {
		if _, err := images.Build(ctx, name, cache, os.Stderr); err != nil {
			t.Fatal(err)
		}
	}
	if err := images.PrepareHub(ctx, cache, os.Stderr); err != nil {
		t.Fatal(err)
	}
	if cpuRoot, err = images.Root("vllm-cpu", cache); err != nil {
		t.Fatal(err)
	}
	if simRoot, err = images.Root("vllm-sim", cache); err != nil {
		t.Fatal(err)
	}
	return cpuRoot, simRoot
}

func cacheDir(t *testing.T) string {
	t.Helper()
	out, err := exec.Command("../../cachedir").Output()
	if err != nil {
		t.Fatal(err)
	}
	return strings.TrimSpace(string(out))
}

// TestRecordedOutcomes parses the cases with the real program again.
func TestRecordedOutcomes(t *testing.T) {
	root, _ := realParts(t)
	here, err := filepath.Abs("testdata")
	if err != nil {
		t.Fatal(err)
	}
	out, err := images.InRoot(context.Background(), root, here, "python3", "/mnt/parse.py").Output()
	if err != nil {
		t.Fatal(err)
	}
	golden(t, "testdata/outcomes.json", string(out))
	flags := images.InRoot(context.Background(), root, filepath.Dir(here), "python3", "/mnt/flags.py")
	if out, err = flags.Output(); err != nil {
		t.Fatal(err)
	}
	golden(t, "flags.tsv", string(out))
}

// TestDifferences lists what the simulator answers otherwise than vLLM, in differences.md.
func TestDifferences(t *testing.T) {
	cpuRoot, simRoot := realParts(t)
	model, lora := hubFiles(t, images.HubModel), hubFiles(t, images.HubAdapter)
	work := t.TempDir()
	for name, dir := range map[string]string{"base": model, "lora": lora} {
		if err := exec.Command("cp", "-rL", dir, filepath.Join(work, name)).Run(); err != nil {
			t.Fatal(err)
		}
	}
	flags := func(dir, port string) []string {
		return []string{"serve", dir + "/base", "--port", port, "--served-model-name", "base", "--max-model-len", "2048", "--max-num-seqs", "4",
			"--max-num-queued-reqs", "4", "--enable-lora", "--lora-modules", "tuned=" + dir + "/lora", "--shutdown-timeout", "20"}
	}
	realPort := freePort(t)
	real := start(t, images.InRoot(context.Background(), cpuRoot, work, append([]string{"vllm"}, flags("/mnt", realPort)...)...), realPort)
	simPort := freePort(t)
	command := exec.Command(filepath.Join(simRoot, "usr/local/bin/vllm"), flags(work, simPort)...)
	command.Env = []string{"PATH=" + filepath.Join(simRoot, "usr/local/bin"), "VLLM_SIM_ITL_MS=30"}
	sim := start(t, command, simPort)

	realFacts, simFacts := facts(t, real), facts(t, sim)
	golden(t, "differences.md", table(realFacts, simFacts))
}

// freePort is one that nobody listens on right now.
func freePort(t *testing.T) string {
	t.Helper()
	listener, err := net.Listen("tcp", ":0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	return strconv.Itoa(listener.Addr().(*net.TCPAddr).Port)
}

func hubFiles(t *testing.T, repo string) string {
	t.Helper()
	dir := filepath.Join(cacheDir(t), "hub", "models", repo)
	commit, err := os.ReadFile(filepath.Join(dir, "refs", "main"))
	if err != nil {
		t.Fatal(err)
	}
	return filepath.Join(dir, strings.TrimSpace(string(commit)))
}

func start(t *testing.T, command *exec.Cmd, port string) *served {
	t.Helper()
	log, err := os.Create(filepath.Join(t.TempDir(), "log"))
	if err != nil {
		t.Fatal(err)
	}
	command.Stdout, command.Stderr = log, log
	command.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if err := command.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- command.Wait() }()
	t.Cleanup(func() {
		_ = syscall.Kill(-command.Process.Pid, syscall.SIGKILL)
		if t.Failed() {
			text, _ := os.ReadFile(log.Name())
			t.Logf("log of port %s:\n%s", port, text[max(0, len(text)-4000):])
		}
	})
	s := &served{url: "http://127.0.0.1:" + port, process: command.Process}
	for deadline := time.Now().Add(4 * time.Minute); ; {
		if status, _ := s.call("GET", "/health", nil); status == 200 {
			return s
		}
		select {
		case err := <-ended:
			t.Fatalf("the server for port %s ended: %v", port, err)
		case <-time.After(time.Second):
		}
		if time.Now().After(deadline) {
			t.Fatalf("port %s did not become healthy in 4 minutes", port)
		}
	}
}

func golden(t *testing.T, path, got string) {
	t.Helper()
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(path)
	if err != nil || string(want) != got {
		t.Errorf("%s is not what was measured (error %v); look, then run with -update:\n%s", path, err, got)
	}
}

// table is the facts that differ, as Markdown, and how many do not.
func table(real, sim map[string]string) string {
	var b strings.Builder
	b.WriteString("# What vllm-sim answers otherwise than vLLM 0.32.0\n\n" +
		"Measured by `VLLM_COMPARE=1 go test ./vllmsim -run Differences -update`; the test fails when it changes.\n" +
		"Beyond the table: of more requests at one instant than `--max-num-seqs` and `--max-num-queued-reqs` together, vllm-sim never\n" +
		"answers some; after SIGTERM it finishes streams for 30 s at most; its `finish_reason` and usage come from random text.\n\n" +
		"| fact | vLLM | vllm-sim |\n|---|---|---|\n")
	all := map[string]bool{}
	for _, m := range []map[string]string{real, sim} {
		for k := range m {
			all[k] = true
		}
	}
	same := 0
	for _, k := range slices.Sorted(maps.Keys(all)) {
		if real[k] == sim[k] {
			same++
			continue
		}
		fmt.Fprintf(&b, "| %s | %s | %s |\n", k, cell(real[k]), cell(sim[k]))
	}
	fmt.Fprintf(&b, "\n%d other facts are the same.\n", same)
	return b.String()
}

func cell(text string) string {
	if text == "" {
		return "-"
	}
	return strings.NewReplacer("|", `\|`, "\n", " ").Replace(text)
}
