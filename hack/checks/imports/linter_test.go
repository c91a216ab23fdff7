//go:build lint

package imports

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// TestTheLinterFindsEveryBreach runs the linter with this repository's own configuration.
func TestTheLinterFindsEveryBreach(t *testing.T) {
	linter := os.Getenv("GOLANGCI_LINT")
	if linter == "" {
		t.Fatal("GOLANGCI_LINT is not set: run hack/test.sh lint")
	}
	dir := broken(t)
	config, err := os.ReadFile("../../../.golangci.yml")
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, ".golangci.yml"), config, 0o644); err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), linter, "run", "--enable-only", "depguard", "--show-stats=false", "./...")
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "GOFLAGS=-mod=mod", "GOPROXY=off", "GOWORK=off")
	out, err := cmd.CombinedOutput()
	t.Logf("%v\n%s", err, out)
	if err == nil {
		t.Fatal("the linter found nothing")
	}
	for name := range breaches {
		if !strings.Contains(string(out), name+":") {
			t.Errorf("the linter did not find %s", name)
		}
	}
	for name := range allowed {
		if strings.Contains(string(out), name+":") {
			t.Errorf("the linter found %s, which is allowed", name)
		}
	}
}
