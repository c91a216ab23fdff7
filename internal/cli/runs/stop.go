package runs

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/kubectl-summarizer/kubectl-summarizer/internal/cli/factory"
	"github.com/kubectl-summarizer/kubectl-summarizer/internal/failure"
	"github.com/kubectl-summarizer/kubectl-summarizer/internal/product"
	"github.com/kubectl-summarizer/kubectl-summarizer/internal/runs"
	"github.com/kubectl-summarizer/kubectl-summarizer/internal/ui"
)

const longStop = `Stop a run: its program writes a checkpoint and its pods end, so that their GPUs are free.

` + "`train --resume NAME`" + ` goes on from there. The volume stays.`

func newStop(f *factory.Factory) *cobra.Command {
	var timeout time.Duration
	cmd := &cobra.Command{
		Use:   "stop NAME",
		Short: "Stop a run after a checkpoint, so that it can go on later",
		Long:  longStop,
		Args:  cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return with(f, func(o *runs.Observer) error { return stop(cmd.Context(), f, o, args[0], timeout) })
		},
	}
	cmd.Flags().DurationVar(&timeout, "timeout", 5*time.Minute, "how long to wait until its pods have ended")
	return cmd
}

func stop(ctx context.Context, f *factory.Factory, o *runs.Observer, name string, timeout time.Duration) error {
	if timeout <= 0 {
		return failure.Usagef("--timeout must be more than 0")
	}
	run, err := find(ctx, o, name)
	switch {
	case err != nil:
		return err
	case run.State == runs.Stopped:
		fmt.Fprintf(f.Streams.Out, "run/%s is stopped already\n", name)
		return nil
	case run.State.Over():
		return failure.Refusedf("", "run %s is over: it is %s", name, strings.ToLower(string(run.State)))
	}
	if err := o.Stop(ctx, run, f.Now()); err != nil {
		return err
	}
	waiting, cancel := context.WithTimeoutCause(ctx, timeout, context.DeadlineExceeded)
	defer cancel()
	live := ui.NewLive(f.Streams.ErrOut, f.Now)
	run, err = o.AwaitStop(waiting, name, func(r *runs.Run) {
		detail := ""
		if done, total := r.Steps(); total > 0 {
			detail = fmt.Sprintf("step %d of %d", done, total)
		}
		live.Set("waiting until the checkpoint is written and the pod has ended", detail)
	})
	live.Close()
	resume := fmt.Sprintf("go on with it: %s train --resume %s -n %s%s", product.Command, name, o.Namespace, o.Target)
	if err != nil {
		if ctx.Err() == nil && waiting.Err() != nil {
			return failure.New(failure.Timeout, fmt.Errorf("run %s is told to stop, and its pods have not ended after %s", name, ui.Duration(timeout)), resume)
		}
		return err
	}
	if run.State == runs.Succeeded || run.State == runs.Failed {
		fmt.Fprintf(f.Streams.Out, "run/%s ended before it could be stopped: %s\n", name, strings.ToLower(string(run.State)))
		return nil
	}
	fmt.Fprintf(f.Streams.Out, "run/%s stopped\n", name)
	fmt.Fprintln(f.Streams.ErrOut, resume)
	return nil
}
