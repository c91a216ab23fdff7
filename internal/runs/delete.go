package runs

import (
	"context"
	"errors"
	"fmt"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/kubectl-summarizer/kubectl-summarizer/pkg/train"
)

// deletedKinds are in the order in which they go: what makes pods first, the record last, so
// that a deletion which broke off can be found and done again.
var deletedKinds = []string{"TrainJob", "Job", "RoleBinding", "Role", "ServiceAccount", "PersistentVolumeClaim", "ConfigMap"}

// Owned returns the objects of a run in the order in which they are deleted, but for its volume
// when that is to stay.
func (o *Observer) Owned(ctx context.Context, name string, keepVolume bool) ([]*unstructured.Unstructured, error) {
	var owned, last []*unstructured.Unstructured
	for _, kind := range deletedKinds {
		if kind == "PersistentVolumeClaim" && keepVolume {
			continue
		}
		list, err := o.Dynamic.Resource(resources[kind]).Namespace(o.Namespace).List(ctx, metav1.ListOptions{LabelSelector: train.Selector(name)})
		switch {
		case apierrors.IsNotFound(err): // no Kubeflow Trainer
			continue
		case apierrors.IsForbidden(err) && kind == "TrainJob":
			continue
		case err != nil:
			return nil, fmt.Errorf("cannot list what run %s has: %w", name, err)
		}
		for i := range list.Items {
			object := labelled(kind, list.Items[i].GetName())
			if isRecord(object, name) {
				last = append(last, object)
				continue
			}
			owned = append(owned, object)
		}
	}
	return append(owned, last...), nil
}

// Delete deletes objects in their order, as far as it can, and returns those that it did.
func (o *Observer) Delete(ctx context.Context, objects []*unstructured.Unstructured) ([]*unstructured.Unstructured, error) {
	var gone []*unstructured.Unstructured
	var errs []error
	for _, object := range objects {
		err := o.remove(ctx, object, metav1.DeletePropagationBackground)
		if err != nil {
			errs = append(errs, err)
			continue
		}
		gone = append(gone, object)
	}
	return gone, errors.Join(errs...)
}
