package cluster

import (
	"context"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/watch"
)

const (
	// lookEvery bounds how old events and log lines on the screen can be; changes of pods
	// and of the Deployment are watched and shown at once.
	lookEvery = 2 * time.Second
	// patience is how long the API server may be away: a control plane that is resized for its
	// first GPU node is, and so is a laptop that slept.
	patience = 2 * time.Minute
	// rewatch is the pause before a broken watch is opened again.
	rewatch = time.Second
)

// Follow looks at the release until it is healthy, cannot become so without help, is scaled
// to nothing or gone, and calls show after every look. Pods that the cluster refuses it has
// tried again. It returns the last view; a cancelled or expired context is an error, as is an
// API server that stays away. A failed release is none: the view says it.
func (o *Observer) Follow(ctx context.Context, show func(*View)) (*View, error) {
	watching, stop := context.WithCancel(ctx)
	defer stop()
	changes := o.changes(watching)
	ticker := time.NewTicker(lookEvery)
	defer ticker.Stop()
	var refused refusal
	var answered time.Time
	var seen *View
	for {
		view, err := o.Look(ctx)
		switch {
		case ctx.Err() != nil:
			return seen, context.Cause(ctx)
		case err == nil:
			seen, answered = view, time.Now()
			shown, over := refused.note(ctx, o, view)
			show(shown)
			if over || view.Healthy || view.Failed() || view.Idle() || view.Deployment == "" {
				return view, nil
			}
		case !passing(err) || answered.IsZero() || time.Since(answered) > patience:
			return seen, err
		}
		select {
		case <-ctx.Done():
			return seen, context.Cause(ctx)
		case <-changes:
		case <-ticker.C:
		}
	}
}

// passing says whether an error of the API server may be gone at the next look.
func passing(err error) bool {
	return !apierrors.IsForbidden(err) && !apierrors.IsUnauthorized(err)
}

// changes sends a signal whenever a pod or the Deployment of the release changes.
func (o *Observer) changes(ctx context.Context) <-chan struct{} {
	signal := make(chan struct{}, 1)
	options := metav1.ListOptions{LabelSelector: Selector(o.Release)}
	go Relay(ctx, signal, func() (watch.Interface, error) {
		return o.Client.CoreV1().Pods(o.Namespace).Watch(ctx, options)
	})
	go Relay(ctx, signal, func() (watch.Interface, error) {
		return o.Client.AppsV1().Deployments(o.Namespace).Watch(ctx, options)
	})
	return signal
}

// Relay keeps a watch open until ctx ends, and signals each change that it sees. Without the
// right to watch it does nothing but try again: the caller looks from time to time anyway.
func Relay(ctx context.Context, signal chan<- struct{}, open func() (watch.Interface, error)) {
	for ctx.Err() == nil {
		if w, err := open(); err == nil {
			stop := context.AfterFunc(ctx, w.Stop)
			for range w.ResultChan() {
				select {
				case signal <- struct{}{}:
				default:
				}
			}
			stop()
			w.Stop()
		}
		select {
		case <-ctx.Done():
		case <-time.After(rewatch):
		}
	}
}
