package release

import (
	"context"
	"errors"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"helm.sh/helm/v3/pkg/release"
	"helm.sh/helm/v3/pkg/storage"
	"helm.sh/helm/v3/pkg/storage/driver"
	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/runtime/schema"
)

// deaf is a store behind a network that hangs.
type deaf struct{ *driver.Memory }

func (d deaf) Query(map[string]string) ([]*release.Release, error) {
	time.Sleep(time.Hour)
	return nil, errors.New("no reply")
}

func (d deaf) List(func(*release.Release) bool) ([]*release.Release, error) {
	time.Sleep(time.Hour)
	return nil, errors.New("no reply")
}

func TestCtrlCEndsEveryRead(t *testing.T) {
	b := newBench(t)
	b.store = storage.Init(deaf{driver.NewMemory()})
	spec := b.spec()
	for name, read := range map[string]func(context.Context) error{
		"Get":       func(ctx context.Context) error { _, err := b.client.Get(ctx, "one"); return err },
		"History":   func(ctx context.Context) error { _, err := b.client.History(ctx, "one"); return err },
		"List":      func(ctx context.Context) error { _, err := b.client.List(ctx); return err },
		"Last":      func(ctx context.Context) error { _, err := b.client.Last(ctx, "one"); return err },
		"Apply":     func(ctx context.Context) error { _, err := b.client.Apply(ctx, spec); return err },
		"Uninstall": func(ctx context.Context) error { _, err := b.client.Uninstall(ctx, nil, "one", nil); return err },
		"PlanUninstall": func(ctx context.Context) error {
			_, _, err := b.client.PlanUninstall(ctx, nil, "one", false)
			return err
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				ctx, cancel := context.WithTimeout(t.Context(), time.Second)
				defer cancel()
				start := time.Now()
				if err := read(ctx); !errors.Is(err, context.DeadlineExceeded) || time.Since(start) != time.Second {
					t.Errorf("after %s: %v", time.Since(start), err)
				}
				time.Sleep(3 * time.Hour)
			})
		})
	}
}

// deafMapper is the same for the table of the cluster's kinds.
type deafMapper struct {
	meta.RESTMapper
	never chan struct{}
}

func (d deafMapper) RESTMapping(schema.GroupKind, ...string) (*meta.RESTMapping, error) {
	<-d.never
	return nil, errors.New("no reply")
}

// Check asks about all objects at once, and none may hold the others' locks.
func TestCtrlCEndsAskingAboutManyObjects(t *testing.T) {
	mapper := deafMapper{never: make(chan struct{})}
	defer close(mapper.never)
	k := &checker{of: newBench(t).client, mapper: mapper}
	ctx, cancel := context.WithCancel(t.Context())
	var wait sync.WaitGroup
	for range 3 {
		wait.Go(func() {
			if found := k.object(ctx, unstructuredOf(t, "v1", "Pod"), nil); len(found) != 0 {
				t.Errorf("refused: %v", found)
			}
		})
	}
	cancel()
	wait.Wait()
}
