package runview

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/kubectl-summarizer/kubectl-summarizer/internal/failure"
	"github.com/kubectl-summarizer/kubectl-summarizer/internal/runs"
	"github.com/kubectl-summarizer/kubectl-summarizer/internal/ui"
	"github.com/kubectl-summarizer/kubectl-summarizer/pkg/train"
)

// Tasks performs Jobs on finished runs and shows them at work.
type Tasks struct {
	Observer *runs.Observer
	ErrOut   io.Writer
	Now      func() time.Time
}

// Perform makes the Job, shows it until it ends, and returns an error when it did not end well.
// hear gets every event.
func (t *Tasks) Perform(ctx context.Context, task runs.Task, hear func(*train.Event)) error {
	live := ui.NewLive(t.ErrOut, t.Now)
	track := newTrack(task.Run, t.Now)
	bar := 0
	if ui.IsTerminal(t.ErrOut) {
		bar = barWidth
	}
	ended, err := t.Observer.Perform(ctx, task, func(what string) { live.Set("waiting until the last attempt is gone", what) }, func(u runs.Update) {
		for _, line := range track.take(u) {
			live.Printf("%s", line)
		}
		if u.Event != nil {
			hear(u.Event)
		}
		if !u.Run.State.Over() {
			live.Set(track.status(bar))
		}
	})
	live.Close()
	switch {
	case ctx.Err() != nil:
		return failure.New(failure.Interrupted, fmt.Errorf("you stopped waiting; job %s goes on in the cluster", task.Job),
			fmt.Sprintf("see it: kubectl logs -f -n %s job/%s%s", t.Observer.Namespace, task.Job, t.Observer.Target))
	case err != nil:
		return err
	case ended.State == runs.Succeeded:
		return nil
	}
	why := ended.Message
	if why == "" {
		why = ended.Reason
	}
	return failure.New(failure.Failed, errors.New(why), ended.Next)
}
