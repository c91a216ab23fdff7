package proc

import (
	"encoding/json"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"
)

func newTable(t *testing.T) Table {
	t.Helper()
	dir := t.TempDir()
	return Table{Dir: dir, Logs: dir}
}

func TestStartIsIdempotentAndStopEnds(t *testing.T) {
	table := newTable(t)
	args := []string{"sleep", "60"}
	started, err := table.Start("s", args, "")
	if err != nil || !started {
		t.Fatalf("first start: %v, %v", started, err)
	}
	first, alive := table.Get("s")
	if !alive {
		t.Fatal("not alive after start")
	}
	if started, err = table.Start("s", args, ""); err != nil || started {
		t.Errorf("second start: %v, %v; want it left alone", started, err)
	}
	if started, err = table.Start("s", []string{"sleep", "61"}, ""); err != nil || !started {
		t.Errorf("start with other args: %v, %v; want a replacement", started, err)
	}
	if first.alive() {
		t.Error("the replaced process still runs")
	}
	if started, err = table.Start("s", []string{"sleep", "61"}, "changed"); err != nil || !started {
		t.Errorf("start with another stamp: %v, %v; want a replacement", started, err)
	}
	second, _ := table.Get("s")
	if err := table.Stop("s", time.Second); err != nil {
		t.Fatal(err)
	}
	if second.alive() {
		t.Error("alive after stop")
	}
	if _, err := os.Stat(filepath.Join(table.Dir, "s.json")); !os.IsNotExist(err) {
		t.Errorf("the record stays: %v", err)
	}
}

// A record that is written in place is half there when the writer is killed.
func TestRecordIsReplacedInOneStep(t *testing.T) {
	table := newTable(t)
	before := filepath.Join(table.Dir, "before")
	if err := os.WriteFile(before, []byte("old"), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := os.Link(before, filepath.Join(table.Dir, "s.json")); err != nil {
		t.Fatal(err)
	}
	if _, err := table.Start("s", []string{"sleep", "60"}, ""); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = table.Stop("s", 0) })
	if _, alive := table.Get("s"); !alive {
		t.Error("no record after the start")
	}
	if data, err := os.ReadFile(before); err != nil || string(data) != "old" {
		t.Errorf("the record was written over the old one: %q, %v", data, err)
	}
}

func TestRunningFindsWithoutARecord(t *testing.T) {
	const mark = "61.4711"
	marked := func(args []string) bool { return len(args) == 2 && args[1] == mark }
	if found := Running(marked); len(found) > 0 {
		t.Fatalf("before the start: %v", found)
	}
	table := newTable(t)
	if _, err := table.Start("s", []string{"sleep", mark}, ""); err != nil {
		t.Fatal(err)
	}
	recorded, _ := table.Get("s")
	if err := os.Remove(filepath.Join(table.Dir, "s.json")); err != nil {
		t.Fatal(err)
	}
	found := Running(marked)
	if len(found) != 1 || found[0].Pid != recorded.Pid || found[0].Start != recorded.Start {
		t.Fatalf("found %v, want %v", found, recorded)
	}
	if err := found[0].End("s", time.Second); err != nil {
		t.Fatal(err)
	}
	if recorded.alive() || len(Running(marked)) > 0 {
		t.Error("it still runs")
	}
}

func TestRecycledNumberIsNotKilled(t *testing.T) {
	table := newTable(t)
	if _, err := table.Start("victim", []string{"sleep", "60"}, ""); err != nil {
		t.Fatal(err)
	}
	victim, _ := table.Get("victim")
	t.Cleanup(func() { _ = table.Stop("victim", 0) })
	stale := victim
	stale.Start = "0123/1"
	data, err := json.Marshal(stale)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(table.Dir, "old.json"), data, 0o644); err != nil {
		t.Fatal(err)
	}
	if err := table.Stop("old", 0); err != nil {
		t.Fatal(err)
	}
	if !victim.alive() {
		t.Fatal("a process that only shares the number was killed")
	}
}

// A killed process of many threads frees its port a moment after its first thread is a zombie: who starts the
// next one must not meet the port in use.
func TestPortIsFreeAfterStop(t *testing.T) {
	table := newTable(t)
	server := filepath.Join(t.TempDir(), "server")
	if out, err := exec.Command("go", "build", "-o", server, "./testdata/server").CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	for range 20 {
		listener, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		address := listener.Addr().String()
		listener.Close()
		if _, err := table.Start("server", []string{server, address}, ""); err != nil {
			t.Fatal(err)
		}
		for deadline := time.Now().Add(5 * time.Second); ; time.Sleep(5 * time.Millisecond) {
			if conn, err := net.Dial("tcp", address); err == nil {
				conn.Close()
				break
			}
			if time.Now().After(deadline) {
				t.Fatal("the server does not listen")
			}
		}
		if err := table.Stop("server", 0); err != nil {
			t.Fatal(err)
		}
		if listener, err = net.Listen("tcp", address); err != nil {
			t.Fatalf("right after Stop: %v", err)
		}
		listener.Close()
	}
}

func TestStartTicks(t *testing.T) {
	const tail = " 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 4711 20"
	for name, test := range map[string]struct {
		stat, want string
		threads    bool
		ok         bool
	}{
		"plain":              {"9 (etcd) S" + tail, "4711", true, true},
		"parentheses inside": {"9 (a) (b) S" + tail, "4711", true, true},
		"zombie":             {"9 (etcd) Z" + tail, "", false, false},
		"zombie, dying":      {"9 (etcd) Z" + tail, "4711", true, true},
		"short":              {"9 (etcd) S 1", "", true, false},
		"empty":              {"", "", false, false},
	} {
		got, err := startTicks(test.stat, test.threads)
		if got != test.want || (err == nil) != test.ok {
			t.Errorf("%s: %q, %v", name, got, err)
		}
	}
}
