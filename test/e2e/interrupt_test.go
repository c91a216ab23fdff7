//go:build e2e

package e2e

import (
	"os"
	"strings"
	"testing"
	"time"
)

// Ctrl-C ends the wait, not the installation.
func TestDetach(t *testing.T) {
	ns := namespace(t)
	b := start(t, install(ns, "away", "--set", "extraEnv[0].name=VLLM_SIM_STARTUP_SECONDS", "--set-string", "extraEnv[0].value=15")...)
	eventually(t, time.Minute, func() string {
		if !strings.Contains(b.stderr(), "loading the model") {
			return "the wait has not come to loading:\n" + b.stderr()
		}
		return ""
	})
	if err := b.cmd.Process.Signal(os.Interrupt); err != nil {
		t.Fatal(err)
	}
	b.wait(t, 10*time.Second).exits(t, 130).oneError(t).
		says(t, `the installation goes on in the cluster`).
		says(t, `kubectl summarizer install away -n `+ns)
	run(t, "install", "away", "-n", ns, "--timeout", "3m").exits(t, 0)
}

// kill -9 at any point of install, then install: it converges.
func TestKilledInstallConverges(t *testing.T) {
	ns := namespace(t)
	for _, after := range []time.Duration{50, 150, 250, 400, 600, 900, 1400} {
		b := start(t, install(ns, "killed")...)
		time.Sleep(after * time.Millisecond)
		if err := b.cmd.Process.Kill(); err != nil {
			t.Logf("after %d ms it had ended by itself: %v", after, err)
		}
		<-b.done
	}
	run(t, install(ns, "killed", "--timeout", "4m")...).exits(t, 0)
	run(t, "status", "killed", "-n", ns).exits(t, 0)
}
