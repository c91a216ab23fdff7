package release

import (
	"context"
	"fmt"
	"slices"

	"helm.sh/helm/v3/pkg/chartutil"
	"helm.sh/helm/v3/pkg/release"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
)

const instanceLabel = "app.kubernetes.io/instance"

// kept lists what a release leaves: its volumes, but for those in removed, and the Secret
// that it read the token from. What may not be looked at is left out.
func (c *Client) kept(ctx context.Context, client kubernetes.Interface, r *release.Release, removed []string) ([]Kept, error) {
	claims, err := client.CoreV1().PersistentVolumeClaims(c.namespace).List(ctx, metav1.ListOptions{LabelSelector: instanceLabel + "=" + r.Name})
	if err != nil && !apierrors.IsForbidden(err) {
		return nil, fmt.Errorf("cannot list the volumes that stay: %w", err)
	}
	var kept []Kept
	if err == nil {
		for _, claim := range claims.Items {
			object := "persistentvolumeclaim/" + claim.Name
			if claim.DeletionTimestamp != nil || slices.Contains(removed, object) {
				continue
			}
			kept = append(kept, Kept{
				Object: object,
				Why:    "the downloaded model, " + size(&claim) + ", which goes on being paid for",
				Remove: fmt.Sprintf("kubectl delete persistentvolumeclaim %s -n %s%s", claim.Name, c.namespace, c.Target),
			})
		}
	}
	name := secretName(r)
	if name == "" {
		return kept, nil
	}
	_, err = client.CoreV1().Secrets(c.namespace).Get(ctx, name, metav1.GetOptions{})
	switch {
	case apierrors.IsNotFound(err), apierrors.IsForbidden(err):
		return kept, nil
	case err != nil:
		return nil, fmt.Errorf("cannot look at Secret %s: %w", name, err)
	}
	return append(kept, Kept{
		Object: "secret/" + name,
		Why:    "your Hugging Face token, which other releases may use",
		Remove: fmt.Sprintf("kubectl delete secret %s -n %s%s", name, c.namespace, c.Target),
	}), nil
}

func size(claim *corev1.PersistentVolumeClaim) string {
	if quantity, ok := claim.Status.Capacity[corev1.ResourceStorage]; ok {
		return quantity.String()
	}
	quantity := claim.Spec.Resources.Requests[corev1.ResourceStorage]
	return quantity.String()
}

// secretName is the Secret with the token that the release's values name.
func secretName(r *release.Release) string {
	if r.Chart == nil {
		return ""
	}
	values, err := chartutil.CoalesceValues(r.Chart, r.Config)
	if err != nil {
		return ""
	}
	name, err := values.PathValue("hfToken.secretName")
	if err != nil {
		return ""
	}
	text, _ := name.(string)
	return text
}

func isGone(err error) bool { return apierrors.IsNotFound(err) }
