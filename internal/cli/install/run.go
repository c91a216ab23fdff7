package install

import (
	"context"
	"errors"
	"fmt"
	"io/fs"

	appsv1 "k8s.io/api/apps/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"

	"github.com/kubectl-summarizer/kubectl-summarizer/charts"
	"github.com/kubectl-summarizer/kubectl-summarizer/internal/cli/chartflags"
	"github.com/kubectl-summarizer/kubectl-summarizer/internal/cluster"
	"github.com/kubectl-summarizer/kubectl-summarizer/internal/failure"
	"github.com/kubectl-summarizer/kubectl-summarizer/internal/product"
	"github.com/kubectl-summarizer/kubectl-summarizer/internal/release"
	"github.com/kubectl-summarizer/kubectl-summarizer/pkg/render"
)

// run is the whole story: values, render, checks, apply, wait, what to do with it.
func (o *options) run(ctx context.Context) error {
	chart, err := fs.Sub(charts.FS, charts.Name)
	if err != nil {
		return err
	}
	releases := release.New(o.f.Config, o.namespace, o.f.Now)
	spec, err := o.spec(ctx, chart, releases)
	if err != nil {
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
	if err := o.check(ctx, observer, releases, spec); err != nil {
		return err
	}
	if o.dryRun == "server" {
		return o.printDryRun(spec)
	}
	if err := o.apply(ctx, observer, releases, spec); err != nil || !o.wait {
		return err
	}
	return o.follow(ctx, observer)
}

// spec renders the release as it shall be. The values of the last install are the weakest,
// so that an upgrade changes what it names and nothing else.
func (o *options) spec(ctx context.Context, chart fs.FS, releases *release.Client) (*release.Spec, error) {
	if o.dryRun != "client" && !o.resetValues {
		previous, err := releases.Get(o.release)
		switch {
		case err == nil:
			if err := o.values.Over(previous.Values); err != nil {
				return nil, err
			}
		case !errors.Is(err, release.ErrNotFound):
			return nil, err
		}
	}
	values, err := o.values.Values(chart, o.f.Streams.In, o.f.Streams.ErrOut)
	if err != nil {
		return nil, err
	}
	version, err := o.kubeVersion()
	if err != nil {
		return nil, err
	}
	rendered, err := render.Render(ctx, chart, render.Options{
		Release: o.release, Namespace: o.namespace, Values: values, KubeVersion: version,
	})
	if err != nil {
		return nil, chartflags.Explain(err)
	}
	for _, warning := range rendered.Warnings {
		o.warn(warning)
	}
	return &release.Spec{
		Name: o.release, Chart: chart, Values: values, Rendered: rendered, KubeVersion: version,
		Notify: func(message string) { fmt.Fprintln(o.f.Streams.ErrOut, message) },
	}, nil
}

// kubeVersion asks the cluster; a dry run on the client renders for the default, as render does.
func (o *options) kubeVersion() (string, error) {
	if o.dryRun == "client" {
		return render.DefaultKubeVersion, nil
	}
	client, err := o.f.Clientset()
	if err != nil {
		return "", err
	}
	info, err := client.Discovery().ServerVersion()
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
	return &cluster.Observer{Client: client, Namespace: o.namespace, Release: o.release}, nil
}

// check asks the cluster whether it would take the release, and changes nothing but, if it
// was asked to, the namespace: nothing can be checked in one that is not there.
func (o *options) check(ctx context.Context, observer *cluster.Observer, releases *release.Client, spec *release.Spec) error {
	exists, err := releases.EnsureNamespace(ctx, observer.Client, o.createNamespace, o.dryRun == "server")
	if err != nil || o.skipChecks {
		return err
	}
	if !exists {
		o.warn(fmt.Sprintf("namespace %s would be created; in one that is not there nothing more can be checked", o.namespace))
		return nil
	}
	deployment, err := deploymentOf(spec.Rendered)
	if err != nil {
		return err
	}
	preflight := &cluster.Preflight{Client: observer.Client, Namespace: o.namespace, Warn: o.warn, RequireToken: o.values.SecretGiven()}
	refusals, err := preflight.Check(ctx, deployment)
	if err != nil {
		return err
	}
	verdict, err := releases.Check(ctx, *spec)
	if err != nil {
		return err
	}
	for _, warning := range verdict.Warnings {
		o.warn(warning)
	}
	for _, r := range verdict.Refusals {
		refusals = append(refusals, &failure.Error{
			Kind: failure.Refused, Err: fmt.Errorf("the cluster would refuse %s: %s", r.Object, r.Reason), Next: r.Next,
		})
	}
	o.checked = true
	return failure.Join(refusals)
}

func deploymentOf(rendered render.Result) (*appsv1.Deployment, error) {
	objects, err := rendered.Objects()
	if err != nil {
		return nil, err
	}
	for _, object := range objects {
		if object.GetKind() == "Deployment" {
			deployment := &appsv1.Deployment{}
			return deployment, runtime.DefaultUnstructuredConverter.FromUnstructured(object.Object, deployment)
		}
	}
	return nil, errors.New("the chart rendered no Deployment")
}

// apply gives the release to the cluster. A pod that was failing before is started anew:
// what it failed of may be mended outside the release, and its back-off is minutes long.
func (o *options) apply(ctx context.Context, observer *cluster.Observer, releases *release.Client, spec *release.Spec) error {
	before, err := observer.Look(ctx)
	if err != nil {
		return err
	}
	info, err := releases.Apply(ctx, *spec)
	if err != nil {
		return err
	}
	verb := "installed"
	if info.Revision > 1 {
		verb = "upgraded"
	}
	fmt.Fprintf(o.f.Streams.ErrOut, "release %s %s in namespace %s, revision %d\n", o.release, verb, o.namespace, info.Revision)
	for _, pod := range before.Pods {
		if pod.Phase != cluster.Failing {
			continue
		}
		if err := observer.Client.CoreV1().Pods(o.namespace).Delete(ctx, pod.Name, metav1.DeleteOptions{}); err != nil && !apierrors.IsNotFound(err) {
			o.warn(fmt.Sprintf("pod %s was failing and could not be started anew: %v", pod.Name, err))
		}
	}
	return nil
}

func (o *options) warn(message string) { fmt.Fprintf(o.f.Streams.ErrOut, "warning: %s\n", message) }

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
