// Package render is the `render` verb.
package render

import (
	"context"
	"fmt"
	"io/fs"
	"runtime/debug"
	"strings"

	"github.com/spf13/cobra"

	"github.com/kubectl-summarizer/kubectl-summarizer/charts"
	"github.com/kubectl-summarizer/kubectl-summarizer/internal/cli/chartflags"
	"github.com/kubectl-summarizer/kubectl-summarizer/internal/cli/factory"
	"github.com/kubectl-summarizer/kubectl-summarizer/internal/failure"
	"github.com/kubectl-summarizer/kubectl-summarizer/internal/product"
	"github.com/kubectl-summarizer/kubectl-summarizer/pkg/explain"
	"github.com/kubectl-summarizer/kubectl-summarizer/pkg/render"
)

const long = `Print the manifests that install would apply, byte for byte.

Needs no cluster and reads no kubeconfig: without -n the namespace is "default",
whatever the current context says. Give install the same -n, and for a cluster
older than Kubernetes 1.30 give render its version with --kube-version.

For a release that exists, install lays what it is given over the values of the
last install. render sees no release: give it those values too, as below, or
give install --reset-values.`

const example = `  # What install would apply with two GPUs
  kubectl summarizer render --gpus 2

  # Every field with what it is and why it has its value
  kubectl summarizer render --explain | less

  # One file for each object, for a GitOps repository
  kubectl summarizer render team-a -n ml -f values.yaml --output-dir deploy/team-a

  # What install --replicas 2 would make of a release that exists
  helm get values team-a -n ml -o yaml | kubectl summarizer render team-a -n ml -f - --replicas 2

  # The same through kubectl
  kubectl summarizer render -n ml | kubectl apply -n ml -f -`

type options struct {
	values       chartflags.Flags
	release      string
	namespace    string
	output       string
	outputDir    string
	includeHooks bool
	explain      bool
	kubeVersion  string
}

// NewCmd returns the render command.
func NewCmd(f *factory.Factory) *cobra.Command {
	o := &options{}
	cmd := &cobra.Command{
		Use:     "render [RELEASE]",
		Short:   "Print the manifests that install would apply",
		Long:    long,
		Example: example,
		Args:    cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			o.complete(f, args)
			if err := o.validate(); err != nil {
				return err
			}
			return o.run(cmd.Context(), f)
		},
	}
	flags := cmd.Flags()
	o.values.AddTo(flags)
	flags.StringVarP(&o.output, "output", "o", "yaml", "yaml, json (one List) or name")
	flags.StringVar(&o.outputDir, "output-dir", "", "write one YAML file for each object into this directory")
	flags.BoolVar(&o.includeHooks, "include-hooks", false, "also what Helm creates at certain moments only, such as the pod of helm test")
	flags.BoolVar(&o.explain, "explain", false, "above every field, say what it is and why it has its value; changes nothing else")
	flags.StringVar(&o.kubeVersion, "kube-version", render.DefaultKubeVersion, "Kubernetes version to render for")
	return cmd
}

func (o *options) complete(f *factory.Factory, args []string) {
	o.release = product.DefaultRelease
	if len(args) > 0 {
		o.release = args[0]
	}
	// Only the flag counts, so that the same command gives the same bytes on every machine.
	o.namespace = "default"
	if given := f.Config.Namespace; given != nil && *given != "" {
		o.namespace = *given
	}
}

func (o *options) validate() error {
	if err := failure.OneOf("output format", o.output, "yaml", "json", "name"); err != nil {
		return err
	}
	if o.outputDir != "" && o.output != "yaml" {
		return failure.Usagef("--output-dir writes YAML files: leave -o %s out", o.output)
	}
	if o.explain && o.output != "yaml" {
		return failure.Usagef("--explain writes comments, which only YAML has: leave -o %s out", o.output)
	}
	return nil
}

func (o *options) run(ctx context.Context, f *factory.Factory) error {
	// A render makes some 5 MB of garbage and ends: collecting it took a third of the time.
	defer debug.SetGCPercent(debug.SetGCPercent(-1))
	defer debug.SetMemoryLimit(debug.SetMemoryLimit(256 << 20))
	chart, err := fs.Sub(charts.FS, charts.Name)
	if err != nil {
		return err
	}
	values, err := o.values.Values(chart, f.Streams.In, f.Streams.ErrOut)
	if err != nil {
		return err
	}
	result, err := render.Render(ctx, chart, render.Options{
		Release: o.release, Namespace: o.namespace, Values: values, KubeVersion: o.kubeVersion,
	})
	if err != nil {
		return chartflags.Explain(err)
	}
	for _, warning := range result.Warnings {
		fmt.Fprintf(f.Streams.ErrOut, "warning: %s\n", warning)
	}
	if o.output != "yaml" {
		return o.printObjects(f, result)
	}
	documents, err := o.documents(result)
	if err != nil {
		return err
	}
	if o.outputDir != "" {
		return writeDir(f.Streams, o.outputDir, o.release, documents)
	}
	for _, d := range documents {
		if _, err := f.Streams.Out.Write(d.YAML()); err != nil {
			return err
		}
	}
	return nil
}

func (o *options) documents(result render.Result) ([]render.Document, error) {
	documents := result.Documents
	if o.includeHooks {
		documents = append(documents, result.HookDocuments...)
	}
	if !o.explain {
		return documents, nil
	}
	for i, d := range documents {
		body, err := explain.Manifest(d.Body, result.Values)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", d.Template, err)
		}
		documents[i].Body = body
	}
	return documents, nil
}

func (o *options) printObjects(f *factory.Factory, result render.Result) error {
	objects, err := result.Objects()
	if err != nil {
		return err
	}
	if o.includeHooks {
		hooks, err := result.HookObjects()
		if err != nil {
			return err
		}
		objects = append(objects, hooks...)
	}
	if o.output == "json" {
		return printJSON(f.Streams.Out, objects)
	}
	for _, object := range objects {
		kind := object.GroupVersionKind().GroupKind().String()
		fmt.Fprintf(f.Streams.Out, "%s/%s\n", strings.ToLower(kind), object.GetName())
	}
	return nil
}
