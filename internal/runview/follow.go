package runview

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"sync"
	"time"

	"github.com/kubectl-summarizer/kubectl-summarizer/internal/failure"
	"github.com/kubectl-summarizer/kubectl-summarizer/internal/product"
	"github.com/kubectl-summarizer/kubectl-summarizer/internal/runs"
	"github.com/kubectl-summarizer/kubectl-summarizer/internal/ui"
)

const (
	// barWidth is what a bar takes of the status line, and shortBar of a line of many runs.
	barWidth, shortBar = 22, 12
	// curveRows is the height of the loss curve, without its axis.
	curveRows = 7
	// heartbeat is how often a log that is not a terminal hears of each of several runs.
	heartbeat = 30 * time.Second
	// settle is the pause between two changes of the status line: an old log is read in a moment,
	// and what passed in it is not what happens now.
	settle = 200 * time.Millisecond
)

// Follower shows runs until they are over.
type Follower struct {
	Observer    *runs.Observer
	Out, ErrOut io.Writer
	Now         func() time.Time
	// Timeout ends the wait and not the runs; 0 waits for as long as it takes.
	Timeout time.Duration
}

// Follow shows the runs, then what they came to, and returns an error for those that did not
// end well (exit code 4). Ctrl-C ends only the following.
func (f *Follower) Follow(ctx context.Context, names []string) error {
	if f.Timeout > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeoutCause(ctx, f.Timeout, context.DeadlineExceeded)
		defer cancel()
	}
	ended, err := f.show(ctx, names)
	switch {
	case err != nil && errors.Is(ctx.Err(), context.DeadlineExceeded):
		return failure.New(failure.Timeout, fmt.Errorf("not over after %s; it goes on in the cluster", ui.Duration(f.Timeout)), f.commands("follow it again", "runs follow", names))
	case err != nil && ctx.Err() != nil:
		// Whoever presses Ctrl-C knows it: this is no error to be told of.
		fmt.Fprintf(f.ErrOut, "detached; the run goes on. %s\n", f.commands("Follow it again", "runs follow", names))
		return failure.New(failure.Interrupted, errors.New(""), "")
	case err != nil:
		return err
	}
	return f.end(ended)
}

// show follows each run, and returns them as they ended, in the order of their names.
func (f *Follower) show(ctx context.Context, names []string) ([]*runs.Run, error) {
	s := newScreen(f, names)
	defer s.close()
	ended, errs := make([]*runs.Run, len(names)), make([]error, len(names))
	var all sync.WaitGroup
	for i, name := range names {
		all.Go(func() {
			ended[i], errs[i] = f.Observer.Follow(ctx, name, func(u runs.Update) { s.take(i, u) })
			if errors.Is(errs[i], runs.ErrNotFound) {
				errs[i] = f.Observer.Missing(ctx, name)
			}
			s.over(i)
		})
	}
	all.Wait()
	for _, err := range errs {
		if err != nil {
			return ended, err
		}
	}
	return ended, nil
}

// commands writes one command a run, to be typed.
func (f *Follower) commands(what, verb string, names []string) string {
	var lines []string
	for _, name := range names {
		lines = append(lines, fmt.Sprintf("%s: %s %s %s%s", what, product.Command, verb, name, f.in()))
	}
	return strings.Join(lines, "\n")
}

// in ends every command that is printed, so that it means this very cluster and namespace.
func (f *Follower) in() string { return " -n " + f.Observer.Namespace + f.Observer.Target }
