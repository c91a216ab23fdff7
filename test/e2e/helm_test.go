//go:build e2e

package e2e

import (
	"path/filepath"
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
			run(t, "query", "--release", "my", "-n", ns, "a text").exits(t, 0)
			helper(t, helm, "upgrade", "my", filepath.Join(env.root, "charts/vllm-summarizer"), "-n", ns,
				"-f", values("local-sim-values.yaml"), "--set", "shutdown.preStopSeconds=1", "--wait", "--timeout", "3m")
			run(t, "uninstall", "my", "-n", ns).exits(t, 0)
		})
	}
}
