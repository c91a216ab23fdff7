package release

import (
	"context"
	"fmt"
	"strings"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/kubectl-summarizer/kubectl-summarizer/internal/failure"
	"github.com/kubectl-summarizer/kubectl-summarizer/internal/product"
	"github.com/kubectl-summarizer/kubectl-summarizer/pkg/nearest"
)

// Missing is the error for a release that is not there; it names those that are, or says
// that there is no such namespace.
func (c *Client) Missing(ctx context.Context, name string) error {
	infos, err := c.List(ctx)
	if err != nil {
		return err
	}
	if len(infos) == 0 && c.noNamespace(ctx) {
		return failure.Failedf("see which there are: kubectl get namespaces"+c.Target,
			"no release %q: namespace %q does not exist", name, c.namespace)
	}
	names := make([]string, len(infos))
	for i, info := range infos {
		names[i] = info.Name
	}
	next := fmt.Sprintf("there is none in this namespace; is it another one? -n NAMESPACE\ninstall it: %s install %s -n %s%s",
		product.Command, name, c.namespace, c.Target)
	if len(names) > 0 {
		next = "there are: " + strings.Join(names, ", ")
	}
	if near, ok := nearest.Name(name, names); ok {
		next = "did you mean " + near + "?\n" + next
	}
	return failure.Failedf(next, "no release %q in namespace %s", name, c.namespace)
}

// noNamespace says that there is no such namespace; whoever may not look is not told so.
func (c *Client) noNamespace(ctx context.Context) bool {
	client, err := c.clientset()
	if err != nil {
		return false
	}
	_, err = client.CoreV1().Namespaces().Get(ctx, c.namespace, metav1.GetOptions{})
	return apierrors.IsNotFound(err)
}
