package release

import (
	"context"
	"errors"
	"fmt"
	"os"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"

	"github.com/kubectl-summarizer/kubectl-summarizer/internal/failure"
	"github.com/kubectl-summarizer/kubectl-summarizer/internal/product"
)

// EnsureNamespace makes sure that the namespace is there, creating it when create is set,
// or only asking whether that may be done when dryRun is set too. It says whether the
// namespace is there now; whoever may not look at namespaces is believed.
func (c *Client) EnsureNamespace(ctx context.Context, client kubernetes.Interface, create, dryRun bool) (bool, error) {
	namespace, err := client.CoreV1().Namespaces().Get(ctx, c.namespace, metav1.GetOptions{})
	switch {
	case apierrors.IsForbidden(err):
		return true, nil
	case err == nil && namespace.DeletionTimestamp != nil:
		return false, failure.Refusedf("see what holds it: kubectl get namespace "+c.namespace+" -o yaml"+c.Target,
			"namespace %q is being deleted", c.namespace)
	case err == nil:
		return true, nil
	case !apierrors.IsNotFound(err):
		return false, err
	case !create:
		return false, failure.Refusedf("kubectl create namespace "+c.namespace+c.Target+"\nor add --create-namespace",
			"namespace %q does not exist", c.namespace)
	}
	options := metav1.CreateOptions{FieldManager: product.FieldManager}
	if dryRun {
		options.DryRun = []string{metav1.DryRunAll}
	}
	_, err = client.CoreV1().Namespaces().Create(ctx, &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: c.namespace}}, options)
	if err != nil && !apierrors.IsAlreadyExists(err) {
		return false, fmt.Errorf("cannot create namespace %q: %w", c.namespace, err)
	}
	return !dryRun, nil
}

func isNotFound(err error) bool { return errors.Is(err, ErrNotFound) }

// recordsAreSecrets says whether Helm keeps its records where it does by default.
func recordsAreSecrets() bool {
	switch os.Getenv("HELM_DRIVER") {
	case "", "secret", "secrets":
		return true
	}
	return false
}
