package release

import (
	"os/exec"
	"runtime"
	"strconv"
	"strings"
	"testing"
	"time"

	"helm.sh/helm/v3/pkg/release"
)

func TestGone(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("only Linux tells in which place a process number counts")
	}
	cmd := exec.Command("sleep", "60")
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	sleeper := place() + "." + strconv.Itoa(cmd.Process.Pid)
	if gone(sleeper) {
		t.Error("a living process counts as gone")
	}
	if err := cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = cmd.Wait()
	if !gone(sleeper) {
		t.Error("a dead process does not count as gone")
	}
	if gone(process()) || gone("") || gone("elsewhere."+strings.SplitAfter(sleeper, ".")[1]) {
		t.Error("this process, an unknown one, or one of another machine counts as gone")
	}
}

func TestARecordOfADeadProcessIsTakenOverAtOnce(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("only Linux tells in which place a process number counts")
	}
	b := newBench(t)
	b.record(1, release.StatusPendingInstall, time.Second, true)
	history, err := b.store.History("one")
	if err != nil {
		t.Fatal(err)
	}
	// No process has a number above the kernel's limit.
	history[0].Labels[processLabel] = place() + ".2147483647"
	spec := b.spec()
	spec.Notify = func(message string) { t.Errorf("waited: %s", message); b.now = b.now.Add(abandonedAfter) }
	if _, err := b.client.Apply(t.Context(), spec); err != nil {
		t.Fatal(err)
	}
	if got := b.statuses(); got != "2 deployed, 1 superseded" {
		t.Errorf("revisions: %s", got)
	}
}

// The labels are those of the program that installed, which has long ended.
func TestAnUninstallUnderWayIsNotTakenOverAtOnce(t *testing.T) {
	b := newBench(t)
	b.record(1, release.StatusUninstalling, time.Second, true)
	history, err := b.store.History("one")
	if err != nil {
		t.Fatal(err)
	}
	history[0].Labels[processLabel] = place() + ".2147483647"
	spec, waited := b.spec(), false
	spec.Notify = func(string) { waited = true; b.now = b.now.Add(abandonedAfter) }
	if _, err := b.client.Apply(t.Context(), spec); err != nil || !waited {
		t.Errorf("error %v, waited %v", err, waited)
	}
}
