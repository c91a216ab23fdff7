//go:build e2e

package e2e

import (
	"os"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
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

// kill -9 at any point of install, then install: it converges. That a kill met an install
// amid its changes is proven by the record that it left in progress.
func TestKilledInstallConverges(t *testing.T) {
	ns := namespace(t)
	met := 0
	for _, after := range []time.Duration{0, 20, 50, 100} {
		if killInApply(t, ns, after*time.Millisecond) {
			met++
		}
	}
	if met == 0 {
		t.Error("no kill met an install between its first change and its last")
	}
	for _, after := range []time.Duration{50, 150, 250, 400, 600, 900, 1400} {
		b := start(t, install(ns, "killed")...)
		time.Sleep(after * time.Millisecond)
		kill(t, b)
	}
	run(t, install(ns, "killed", "--timeout", "4m")...).exits(t, 0)
	run(t, "status", "killed", "-n", ns).exits(t, 0)
	if left := inProgress(t, ns); left != "" {
		t.Errorf("the install that succeeded left the record %s in progress", left)
	}
}

// killInApply kills an install this long after its record has appeared as in progress, and
// says whether it was still at it.
func killInApply(t *testing.T, ns string, after time.Duration) bool {
	t.Helper()
	records, err := env.client.CoreV1().Secrets(ns).Watch(t.Context(), metav1.ListOptions{LabelSelector: "owner=helm,name=killed"})
	if err != nil {
		t.Fatal(err)
	}
	defer records.Stop()
	before := inProgress(t, ns) // of the install killed last
	b := start(t, install(ns, "killed")...)
	for begun := false; !begun; {
		select {
		case event := <-records.ResultChan():
			record, ok := event.Object.(*corev1.Secret)
			begun = ok && record.Name != before && pending(record)
		case <-b.done:
			t.Fatalf("it ended before its record was seen in progress:\n%s", b.stderr())
		case <-time.After(time.Minute):
			t.Fatalf("no record in progress:\n%s", b.stderr())
		}
	}
	time.Sleep(after)
	kill(t, b)
	left := inProgress(t, ns)
	t.Logf("killed %s after its record was seen; left in progress: %q", after, left)
	return left != "" && left != before
}

func kill(t *testing.T, b *background) {
	t.Helper()
	if err := b.cmd.Process.Kill(); err != nil {
		t.Logf("it had ended by itself: %v", err)
	}
	<-b.done
}

// inProgress returns the name of the release record that somebody works on, or "".
func inProgress(t *testing.T, ns string) string {
	t.Helper()
	records, err := env.client.CoreV1().Secrets(ns).List(t.Context(), metav1.ListOptions{LabelSelector: "owner=helm,name=killed"})
	if err != nil {
		t.Fatal(err)
	}
	for i := range records.Items {
		if pending(&records.Items[i]) {
			return records.Items[i].Name
		}
	}
	return ""
}

// pending says whether a release record is of an install or upgrade that has not ended.
func pending(record *corev1.Secret) bool {
	return strings.HasPrefix(record.Labels["status"], "pending-")
}
