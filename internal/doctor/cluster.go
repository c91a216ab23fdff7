package doctor

import (
	"context"
	"fmt"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/util/version"

	"github.com/kubectl-summarizer/kubectl-summarizer/internal/cluster"
	"github.com/kubectl-summarizer/kubectl-summarizer/internal/failure"
	"github.com/kubectl-summarizer/kubectl-summarizer/internal/product"
)

// oldest is the chart's kubeVersion.
const oldest = "1.29.0"

func (s *Subject) clusterVersion(context.Context) Finding {
	info, err := s.Client.Discovery().ServerVersion()
	if err != nil {
		err = cluster.ExplainFor(s.Target, err)
		return fail(failure.NextOf(err), "%v", err)
	}
	found, err := version.ParseGeneric(info.GitVersion)
	switch {
	case err != nil:
		return warn("see: kubectl version"+s.Target, "the cluster calls its version %q: the chart needs Kubernetes %s or newer", info.GitVersion, oldest)
	case found.LessThan(version.MustParseGeneric(oldest)):
		return fail("upgrade the cluster", "Kubernetes %s: the chart needs %s or newer", info.GitVersion, oldest)
	}
	return pass("Kubernetes %s", info.GitVersion)
}

func (s *Subject) namespaceThere(ctx context.Context) Finding {
	namespace, err := s.getNamespace(ctx)
	switch {
	case apierrors.IsNotFound(err):
		return fail(fmt.Sprintf("kubectl create namespace %s%s\nor: %s install --create-namespace%s", s.Namespace, s.Target, product.Command, s.in()),
			"namespace %s does not exist", s.Namespace)
	case err != nil:
		return s.unknown("look at namespace "+s.Namespace, err)
	case namespace.DeletionTimestamp != nil:
		return fail("see what holds it: kubectl get namespace "+s.Namespace+" -o yaml"+s.Target, "namespace %s is being deleted", s.Namespace)
	}
	return pass("%s", s.Namespace)
}
