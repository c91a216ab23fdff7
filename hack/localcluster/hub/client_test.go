package hub

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/kubectl-summarizer/kubectl-summarizer/hack/localcluster/images"
)

// TestRealClient runs huggingface_hub of the vllm-cpu image against the stand-in.
func TestRealClient(t *testing.T) {
	if os.Getenv("VLLM_COMPARE") == "" {
		t.Skip("VLLM_COMPARE=1 runs the real huggingface_hub of the vllm-cpu image; it needs root")
	}
	cache, err := exec.Command("../../cachedir").Output()
	if err != nil {
		t.Fatal(err)
	}
	dir := strings.TrimSpace(string(cache))
	if _, err := images.Build(context.Background(), "vllm-cpu", dir, os.Stderr); err != nil {
		t.Fatal(err)
	}
	root, err := images.Root("vllm-cpu", dir)
	if err != nil {
		t.Fatal(err)
	}
	testdata, err := filepath.Abs("testdata")
	if err != nil {
		t.Fatal(err)
	}
	url, log := testHub(t)
	command := images.InRoot(context.Background(), root, testdata, "python3", "/mnt/client.py")
	command.Env = append(command.Env, "HF_ENDPOINT="+url, "HF_HUB_DISABLE_TELEMETRY=1")
	out, err := command.CombinedOutput()
	t.Logf("%s", out)
	if err != nil {
		t.Errorf("%v; the server's log:\n%s", err, log)
	}
}
