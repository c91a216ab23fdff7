// Package imports holds the module's import rules and checks them on its real import graph.
//
// .golangci.yml has the same rules, for the editor and the linter; the tests here prove that both refuse what
// they should.
package imports

import (
	"fmt"
	"strings"

	"github.com/kubectl-summarizer/kubectl-summarizer/internal/product"
)

// Package is what `go list` says of one package: its import path and what it imports itself, tests included.
type Package struct {
	Path    string
	Imports []string
	// TestOnly are imports of its test files alone.
	TestOnly []string
}

// rule forbids imports to the packages that it applies to.
type rule struct {
	why     string
	applies func(pkg string) bool
	forbids func(pkg, imported string) bool
	// tests says whether test files are bound by it.
	tests bool
}

// pure are what pkg/ must not import: command line, cluster and network.
var pure = []string{
	product.Module + "/internal", "github.com/spf13/cobra", "k8s.io/client-go", "k8s.io/cli-runtime",
	"net/http", "os/exec",
}

var rules = []rule{
	{
		why:     "pkg/ is the pure core: no internal/, command line, cluster or network",
		applies: func(pkg string) bool { return under(pkg, product.Module+"/pkg") },
		forbids: func(_, imported string) bool {
			for _, p := range pure {
				if under(imported, p) {
					return true
				}
			}
			return false
		},
	},
	{
		why: "only pkg/render and internal/release know Helm",
		applies: func(pkg string) bool {
			return !under(pkg, product.Module+"/pkg/render") && !under(pkg, product.Module+"/internal/release")
		},
		forbids: func(_, imported string) bool { return under(imported, "helm.sh/helm") },
		tests:   true,
	},
	{
		// Its tests may drive the whole command line.
		why:     "a verb imports no other verb",
		applies: func(pkg string) bool { return verbOf(pkg) != "" },
		forbids: func(pkg, imported string) bool {
			other := verbOf(imported)
			return imported == product.Module+"/internal/cli" || other != "" && other != verbOf(pkg)
		},
	},
	{
		why:     "kubectl's verb packages cost 25 MB and 20 ms of start-up each",
		applies: func(string) bool { return true },
		forbids: func(_, imported string) bool {
			return under(imported, "k8s.io/kubectl/pkg/cmd") && !under(imported, "k8s.io/kubectl/pkg/cmd/util")
		},
		tests: true,
	},
}

// shared are the packages below internal/cli that are no verbs: what every verb is built with.
var shared = []string{"factory", "chartflags"}

// verbOf returns the verb that a package below internal/cli belongs to, or "".
func verbOf(pkg string) string {
	rest, ok := strings.CutPrefix(pkg, product.Module+"/internal/cli/")
	if !ok {
		return ""
	}
	verb, _, _ := strings.Cut(rest, "/")
	for _, s := range shared {
		if verb == s {
			return ""
		}
	}
	return verb
}

// under says whether a path is a package or lies below it.
func under(path, prefix string) bool {
	return path == prefix || strings.HasPrefix(path, prefix+"/")
}

// Violations lists the imports that break a rule, each as one sentence.
func Violations(packages []Package) []string {
	var out []string
	for _, p := range packages {
		for _, r := range rules {
			if !r.applies(p.Path) {
				continue
			}
			imported := p.Imports
			if r.tests {
				imported = append(append([]string{}, p.Imports...), p.TestOnly...)
			}
			for _, i := range imported {
				if r.forbids(p.Path, i) {
					out = append(out, fmt.Sprintf("%s imports %s: %s", p.Path, i, r.why))
				}
			}
		}
	}
	return out
}
