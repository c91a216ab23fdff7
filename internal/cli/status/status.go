// Package status is the `status` verb: one look at a release.
package status

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/kubectl-summarizer/kubectl-summarizer/charts"
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
			err := o.complete(args)
			if err == nil {
				err = o.run(cmd.Context())
			}
			return cluster.ExplainFor(f.Target(), err)
		},
	}
	cmd.Flags().StringVarP(&o.output, "output", "o", "text", "text, json or yaml")
	return cmd
}

func (o *options) complete(args []string) error {
	if err := failure.OneOf("output format", o.output, "text", "json", "yaml"); err != nil {
		return err
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
	switch o.output {
	case "json":
		print = r.json
	case "yaml":
		print = r.yaml
	}
	if err := print(o.f.Streams.Out); err != nil {
		return err
	}
	if !r.Healthy {
		return failure.New(failure.Unhealthy, errors.New("the release is not healthy: "+r.Summary), r.next)
	}
	return nil
}

// look puts together what Helm, the cluster and the server say.
func (o *options) look(ctx context.Context) (*report, error) {
	info, unread, err := o.installed(ctx)
	if err != nil {
		return nil, err
	}
	client, err := o.f.Clientset()
	if err != nil {
		return nil, err
	}
	observer := &cluster.Observer{Client: client, Namespace: o.namespace, Release: o.release, Target: o.f.Target()}
	view, err := observer.Look(ctx)
	if err != nil {
		return nil, err
	}
	if unread != nil {
		if view.Deployment == "" && len(view.Pods) == 0 {
			return nil, o.unseen(ctx)
		}
		fmt.Fprintf(o.f.Streams.ErrOut, "warning: Helm's record cannot be read, so only what runs is shown: %v\n", cluster.Explain(unread))
	}
	if view.Available == 0 {
		return o.report(info, view, nil), nil
	}
	said := o.ask(ctx)
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	if said.silent() && view.Healthy {
		// It may have been going when it was asked: then that is what there is to say.
		if view, err = observer.Look(ctx); err != nil {
			return nil, err
		}
	}
	r := o.report(info, view, said)
	r.KVCache = o.findKVCache(ctx, observer, info, view)
	return r, nil
}

// report makes one of what was found; info is nil when Helm's record may not be read, said
// when the server was not asked.
func (o *options) report(info *release.Info, view *cluster.View, said *served) *report {
	r := &report{
		Release: o.release, Namespace: o.namespace, Chart: chartOf(view),
		Healthy:    view.Healthy,
		Deployment: view.Deployment, Desired: view.Desired, UpToDate: view.Updated, Available: view.Available,
		Blocked: view.Blocked, Served: said, Pods: view.Pods, now: o.f.Now(),
	}
	record := deployed
	if info != nil {
		record, r.Revision, r.Updated, r.Chart = info.Status, info.Revision, info.Updated, info.Chart+" "+info.ChartVersion
	}
	r.Summary = summary(view, record)
	install := fmt.Sprintf("%s install %s -n %s%s", product.Command, o.release, o.namespace, o.f.Target())
	switch {
	case view.Healthy && record != deployed:
		r.Healthy, r.next = false, install
		r.Summary = "the last install did not end well (" + record + "), an earlier one serves: run install again"
	case view.Healthy && said != nil && said.silent():
		r.Healthy, r.Summary = false, "the pods are ready, but the server does not answer"
		r.next = fmt.Sprintf("see its log: kubectl logs -n %s -l %s -c %s --tail 50%s", o.namespace, cluster.Selector(o.release), cluster.ServerContainer, o.f.Target())
	case view.Deployment == "" && info != nil && overNodes(info.Values):
		r.Summary = "its replicas go over several nodes, which status cannot follow yet"
		r.next = fmt.Sprintf("see them: kubectl get leaderworkersets,pods -n %s -l app.kubernetes.io/instance=%s%s", o.namespace, o.release, o.f.Target())
	case view.Deployment == "":
		r.next = install
	}
	return r
}

// overNodes says whether a LeaderWorkerSet stands in the Deployment's place.
func overNodes(values map[string]any) bool {
	gpu, _ := values["gpu"].(map[string]any)
	return gpu["nodes"] != nil && fmt.Sprint(gpu["nodes"]) != "1"
}

// deployed is Helm's word for a release that was installed whole.
const deployed = "deployed"

// chartOf reads chart and version from the Deployment's label, which Helm's charts write as
// one word.
func chartOf(view *cluster.View) string {
	if version, found := strings.CutPrefix(view.Chart, charts.Name+"-"); found {
		return charts.Name + " " + version
	}
	return view.Chart
}

// summary says in one line how the release is.
func summary(v *cluster.View, record string) string {
	switch pod := v.Furthest(); {
	case v.Healthy:
		return fmt.Sprintf("healthy: %d of %d replicas available", v.Available, v.Desired)
	case v.Deployment == "" && record != deployed:
		return "not installed whole (" + record + "): run install again"
	case v.Deployment == "":
		return "its Deployment is gone: run install again"
	case v.Desired == 0:
		return "scaled to 0 replicas"
	case v.Blocked != "":
		return "the cluster refuses its pods: " + v.Blocked
	case pod == nil && v.Stopping():
		return fmt.Sprintf("%s: %d of %d replicas available", cluster.Stopping, v.Available, v.Desired)
	case pod == nil:
		return "no pod yet"
	default:
		return fmt.Sprintf("%s: %d of %d replicas available", pod.Phase, v.Available, v.Desired)
	}
}
