package install

import (
	"context"
	"errors"
	"fmt"
	"io/fs"

	"k8s.io/client-go/discovery"

	"github.com/kubectl-summarizer/kubectl-summarizer/charts"
	"github.com/kubectl-summarizer/kubectl-summarizer/internal/cluster"
	"github.com/kubectl-summarizer/kubectl-summarizer/internal/failure"
	"github.com/kubectl-summarizer/kubectl-summarizer/internal/planning"
	"github.com/kubectl-summarizer/kubectl-summarizer/internal/product"
	"github.com/kubectl-summarizer/kubectl-summarizer/internal/release"
	"github.com/kubectl-summarizer/kubectl-summarizer/internal/rollout"
	"github.com/kubectl-summarizer/kubectl-summarizer/pkg/render"
)

// run is the whole story: values, render, checks, apply, wait, what to do with it.
func (o *options) run(ctx context.Context) error {
	chart, err := fs.Sub(charts.FS, charts.Name)
	if err != nil {
		return err
	}
	releases := release.New(o.f.Config, o.namespace, o.f.Now)
	releases.Target = o.f.Target()
	spec, err := o.spec(ctx, chart, releases)
	if err != nil {
		return err
	}
	if err := o.plan(ctx, chart, spec); err != nil {
		return err
	}
	if o.dryRun == "client" {
		_, err := o.f.Streams.Out.Write(spec.Rendered.Manifests)
		return err
	}
	observer, err := o.observer()
	if err != nil {
		return err
	}
	if err := o.steps.During("checking with the cluster", func() error { return o.check(ctx, observer, releases, spec) }); err != nil {
		return err
	}
	if o.dryRun == "server" {
		return o.printDryRun(spec)
	}
	if err := o.steps.During("applying", func() error { return o.apply(ctx, observer, releases, spec) }); err != nil {
		return err
	}
	return o.follow(ctx, observer)
}

// spec renders the release as it shall be. The values of the last install are the weakest,
// so that an upgrade changes what it names and nothing else.
func (o *options) spec(ctx context.Context, chart fs.FS, releases *release.Client) (*release.Spec, error) {
	version := render.DefaultKubeVersion // as render does
	if o.dryRun != "client" {
		err := o.steps.During("looking at the cluster", func() (err error) {
			version, err = o.look(ctx, releases)
			return err
		})
		if err != nil {
			return nil, err
		}
	}
	values, err := o.values.Values(chart, o.f.Streams.In, o.f.Streams.ErrOut)
	if err != nil {
		return nil, err
	}
	if elsewhere, _ := values["namespaceOverride"].(string); elsewhere != "" && elsewhere != o.namespace {
		return nil, failure.Refusedf(fmt.Sprintf("install into that namespace: -n %s --set namespaceOverride=", elsewhere),
			"namespaceOverride is %q: this program looks for a release's objects in its own namespace, %q", elsewhere, o.namespace)
	}
	rendered, err := render.Render(ctx, chart, render.Options{
		Release: o.release, Namespace: o.namespace, Values: values, KubeVersion: version,
	})
	if err != nil {
		return nil, o.values.Explain(err)
	}
	for _, warning := range rendered.Warnings {
		o.steps.Warn(warning)
	}
	return &release.Spec{
		Name: o.release, Chart: chart, Values: values, Rendered: rendered, KubeVersion: version,
		Notify: func(message string) { o.steps.Say("%s", message) },
	}, nil
}

// plan refuses what cannot fit its GPU, before one is paid for.
func (o *options) plan(ctx context.Context, chart fs.FS, spec *release.Spec) error {
	if gpu, _ := spec.Values["gpu"].(map[string]any); o.wait && o.dryRun == "none" && gpu["nodes"] != nil && fmt.Sprint(gpu["nodes"]) != "1" {
		return failure.Refusedf("install without the wait: --wait=false", "a replica over %v nodes is a LeaderWorkerSet, whose pods install cannot wait for yet", gpu["nodes"])
	}
	told, err := planning.Check(ctx, chart, spec.Values, o.release, "--force")
	switch {
	case err != nil && o.force:
		o.steps.Warn("--force: " + err.Error())
		return nil
	case err != nil:
		return err
	case told.Warning:
		o.steps.Warn(told.Text)
	case told.Text != "":
		o.steps.Say("plan: %s", told.Text)
	}
	return nil
}

// look asks the cluster for its version and for the release's last install, whose values it
// lays below what is given.
func (o *options) look(ctx context.Context, releases *release.Client) (string, error) {
	last, err := releases.Last(ctx, o.release)
	switch {
	case err == nil && !o.resetValues:
		o.values.Over(last.Values)
	case err != nil && !errors.Is(err, release.ErrNotFound):
		return "", err
	}
	client, err := o.f.Clientset()
	if err != nil {
		return "", err
	}
	info, err := discovery.ToServerVersionInterfaceWithContext(client.Discovery()).ServerVersionWithContext(ctx)
	if err != nil {
		return "", err
	}
	return info.GitVersion, nil
}

func (o *options) observer() (*cluster.Observer, error) {
	client, err := o.f.Clientset()
	if err != nil {
		return nil, err
	}
	return &cluster.Observer{Client: client, Namespace: o.namespace, Release: o.release, Target: o.f.Target()}, nil
}

// apply gives the release to the cluster.
func (o *options) apply(ctx context.Context, observer *cluster.Observer, releases *release.Client, spec *release.Spec) error {
	info, err := rollout.Apply(ctx, observer, releases, spec, o.steps)
	if err != nil {
		return err
	}
	verb := "installed"
	if info.Revision > 1 {
		verb = "upgraded"
	}
	o.steps.Say("release %s %s in namespace %s, revision %d", o.release, verb, o.namespace, info.Revision)
	return nil
}

func (o *options) printDryRun(spec *release.Spec) error {
	objects, err := spec.Rendered.Objects()
	if err != nil {
		return err
	}
	for _, object := range objects {
		fmt.Fprintf(o.f.Streams.Out, "%s/%s (server dry run)\n", object.GroupVersionKind().GroupKind(), object.GetName())
	}
	if o.checked {
		fmt.Fprintln(o.f.Streams.ErrOut, "every check passed")
	}
	fmt.Fprintln(o.f.Streams.ErrOut, "nothing was changed")
	return nil
}

// printNext ends an installation with what people do next, ready to be pasted.
func (o *options) printNext() {
	fmt.Fprintf(o.f.Streams.ErrOut, "\n%s is ready. Try:\n", o.release)
	fmt.Fprintf(o.f.Streams.Out, "  %[1]s query --release %[2]s%[3]s \"Amanda: I baked cookies. Jerry: Sure!\"\n"+
		"  %[1]s status %[2]s%[3]s\n"+
		"  %[1]s port-forward %[2]s%[3]s\n", product.Command, o.release, o.namespaceFlag())
}
