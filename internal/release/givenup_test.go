package release

import (
	"context"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"helm.sh/helm/v3/pkg/release"
	"helm.sh/helm/v3/pkg/storage"
	"helm.sh/helm/v3/pkg/storage/driver"

	"github.com/kubectl-summarizer/kubectl-summarizer/internal/failure"
)

// hung is a cluster that stops answering once a record is written.
type hung struct{ *driver.Memory }

func (h hung) Create(key string, r *release.Release) error {
	stored, info := *r, *r.Info // Helm goes on changing its own
	stored.Info = &info
	return h.Memory.Create(key, &stored)
}

func (hung) Update(string, *release.Release) error {
	time.Sleep(time.Hour)
	return errors.New("no reply")
}

// A record that is left in progress is news: the release is neither as before nor as asked.
func TestGivingUpSaysWhatIsLeft(t *testing.T) {
	for name, test := range map[string]struct {
		patience time.Duration
		kind     failure.Kind
		says     string
	}{
		"after Ctrl-C":  {time.Second, failure.Interrupted, "interrupted before release one was installed whole: part of it may be, and its record may say that it goes on"},
		"when it hangs": {time.Hour, failure.Timeout, "the cluster took more than 45s before release one was installed whole"},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				b := newBench(t)
				b.store = storage.Init(hung{b.store.Driver.(*driver.Memory)})
				ctx, cancel := context.WithCancel(t.Context())
				defer cancel()
				time.AfterFunc(test.patience, cancel)
				_, err := b.client.Apply(ctx, b.spec())
				next := failure.NextOf(err)
				if err == nil || failure.KindOf(err) != test.kind || !strings.HasPrefix(err.Error(), test.says) ||
					!strings.Contains(next, "run the same command again") || !strings.Contains(next, "kubectl summarizer status one -n ml") {
					t.Errorf("kind %d: %v; next: %s", failure.KindOf(err), err, next)
				}
				if got := b.statuses(); got != "1 pending-install" {
					t.Errorf("revisions: %s", got)
				}
				time.Sleep(3 * time.Hour)
			})
		})
	}
}

func TestGivingUpAnUninstallSaysWhatIsLeft(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t)
		b.store = storage.Init(hung{b.store.Driver.(*driver.Memory)})
		b.record(1, release.StatusDeployed, time.Hour, true)
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		time.AfterFunc(time.Second, cancel)
		_, err := b.client.Uninstall(ctx, nil, "one", nil)
		if failure.KindOf(err) != failure.Interrupted || !strings.Contains(err.Error(), "before release one was removed whole") {
			t.Errorf("kind %d: %v", failure.KindOf(err), err)
		}
		time.Sleep(3 * time.Hour)
	})
}
