package runs

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/kubectl-summarizer/kubectl-summarizer/internal/failure"
	"github.com/kubectl-summarizer/kubectl-summarizer/internal/product"
)

// cleaning is how long taking back half-made runs may take, also after Ctrl-C.
const cleaning = 30 * time.Second

// Create makes the objects in their order. When one cannot be made, or ctx ends, those that
// were are deleted again: no half of a run stays.
func (o *Observer) Create(ctx context.Context, objects []*unstructured.Unstructured) error {
	for i, object := range objects {
		client, err := o.of(object)
		if err == nil {
			_, err = client.Create(ctx, object, metav1.CreateOptions{FieldManager: product.FieldManager, FieldValidation: metav1.FieldValidationStrict})
		}
		if err == nil {
			continue
		}
		err = fmt.Errorf("cannot create %s: %w", ObjectName(object), err)
		if left := o.takeBack(ctx, objects[:i]); left != nil {
			return failure.New(failure.Failed, fmt.Errorf("%w\nwhat was made before could not be removed again: %w", err, left),
				fmt.Sprintf("remove it: %s runs delete NAME --yes -n %s%s", product.Command, o.Namespace, o.Target))
		}
		return err
	}
	return nil
}

// takeBack deletes the objects, the last first.
func (o *Observer) takeBack(ctx context.Context, objects []*unstructured.Unstructured) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), cleaning)
	defer cancel()
	var errs []error
	for _, object := range slices.Backward(objects) {
		errs = append(errs, o.remove(ctx, object, metav1.DeletePropagationBackground))
	}
	return errors.Join(errs...)
}

// remove deletes an object; one that is not there is no error.
func (o *Observer) remove(ctx context.Context, object *unstructured.Unstructured, how metav1.DeletionPropagation) error {
	client, err := o.of(object)
	if err != nil {
		return err
	}
	err = client.Delete(ctx, object.GetName(), metav1.DeleteOptions{PropagationPolicy: &how})
	if err != nil && !apierrors.IsNotFound(err) {
		return fmt.Errorf("cannot delete %s: %w", ObjectName(object), err)
	}
	return nil
}
