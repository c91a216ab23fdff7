package rollout

import (
	"context"
	"fmt"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/kubectl-summarizer/kubectl-summarizer/internal/cluster"
	"github.com/kubectl-summarizer/kubectl-summarizer/internal/failure"
	"github.com/kubectl-summarizer/kubectl-summarizer/internal/release"
	"github.com/kubectl-summarizer/kubectl-summarizer/internal/ui"
)

// Verdict asks the cluster to do everything that Apply will do, as a trial, and returns what
// it would refuse. Its warnings go to steps.
func Verdict(ctx context.Context, releases *release.Client, spec *release.Spec, steps *ui.Steps) ([]*failure.Error, error) {
	verdict, err := releases.Check(ctx, *spec)
	if err != nil {
		return nil, err
	}
	for _, warning := range verdict.Warnings {
		steps.Warn(warning)
	}
	var refusals []*failure.Error
	for _, r := range verdict.Refusals {
		refusals = append(refusals, &failure.Error{
			Kind: failure.Refused, Err: fmt.Errorf("the cluster would refuse %s: %s", r.Object, r.Reason), Next: r.Next,
		})
	}
	return refusals, nil
}

// Apply gives the release to the cluster and returns its record. A pod that was failing before
// is started anew: what it failed of may be mended outside the release, and its back-off is
// minutes long.
func Apply(ctx context.Context, observer *cluster.Observer, releases *release.Client, spec *release.Spec, steps *ui.Steps) (*release.Info, error) {
	before, err := observer.Look(ctx)
	if err != nil {
		return nil, err
	}
	info, err := releases.Apply(ctx, *spec)
	if err != nil {
		return nil, err
	}
	for _, pod := range before.Pods {
		if pod.Phase != cluster.Failing {
			continue
		}
		err := observer.Client.CoreV1().Pods(observer.Namespace).Delete(ctx, pod.Name, metav1.DeleteOptions{})
		if err != nil && !apierrors.IsNotFound(err) {
			steps.Warn(fmt.Sprintf("pod %s was failing and could not be started anew: %v", pod.Name, err))
		}
	}
	return info, nil
}
