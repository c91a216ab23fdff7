package runs

import (
	"time"

	"github.com/spf13/cobra"

	"github.com/kubectl-summarizer/kubectl-summarizer/internal/cli/factory"
	"github.com/kubectl-summarizer/kubectl-summarizer/internal/failure"
	"github.com/kubectl-summarizer/kubectl-summarizer/internal/runs"
	"github.com/kubectl-summarizer/kubectl-summarizer/internal/runview"
)

const longFollow = `Follow runs to their end, from any machine: progress, losses, and what they came to.

Ctrl-C ends only the following (exit code 130). The exit code is 4 when a run failed,
was stopped, or cannot go on without help.`

func newFollow(f *factory.Factory) *cobra.Command {
	var timeout time.Duration
	cmd := &cobra.Command{
		Use:   "follow NAME...",
		Short: "Follow runs to their end",
		Long:  longFollow,
		Args:  cobra.MinimumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if timeout < 0 {
				return failure.Usagef("--timeout must not be negative")
			}
			return with(f, func(o *runs.Observer) error {
				follower := &runview.Follower{Observer: o, Out: f.Streams.Out, ErrOut: f.Streams.ErrOut, Now: f.Now, Timeout: timeout}
				return follower.Follow(cmd.Context(), args)
			})
		},
	}
	cmd.Flags().DurationVar(&timeout, "timeout", 0, "how long to follow; the runs go on when the time is over. 0 follows to the end")
	return cmd
}
