package status

import (
	"context"
	"errors"
	"fmt"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/kubectl-summarizer/kubectl-summarizer/internal/cluster"
	"github.com/kubectl-summarizer/kubectl-summarizer/internal/failure"
	"github.com/kubectl-summarizer/kubectl-summarizer/internal/release"
)

// installed returns the release's record, or the error that names the releases there are.
// Whoever may look at pods but not at Secrets, where Helm keeps its records, gets none, and
// the refusal.
func (o *options) installed(ctx context.Context) (record *release.Info, unread, err error) {
	releases := release.New(o.f.Config, o.namespace, o.f.Now)
	releases.Target = o.f.Target()
	info, err := releases.Get(ctx, o.release)
	switch {
	case apierrors.IsForbidden(err):
		return nil, err, nil
	case errors.Is(err, release.ErrNotFound):
		if err := o.noNamespace(ctx); err != nil {
			return nil, nil, err
		}
		return nil, nil, releases.Missing(ctx, o.release)
	}
	return info, nil, err
}

// noNamespace returns an error when there is no such namespace. Whoever may not look at
// namespaces is believed.
func (o *options) noNamespace(ctx context.Context) error {
	client, err := o.f.Clientset()
	if err != nil {
		return err
	}
	if _, err := client.CoreV1().Namespaces().Get(ctx, o.namespace, metav1.GetOptions{}); apierrors.IsNotFound(err) {
		return failure.Failedf("see which there are: kubectl get namespaces"+o.f.Target(), "there is no namespace %q", o.namespace)
	}
	return nil
}

// unseen is the error for a release of which nothing runs and no record may be read.
func (o *options) unseen(ctx context.Context) error {
	if err := o.noNamespace(ctx); err != nil {
		return err
	}
	return failure.Failedf(fmt.Sprintf("see what runs: kubectl get deployments -n %s -l %s=server%s", o.namespace, cluster.LabelComponent, o.f.Target()),
		"nothing of release %q is in namespace %s that you may see: it has no Deployment, and you may not read Helm's records", o.release, o.namespace)
}
