package proc

import (
	"encoding/json"
	"os"
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

func TestStartTicks(t *testing.T) {
	const tail = " 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 4711 20"
	for name, test := range map[string]struct {
		stat, want string
		ok         bool
	}{
		"plain":              {"9 (etcd) S" + tail, "4711", true},
		"parentheses inside": {"9 (a) (b) S" + tail, "4711", true},
		"zombie":             {"9 (etcd) Z" + tail, "", false},
		"short":              {"9 (etcd) S 1", "", false},
		"empty":              {"", "", false},
	} {
		got, err := startTicks(test.stat)
		if got != test.want || (err == nil) != test.ok {
			t.Errorf("%s: %q, %v", name, got, err)
		}
	}
}
