// Package runs is the `runs` verb: it lists, shows, follows, stops and deletes training runs.
package runs

import (
	"context"
	"errors"

	"github.com/spf13/cobra"

	"github.com/kubectl-summarizer/kubectl-summarizer/internal/cli/factory"
	"github.com/kubectl-summarizer/kubectl-summarizer/internal/cluster"
	"github.com/kubectl-summarizer/kubectl-summarizer/internal/failure"
	"github.com/kubectl-summarizer/kubectl-summarizer/internal/product"
	"github.com/kubectl-summarizer/kubectl-summarizer/internal/runs"
)

const long = `List training runs, and look after them. Without a subcommand they are listed.

Everything that is shown comes from the runs' own objects in the cluster: their
records, Jobs and pods. A run can be followed and stopped from any machine.`

// NewCmd returns the runs command with its subcommands.
func NewCmd(f *factory.Factory) *cobra.Command {
	list := newList(f)
	cmd := &cobra.Command{
		Use:     "runs",
		Aliases: []string{"run"},
		Short:   "List, show, follow, stop and delete training runs",
		Long:    long,
		Example: `  ` + product.Command + ` runs
  ` + product.Command + ` runs show support-mistral-7b
  ` + product.Command + ` runs follow support-mistral-7b`,
		Args: func(cmd *cobra.Command, args []string) error {
			if len(args) == 0 {
				return nil
			}
			return failure.New(failure.Usage, errors.New(`unknown command "`+args[0]+`" for "`+cmd.CommandPath()+`"`),
				"a run is shown by: "+cmd.CommandPath()+" show "+args[0]+"\nsee: "+cmd.CommandPath()+" --help")
		},
		RunE: list.RunE,
	}
	cmd.Flags().AddFlagSet(list.Flags())
	cmd.AddCommand(list, newShow(f), newFollow(f), newLogs(f), newStop(f), newDelete(f))
	return cmd
}

// with connects to the cluster, and explains what goes wrong there.
func with(f *factory.Factory, do func(*runs.Observer) error) error {
	observer, err := f.Runs(nil, nil)
	if err != nil {
		return err
	}
	return cluster.ExplainFor(f.Target(), do(observer))
}

// find looks at a run, or says which there are.
func find(ctx context.Context, o *runs.Observer, name string) (*runs.Run, error) {
	run, err := o.Look(ctx, name)
	if errors.Is(err, runs.ErrNotFound) {
		return nil, o.Missing(ctx, name)
	}
	return run, err
}
