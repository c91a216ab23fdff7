package install

import (
	"context"
	"fmt"
	"strings"

	"github.com/kubectl-summarizer/kubectl-summarizer/internal/cluster"
	"github.com/kubectl-summarizer/kubectl-summarizer/internal/failure"
	"github.com/kubectl-summarizer/kubectl-summarizer/internal/planning"
	"github.com/kubectl-summarizer/kubectl-summarizer/internal/release"
	"github.com/kubectl-summarizer/kubectl-summarizer/internal/rollout"
)

// check asks the cluster whether it would take the release, and changes nothing but, if it
// was asked to, the namespace: what can be known without it is asked before, but nothing can
// be created for a trial in one that is not there.
func (o *options) check(ctx context.Context, observer *cluster.Observer, releases *release.Client, spec *release.Spec) error {
	exists, err := releases.EnsureNamespace(ctx, observer.Client, o.createNamespace, true)
	if err != nil {
		return err
	}
	var refusals []*failure.Error
	if !o.skipChecks {
		if refusals, err = o.preflight(ctx, observer, spec); err != nil {
			return err
		}
	}
	if !exists {
		if len(refusals) > 0 {
			return failure.Join(o.withoutNamespace(refusals))
		}
		if o.dryRun == "server" {
			o.steps.Warn(fmt.Sprintf("namespace %s would be created; in one that is not there nothing more can be checked", o.namespace))
			return nil
		}
		if _, err := releases.EnsureNamespace(ctx, observer.Client, true, false); err != nil {
			return err
		}
	}
	if o.skipChecks {
		return nil
	}
	found, err := rollout.Verdict(ctx, releases, spec, o.steps)
	if err != nil {
		return err
	}
	o.checked = true
	err = failure.Join(append(refusals, found...))
	if err != nil && !exists {
		return failure.New(failure.Refused, fmt.Errorf("%w\nnamespace %q was created before, and is empty", err, o.namespace), failure.NextOf(err))
	}
	return err
}

// preflight asks for what the pods need outside the release.
func (o *options) preflight(ctx context.Context, observer *cluster.Observer, spec *release.Spec) ([]*failure.Error, error) {
	template, err := planning.PodTemplate(spec.Rendered)
	if err != nil {
		return nil, err
	}
	preflight := &cluster.Preflight{
		Client: observer.Client, Namespace: o.namespace, Target: o.f.Target(), Warn: o.steps.Warn, RequireToken: o.values.SecretGiven(),
	}
	return preflight.CheckPods(ctx, template)
}

// withoutNamespace puts the making of the namespace before what is to be done in it.
func (o *options) withoutNamespace(refusals []*failure.Error) []*failure.Error {
	for _, r := range refusals {
		if strings.Contains(r.Next, " -n "+o.namespace+" ") {
			r.Next = "kubectl create namespace " + o.namespace + o.f.Target() + "\n" + r.Next
		}
	}
	return refusals
}
