package main_test

import (
	"bytes"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// inImage runs `localcluster in-image` and returns its exit code and output.
func inImage(t *testing.T, args ...string) (code int, stdout, stderr string) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "../localcluster.sh", append([]string{"in-image"}, args...)...)
	var out, errs bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errs
	err := cmd.Run()
	if exit := (*exec.ExitError)(nil); err != nil && !errors.As(err, &exit) {
		t.Fatal(err)
	}
	return cmd.ProcessState.ExitCode(), out.String(), errs.String()
}

func TestInImageUsage(t *testing.T) {
	for want, args := range map[string][]string{
		"takes an image and a command":       {"vllm-cpu"},
		"it is one of vllm-cpu, vllm-sim":    {"vllm-gpu", "true"},
		"with a target in /mnt":              {"--bind", "/tmp:/usr", "vllm-cpu", "true"},
		"flag provided but not defined: -no": {"--no", "vllm-cpu", "true"},
	} {
		if code, _, said := inImage(t, args...); code != 2 || !strings.Contains(said, want) {
			t.Errorf("%v: exit code %d, %s", args, code, said)
		}
	}
}

// TestInImage needs the real image, as root.
func TestInImage(t *testing.T) {
	if os.Getenv("VLLM_COMPARE") == "" {
		t.Skip("VLLM_COMPARE=1 runs commands in the files of the vllm-cpu image; it needs root")
	}
	open, closed := t.TempDir(), t.TempDir()
	if err := os.WriteFile(filepath.Join(closed, "in"), []byte("from outside\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	// The command's own flags are not taken for the verb's.
	code, out, said := inImage(t, "--bind", open+":/mnt/open", "--bind="+closed+":/mnt/closed:ro", "vllm-cpu", "sh", "-c", `
		cat /mnt/closed/in
		for dir in /mnt/open /mnt/closed /usr /tmp; do touch $dir/written 2>/dev/null && echo $dir; done
		test -z "$SUMMARIZER_CACHE" && python3 -c 'import pip; print("pip", pip.__version__)'
		echo complaint >&2
		exit 7`)
	if want := "from outside\n/mnt/open\n/tmp\npip 26.3\n"; code != 7 || out != want || !strings.HasSuffix(said, "complaint\n") {
		t.Errorf("exit code %d\n%s\n%s", code, out, said)
	}
	if _, err := os.Stat(filepath.Join(open, "written")); err != nil {
		t.Error(err)
	}
	if mounts, err := os.ReadFile("/proc/mounts"); err != nil || bytes.Contains(mounts, []byte(open)) {
		t.Errorf("mounts are left: %v", err)
	}
}
