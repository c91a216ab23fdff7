package runs

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/kubectl-summarizer/kubectl-summarizer/internal/cli/factory"
	"github.com/kubectl-summarizer/kubectl-summarizer/internal/cluster"
	"github.com/kubectl-summarizer/kubectl-summarizer/internal/failure"
	"github.com/kubectl-summarizer/kubectl-summarizer/internal/runs"
	"github.com/kubectl-summarizer/kubectl-summarizer/pkg/train"
)

const longLogs = `Print the log of a run's newest pod: its events, one JSON object a line, and whatever
the libraries print. With -f it goes on until the pod ends, over broken connections.`

type logsOptions struct {
	prepare, follow bool
}

func newLogs(f *factory.Factory) *cobra.Command {
	o := &logsOptions{}
	cmd := &cobra.Command{
		Use:   "logs NAME",
		Short: "Print the log of a run's newest pod",
		Long:  longLogs,
		Args:  cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return with(f, func(observer *runs.Observer) error { return o.run(cmd.Context(), f, observer, args[0]) })
		},
	}
	cmd.Flags().BoolVar(&o.prepare, "prepare", false, "of the preparation; otherwise of the training, once it has begun")
	cmd.Flags().BoolVarP(&o.follow, "follow", "f", false, "go on until the pod ends")
	return cmd
}

func (o *logsOptions) run(ctx context.Context, f *factory.Factory, observer *runs.Observer, name string) error {
	run, err := find(ctx, observer, name)
	if err != nil {
		return err
	}
	for i := range run.Pods {
		pod := &run.Pods[i]
		if o.prepare && pod.Component != train.ComponentPrepare || pod.Phase == cluster.Unscheduled {
			continue
		}
		fmt.Fprintf(f.Streams.ErrOut, "pod %s (%s)\n", pod.Name, pod.Component)
		return observer.Logs(ctx, pod, o.follow, func(line string) error {
			_, err := fmt.Fprintln(f.Streams.Out, line)
			return err
		})
	}
	return failure.Failedf(fmt.Sprintf("what the run wrote is on its volume: persistentvolumeclaim/%s, runs/%s/events.jsonl", run.Claim(), name),
		"run %s has no pod that has begun; it is %s", name, run.State)
}
