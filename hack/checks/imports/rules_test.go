package imports

import (
	"encoding/json"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/kubectl-summarizer/kubectl-summarizer/internal/product"
)

// list asks `go list` for the packages of the module in dir. Imports that cannot be resolved are listed all the
// same (-e), so a module made up for a test needs no dependencies.
func list(t *testing.T, dir string) []Package {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "go", "list", "-e", "-tags=e2e,lint", "-json=ImportPath,Imports,TestImports,XTestImports", "./...")
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "GOFLAGS=-mod=mod", "GOPROXY=off", "GOWORK=off")
	out, err := cmd.Output()
	if err != nil {
		var exit *exec.ExitError
		if errors.As(err, &exit) {
			t.Fatalf("go list: %v\n%s", err, exit.Stderr)
		}
		t.Fatal(err)
	}
	var packages []Package
	for d := json.NewDecoder(strings.NewReader(string(out))); ; {
		var p struct {
			ImportPath                         string
			Imports, TestImports, XTestImports []string
		}
		if err := d.Decode(&p); errors.Is(err, io.EOF) {
			return packages
		} else if err != nil {
			t.Fatal(err)
		}
		packages = append(packages, Package{p.ImportPath, p.Imports, append(p.TestImports, p.XTestImports...)})
	}
}

func TestTheModuleKeepsItsImportRules(t *testing.T) {
	packages := list(t, "../../..")
	if len(packages) < 10 {
		t.Fatalf("go list found only %d packages", len(packages))
	}
	for _, v := range Violations(packages) {
		t.Error(v)
	}
}

// breaches are files that break a rule each, and what they import.
var breaches = map[string]string{
	"pkg/fit/bad.go":              product.Module + "/internal/product",
	"pkg/train/bad.go":            "github.com/spf13/cobra",
	"pkg/autoscale/bad.go":        "k8s.io/client-go/kubernetes",
	"pkg/catalog/bad.go":          "net/http",
	"internal/cli/status/bad.go":  "helm.sh/helm/v3/pkg/action",
	"internal/cli/install/bad.go": product.Module + "/internal/cli/status",
	"internal/cluster/bad.go":     "k8s.io/kubectl/pkg/cmd/portforward",
}

// allowed are files that look like breaches and are none.
var allowed = map[string]string{
	"pkg/render/good.go":           "helm.sh/helm/v3/pkg/action",
	"internal/release/good.go":     "helm.sh/helm/v3/pkg/action",
	"internal/cli/query/good.go":   product.Module + "/internal/cli/factory",
	"internal/cli/upgrade/good.go": product.Module + "/internal/cli/chartflags",
	"internal/cli/version/good.go": "k8s.io/kubectl/pkg/cmd/util",
}

// broken writes a module of the same name that holds every breach and every file that is allowed.
func broken(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	write := func(name, text string) {
		path := filepath.Join(dir, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	write("go.mod", "module "+product.Module+"\n\ngo 1.26\n")
	for _, set := range []map[string]string{breaches, allowed} {
		for name, imported := range set {
			pkg := filepath.Base(filepath.Dir(name))
			write(name, "// Package "+pkg+" is made up for a test.\npackage "+pkg+"\n\nimport _ \""+imported+"\"\n")
		}
	}
	return dir
}

func TestEveryBreachIsFound(t *testing.T) {
	found := strings.Join(Violations(list(t, broken(t))), "\n")
	t.Log("\n" + found)
	for name, imported := range breaches {
		want := product.Module + "/" + filepath.ToSlash(filepath.Dir(name)) + " imports " + imported + ":"
		if !strings.Contains(found, want) {
			t.Errorf("not found: %s", want)
		}
	}
	for name := range allowed {
		if pkg := product.Module + "/" + filepath.ToSlash(filepath.Dir(name)) + " "; strings.Contains(found, pkg) {
			t.Errorf("%s is allowed and was found", name)
		}
	}
}
