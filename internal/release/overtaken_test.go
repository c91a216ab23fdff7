package release

import (
	"slices"
	"strings"
	"testing"
	"time"

	"helm.sh/helm/v3/pkg/release"
	"helm.sh/helm/v3/pkg/storage"
	"helm.sh/helm/v3/pkg/storage/driver"
)

// rival changes the records after they were looked at for the first time, as somebody does
// who installs at the same moment.
type rival struct {
	*driver.Memory
	change func()
	looks  int
}

func (r *rival) Query(labels map[string]string) ([]*release.Release, error) {
	r.looks++
	if r.looks > 1 {
		return r.Memory.Query(labels)
	}
	found, err := r.Memory.Query(labels)
	// The store hands out its own records; ours must not change with them.
	var copies []*release.Release
	for _, f := range found {
		one, info := *f, *f.Info
		one.Info = &info
		copies = append(copies, &one)
	}
	r.change()
	return copies, err
}

// Helm says in three ways that it was overtaken; each means to look again.
func TestWhoeverIsOvertakenLooksAgain(t *testing.T) {
	for name, test := range map[string]struct {
		before func(*bench)
		change func(*bench)
		want   string
	}{
		"an install by another": {
			func(*bench) {},
			func(b *bench) { b.record(1, release.StatusDeployed, time.Second, true) },
			"2 deployed, 1 superseded",
		},
		"an upgrade by another": {
			func(b *bench) { b.record(1, release.StatusDeployed, time.Hour, true) },
			func(b *bench) { b.record(2, release.StatusPendingUpgrade, time.Second, true) },
			"3 deployed, 2 failed, 1 superseded",
		},
	} {
		t.Run(name, func(t *testing.T) {
			b := newBench(t)
			memory := driver.NewMemory()
			memory.SetNamespace("ml")
			b.store = storage.Init(memory)
			test.before(b)
			b.store = storage.Init(&rival{Memory: memory, change: func() { test.change(b) }})
			var told []string
			spec := b.spec()
			spec.Notify = func(message string) {
				told = append(told, message)
				if strings.Contains(message, "waiting until it ends") {
					b.now = b.now.Add(abandonedAfter)
				}
			}
			if _, err := b.client.Apply(t.Context(), spec); err != nil {
				t.Fatal(err)
			}
			if got := b.statuses(); got != test.want {
				t.Errorf("revisions: %s, want %s", got, test.want)
			}
			if !slices.Contains(told, "somebody else just changed release one; looking again") {
				t.Errorf("told: %q", told)
			}
		})
	}
}
