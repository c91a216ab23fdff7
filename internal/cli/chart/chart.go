// Package chart is the `chart` verb.
package chart

import (
	"context"
	"fmt"
	"io/fs"
	"path/filepath"

	"github.com/spf13/cobra"

	"github.com/kubectl-summarizer/kubectl-summarizer/charts"
	"github.com/kubectl-summarizer/kubectl-summarizer/internal/cli/chartflags"
	"github.com/kubectl-summarizer/kubectl-summarizer/internal/cli/factory"
	"github.com/kubectl-summarizer/kubectl-summarizer/internal/failure"
	"github.com/kubectl-summarizer/kubectl-summarizer/internal/product"
	"github.com/kubectl-summarizer/kubectl-summarizer/pkg/render"
)

const long = `Write the Helm chart, and the values that the flags make, into a directory.

For GitOps, for a cluster where only helm is allowed, or to change the chart. What
the flags change goes into ` + render.PlanFile + `, each value with what it means;
the directory then installs with plain helm. Needs no cluster and reads no kubeconfig.

What the chart would refuse is refused before anything is written.`

const example = `  # The chart for two GPUs, and how to install it
  kubectl summarizer chart ./summarizer --gpus 2
  helm install summarizer ./summarizer -n ml -f ./summarizer/` + render.PlanFile + `

  # With a newer plugin, over what an older one wrote
  kubectl summarizer chart ./summarizer -f ./summarizer/` + render.PlanFile + ` --force`

type options struct {
	values    chartflags.Flags
	dir       string
	namespace string
	force     bool
}

// NewCmd returns the chart command.
func NewCmd(f *factory.Factory) *cobra.Command {
	o := &options{}
	cmd := &cobra.Command{
		Use:     "chart DIR",
		Short:   "Write the chart and its values into a directory, for helm",
		Long:    long,
		Example: example,
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := o.complete(f, args[0]); err != nil {
				return err
			}
			return o.run(cmd.Context(), f)
		},
	}
	flags := cmd.Flags()
	o.values.AddTo(flags)
	flags.BoolVar(&o.force, "force", false, "write into a directory that holds something, over files of the same names")
	return cmd
}

func (o *options) complete(f *factory.Factory, dir string) error {
	if dir == "" {
		return failure.Usagef("the name of the directory is empty")
	}
	o.dir = filepath.Clean(dir)
	// Only the flag counts, as with render.
	o.namespace = "default"
	if given := f.Config.Namespace; given != nil && *given != "" {
		o.namespace = *given
	}
	return nil
}

func (o *options) run(ctx context.Context, f *factory.Factory) error {
	chart, err := fs.Sub(charts.FS, charts.Name)
	if err != nil {
		return err
	}
	values, err := o.values.Values(chart, f.Streams.In, f.Streams.ErrOut)
	if err != nil {
		return err
	}
	result, err := render.Render(ctx, chart, render.Options{Release: product.DefaultRelease, Namespace: o.namespace, Values: values})
	if err != nil {
		return chartflags.Explain(err)
	}
	files, err := render.Export(chart, values)
	if err != nil {
		return err
	}
	if !o.force {
		if err := checkEmpty(o.dir); err != nil {
			return err
		}
	}
	if err := write(f.Streams.Out, o.dir, files); err != nil {
		return err
	}
	for _, warning := range result.Warnings {
		fmt.Fprintf(f.Streams.ErrOut, "warning: %s\n", warning)
	}
	if err := noteForeign(f.Streams.ErrOut, o.dir, files); err != nil {
		return err
	}
	dir := o.dir
	if !filepath.IsAbs(dir) {
		dir = "." + string(filepath.Separator) + dir // without it helm may take a name for a chart of a repository
	}
	fmt.Fprintf(f.Streams.ErrOut, "install it: helm install %s %s -n %s -f %s\n",
		product.DefaultRelease, factory.Quote(dir), o.namespace, factory.Quote(dir+string(filepath.Separator)+render.PlanFile))
	return nil
}
