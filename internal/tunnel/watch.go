package tunnel

import (
	"context"
	"errors"
	"io"
	"slices"
	"sync"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/watch"
	"k8s.io/client-go/tools/cache"

	"github.com/kubectl-summarizer/kubectl-summarizer/internal/cluster"
)

// Watcher is a Source that follows a release's pods for as long as it runs, and waits a
// while for one when there is none.
type Watcher struct {
	// Patience is how long Ready waits for a pod.
	Patience time.Duration
	// Changed, when set, hears of every change of the ready pods.
	Changed func(added, gone []Pod, ready int)
	// Trouble, when set, hears when the cluster cannot be watched, and with nil when it can again.
	Trouble func(error)

	release *Release

	mu      sync.Mutex
	ready   []Pod
	changed chan struct{} // closed at the next change
	trouble bool
}

// NewWatcher returns a watcher of the release's pods; Run starts it.
func NewWatcher(release *Release) *Watcher {
	return &Watcher{release: release, changed: make(chan struct{})}
}

// Run follows the pods until ctx ends. It returns once the pods of now are known.
func (w *Watcher) Run(ctx context.Context) error {
	pods := w.release.Client.CoreV1().Pods(w.release.Namespace)
	selector := cluster.Selector(w.release.Name)
	// The wrapper lets client-go ask whether this client can stream the first list too.
	informer := cache.NewSharedInformer(cache.ToListWatcherWithWatchListSemantics(&cache.ListWatch{
		ListWithContextFunc: func(ctx context.Context, options metav1.ListOptions) (runtime.Object, error) {
			options.LabelSelector = selector
			list, err := pods.List(ctx, options)
			w.answered(err)
			return list, err
		},
		WatchFuncWithContext: func(ctx context.Context, options metav1.ListOptions) (watch.Interface, error) {
			options.LabelSelector = selector
			stream, err := pods.Watch(ctx, options)
			w.answered(err)
			return stream, err
		},
	}, w.release.Client), &corev1.Pod{}, 0)
	if err := informer.SetWatchErrorHandlerWithContext(func(_ context.Context, _ *cache.Reflector, err error) { w.told(err) }); err != nil {
		return err
	}
	update := func() { w.update(informer.GetStore()) }
	_, err := informer.AddEventHandler(cache.ResourceEventHandlerFuncs{
		AddFunc:    func(any) { update() },
		UpdateFunc: func(any, any) { update() },
		DeleteFunc: func(any) { update() },
	})
	if err != nil {
		return err
	}
	go informer.RunWithContext(ctx)
	if !cache.WaitForCacheSync(ctx.Done(), informer.HasSynced) {
		return context.Cause(ctx)
	}
	update()
	return nil
}

func (w *Watcher) answered(err error) {
	if err == nil {
		w.told(nil)
	}
}

// told passes on the first error of a series, and its end. A watch that the API server
// closes, as it does every few minutes, is no error.
func (w *Watcher) told(err error) {
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) || apierrors.IsResourceExpired(err) || apierrors.IsGone(err) {
		return
	}
	w.mu.Lock()
	had := w.trouble
	w.trouble = err != nil
	w.mu.Unlock()
	if w.Trouble != nil && had != (err != nil) {
		w.Trouble(err)
	}
}

func (w *Watcher) update(store cache.Store) {
	w.mu.Lock()
	var pods []*corev1.Pod
	for _, item := range store.List() {
		pods = append(pods, item.(*corev1.Pod))
	}
	now := readyOf(pods)
	added, gone := without(now, w.ready), without(w.ready, now)
	if len(added) > 0 || len(gone) > 0 {
		w.ready = now
		close(w.changed)
		w.changed = make(chan struct{})
	}
	w.mu.Unlock()
	if w.Changed != nil && (len(added) > 0 || len(gone) > 0) {
		w.Changed(added, gone, len(now))
	}
}

// without returns the pods of a that are not in b.
func without(a, b []Pod) []Pod {
	return slices.DeleteFunc(slices.Clone(a), func(pod Pod) bool { return slices.Contains(b, pod) })
}

// Ready returns the pods that are ready, waiting for one up to the watcher's patience.
func (w *Watcher) Ready(ctx context.Context) ([]Pod, error) {
	timeout := time.NewTimer(w.Patience)
	defer timeout.Stop()
	for {
		w.mu.Lock()
		ready, changed := w.ready, w.changed
		w.mu.Unlock()
		if len(ready) > 0 {
			return ready, nil
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return nil, context.Cause(ctx)
		case <-timeout.C:
			return nil, w.none(ctx)
		}
	}
}

// none says why no pod is ready.
func (w *Watcher) none(ctx context.Context) error {
	err := w.release.explain(ctx)
	var none *NoPodError
	if !errors.As(err, &none) {
		return &NoPodError{Namespace: w.release.Namespace, Release: w.release.Name, Installed: true, State: "the cluster cannot be asked why"}
	}
	return err
}
