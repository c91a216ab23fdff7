// Package status is the `status` verb: one look at a release.
package status

import (
	"context"
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/kubectl-summarizer/kubectl-summarizer/internal/cli/factory"
	"github.com/kubectl-summarizer/kubectl-summarizer/internal/cluster"
	"github.com/kubectl-summarizer/kubectl-summarizer/internal/failure"
	"github.com/kubectl-summarizer/kubectl-summarizer/internal/product"
	"github.com/kubectl-summarizer/kubectl-summarizer/internal/release"
)

const long = `Show how a release is: rollout, pods with their node and GPUs, the model and
adapters that the server itself says it serves, and what is wrong and what to do.

The exit code is 0 when it is healthy and 4 when it is not.`

type options struct {
	f                          *factory.Factory
	release, namespace, output string
}

// NewCmd returns the status command.
func NewCmd(f *factory.Factory) *cobra.Command {
	o := &options{f: f}
	cmd := &cobra.Command{
		Use:   "status [RELEASE]",
		Short: "Show how a release is, and what to do when it is not well",
		Long:  long,
		Args:  cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := o.complete(args); err != nil {
				return err
			}
			return o.run(cmd.Context())
		},
	}
	cmd.Flags().StringVarP(&o.output, "output", "o", "text", "text or json")
	return cmd
}

func (o *options) complete(args []string) error {
	if o.output != "text" && o.output != "json" {
		return failure.Usagef("unknown output format %q: use text or json", o.output)
	}
	o.release = product.DefaultRelease
	if len(args) > 0 {
		o.release = args[0]
	}
	var err error
	o.namespace, err = o.f.Namespace()
	return err
}

func (o *options) run(ctx context.Context) error {
	r, err := o.look(ctx)
	if err != nil {
		return err
	}
	print := r.text
	if o.output == "json" {
		print = r.json
	}
	if err := print(o.f.Streams.Out); err != nil {
		return err
	}
	if !r.Healthy {
		return failure.New(failure.Unhealthy, errors.New("the release is not healthy: "+r.Summary), "")
	}
	return nil
}

// look puts together what Helm, the cluster and the server say.
func (o *options) look(ctx context.Context) (*report, error) {
	info, err := o.installed()
	if err != nil {
		return nil, err
	}
	client, err := o.f.Clientset()
	if err != nil {
		return nil, err
	}
	observer := &cluster.Observer{Client: client, Namespace: o.namespace, Release: o.release}
	view, err := observer.Look(ctx)
	if err != nil {
		return nil, err
	}
	r := &report{
		Release: o.release, Namespace: o.namespace, Revision: info.Revision, Updated: info.Updated,
		Chart:   info.Chart + " " + info.ChartVersion,
		Healthy: view.Healthy, Summary: summary(view, info.Status),
		Deployment: view.Deployment, Desired: view.Desired, UpToDate: view.Updated, Available: view.Available,
		Blocked: view.Blocked, Pods: view.Pods, now: o.f.Now(),
	}
	if view.Available > 0 {
		r.Served = ask(ctx, o.f, o.namespace, o.release)
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		if r.Served.Error != "" && !r.Served.unasked && view.Healthy {
			r.Healthy, r.Summary = false, "the pods are ready, but the server does not answer"
		}
	}
	if view.Healthy && info.Status != "deployed" {
		r.Healthy = false
		r.Summary = "the last install did not end well (" + info.Status + "), an earlier one serves: run install again"
	}
	return r, nil
}

// installed returns the release's record, or the error that names the releases there are.
func (o *options) installed() (*release.Info, error) {
	releases := release.New(o.f.Config, o.namespace, o.f.Now)
	info, err := releases.Get(o.release)
	if !errors.Is(err, release.ErrNotFound) {
		return info, err
	}
	return nil, releases.Missing(o.release)
}

// summary says in one line how the release is.
func summary(v *cluster.View, record string) string {
	switch pod := v.Furthest(); {
	case v.Healthy:
		return fmt.Sprintf("healthy: %d of %d replicas available", v.Available, v.Desired)
	case v.Deployment == "" && record != "deployed":
		return "not installed whole (" + record + "): run install again"
	case v.Deployment == "":
		return "its Deployment is gone: run install again"
	case v.Desired == 0:
		return "scaled to 0 replicas"
	case v.Blocked != "":
		return "the cluster refuses its pods: " + v.Blocked
	case pod == nil:
		return "no pod yet"
	default:
		return fmt.Sprintf("%s: %d of %d replicas available", pod.Phase, v.Available, v.Desired)
	}
}
