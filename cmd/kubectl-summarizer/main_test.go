package main

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/kubectl-summarizer/kubectl-summarizer/internal/product"
)

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){
		product.Binary: func() { os.Exit(run()) },
	})
}

// TestScripts runs whole commands; each script says in its first line what it shows.
func TestScripts(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir:                 "testdata/script",
		RequireExplicitExec: true,
		Setup: func(env *testscript.Env) error {
			// No script may reach the cluster of whoever runs the tests.
			env.Setenv("KUBECONFIG", filepath.Join(env.WorkDir, "no-kubeconfig"))
			env.Setenv("HOME", env.WorkDir)
			return nil
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){"exits": exits},
	})
}
