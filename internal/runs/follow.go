package runs

import (
	"context"
	"errors"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/watch"

	"github.com/kubectl-summarizer/kubectl-summarizer/internal/cluster"
	"github.com/kubectl-summarizer/kubectl-summarizer/pkg/train"
)

const (
	// lookEvery bounds how old what only polling sees may be; changes of pods, Jobs and the record
	// are watched.
	lookEvery = 2 * time.Second
	// patience is how long the API server may be away: a control plane that is resized is, and so
	// is a laptop that slept.
	patience = 5 * time.Minute
	// draining is how long the log of a run that is over may take to be read to its end.
	draining = 5 * time.Second
)

// Update is news of a run: of its state, and of one event or one line when its program said
// something.
type Update struct {
	Run *Run
	// Pod is who said something, "" for a look.
	Pod string
	// Event is what its program said, nil for a line of the log that is no event.
	Event *train.Event
	// Line is the line as it was written.
	Line string
	// Away is why the cluster does not answer, nil when it does.
	Away error
}

// Follow looks at a run until it is over or cannot go on without help, and hands over
// everything that happens, in order, from one goroutine. A run that is stuck or that failed is
// no error: it says so itself. An ended ctx is one, and so is an API server that stays away.
func (o *Observer) Follow(ctx context.Context, name string, hear func(Update)) (*Run, error) {
	f := o.newFollower(name, hear)
	f.look = func(ctx context.Context) (*Run, error) { return o.Look(ctx, name) }
	return f.run(ctx)
}

func (o *Observer) newFollower(name string, hear func(Update)) *follower {
	return &follower{Observer: o, name: name, hear: hear, said: make(chan spoken), read: map[string]bool{}}
}

// spoken is a line of a pod's log, or the end of it.
type spoken struct {
	pod, line string
	ended     bool
}

type follower struct {
	*Observer
	name string
	look func(context.Context) (*Run, error)
	hear func(Update)
	said chan spoken
	seen *Run
	// read are the pods whose logs are read, or have been.
	read map[string]bool
	// open is the pod whose log is read now, "" for none; close ends that, and late is when it is
	// to be ended because another pod has taken its place.
	open  string
	close context.CancelFunc
	late  time.Time
}

func (f *follower) run(ctx context.Context) (*Run, error) {
	reading, stop := context.WithCancel(ctx)
	defer stop()
	changes := f.changes(reading)
	ticker := time.NewTicker(lookEvery)
	defer ticker.Stop()
	var answered time.Time
	for {
		run, err := f.look(ctx)
		switch {
		case ctx.Err() != nil:
			return f.seen, context.Cause(ctx)
		case err == nil:
			f.seen, answered = run, time.Now()
			f.listen(reading)
			f.hear(Update{Run: run})
			if run.State.Over() || run.Stuck {
				return f.drain(ctx, reading)
			}
		case answered.IsZero(), !passing(err), time.Since(answered) > patience:
			return f.seen, err
		default:
			f.hear(Update{Run: f.seen, Away: err})
		}
		if err := f.wait(ctx, reading, changes, ticker.C); err != nil {
			return f.seen, err
		}
	}
}

// passing says whether an error of the API server may be gone at the next look.
func passing(err error) bool {
	return !apierrors.IsForbidden(err) && !apierrors.IsUnauthorized(err) && !errors.Is(err, ErrNotFound)
}

// wait hands over what the pods say until it is time to look again.
func (f *follower) wait(ctx, reading context.Context, changes <-chan struct{}, tick <-chan time.Time) error {
	for {
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case s := <-f.said:
			f.tell(reading, s)
		case <-changes:
			return nil
		case <-tick:
			return nil
		}
	}
}

// listen reads the logs of the pods, one after the other in the order in which they began: what
// a pod said before it was replaced must not come after what the next one says.
func (f *follower) listen(ctx context.Context) {
	next := f.unread()
	switch {
	case next == nil:
		return
	case f.open == "":
	case f.late.IsZero():
		f.late = time.Now().Add(draining)
		return
	case time.Now().Before(f.late):
		return
	default:
		// The log of a pod on a node that is gone has no end.
		f.close()
	}
	f.read[next.Name], f.open, f.late = true, next.Name, time.Time{}
	ctx, f.close = context.WithCancel(ctx)
	t := &tail{client: f.Client, namespace: f.Namespace, pod: next.Name, container: next.container}
	go func() {
		send := func(s spoken) {
			select {
			case f.said <- s:
			case <-ctx.Done():
			}
		}
		// Whoever may not read logs still has the record: the state is told either way.
		_ = t.run(ctx, func(line string) { send(spoken{pod: t.pod, line: line}) })
		send(spoken{pod: t.pod, ended: true})
	}()
}

// unread is the oldest pod that has a log and is not read yet.
func (f *follower) unread() *Pod {
	for i := len(f.seen.Pods) - 1; i >= 0; i-- {
		p := &f.seen.Pods[i]
		begun := p.Over || p.Phase == cluster.Running || p.Phase == cluster.Ended || p.Phase == cluster.Stopping
		if begun && p.first && !f.read[p.Name] {
			return p
		}
	}
	return nil
}

func (f *follower) tell(ctx context.Context, s spoken) {
	if s.pod != f.open {
		return // of a log that was left
	}
	if s.ended {
		f.close()
		f.open = ""
		f.listen(ctx)
		return
	}
	update := Update{Run: f.seen, Pod: s.pod, Line: s.line}
	if event, ok := train.ParseEvent([]byte(s.line)); ok {
		update.Event = &event
	}
	f.hear(update)
}

// drain reads to their end the logs of a run that is over.
func (f *follower) drain(ctx, reading context.Context) (*Run, error) {
	if f.seen.Stuck {
		return f.seen, nil
	}
	limit := time.NewTimer(draining)
	defer limit.Stop()
	for f.open != "" {
		select {
		case <-ctx.Done():
			return f.seen, nil
		case <-limit.C:
			return f.seen, nil
		case s := <-f.said:
			f.tell(reading, s)
		}
	}
	return f.seen, nil
}

// changes sends a signal whenever something of the run changes.
func (f *follower) changes(ctx context.Context) <-chan struct{} {
	signal := make(chan struct{}, 1)
	options := metav1.ListOptions{LabelSelector: train.Selector(f.name)}
	for _, open := range []func() (watch.Interface, error){
		func() (watch.Interface, error) { return f.Client.CoreV1().Pods(f.Namespace).Watch(ctx, options) },
		func() (watch.Interface, error) { return f.Client.BatchV1().Jobs(f.Namespace).Watch(ctx, options) },
	} {
		go cluster.Relay(ctx, signal, open)
	}
	return signal
}
