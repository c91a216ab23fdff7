package runs

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"

	"github.com/kubectl-summarizer/kubectl-summarizer/internal/product"
	"github.com/kubectl-summarizer/kubectl-summarizer/pkg/train"
)

// Again gives the Jobs of a run another try, as these objects have them: the volume stays, so
// that what is done is not done again. Jobs cannot be changed, so that they are deleted first,
// with their pods: two must never write to one volume. waiting hears what is waited for.
func (o *Observer) Again(ctx context.Context, run *Run, objects []*unstructured.Unstructured, waiting func(string)) error {
	for _, object := range objects {
		if isWork(object) {
			if err := o.removeWhole(ctx, object, waiting); err != nil {
				return err
			}
		}
	}
	for _, object := range objects {
		if isRecord(object, run.Name) {
			if err := o.renew(ctx, object); err != nil {
				return err
			}
			continue
		}
		client, err := o.of(object)
		if err != nil {
			return err
		}
		_, err = client.Create(ctx, object, metav1.CreateOptions{FieldManager: product.FieldManager})
		// Everything but the Jobs is there, unless somebody deleted it.
		if err != nil && (isWork(object) || !apierrors.IsAlreadyExists(err)) {
			return fmt.Errorf("cannot create %s: %w", ObjectName(object), err)
		}
	}
	return nil
}

// removeWhole deletes an object and waits until it and its pods are gone.
func (o *Observer) removeWhole(ctx context.Context, object *unstructured.Unstructured, waiting func(string)) error {
	client, err := o.of(object)
	if err != nil {
		return err
	}
	if err := o.remove(ctx, object, metav1.DeletePropagationForeground); err != nil {
		return err
	}
	for {
		_, err := client.Get(ctx, object.GetName(), metav1.GetOptions{})
		switch {
		case apierrors.IsNotFound(err):
			return nil
		case err != nil:
			return fmt.Errorf("cannot see whether %s is gone: %w", ObjectName(object), err)
		}
		if isWork(object) {
			waiting(ObjectName(object) + " and its pods end")
		}
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-time.After(time.Second):
		}
	}
}

// renew puts a new specification into the record, and takes the last attempt's error out.
func (o *Observer) renew(ctx context.Context, record *unstructured.Unstructured) error {
	data, _, err := unstructured.NestedStringMap(record.Object, "data")
	if err != nil {
		return err
	}
	changes := map[string]any{train.KeyError: nil, train.KeyProgress: nil}
	for key, text := range data {
		changes[key] = text
	}
	patch, err := json.Marshal(map[string]any{"data": changes})
	if err != nil {
		return err
	}
	client, err := o.of(record)
	if err != nil {
		return err
	}
	_, err = client.Patch(ctx, record.GetName(), types.MergePatchType, patch, metav1.PatchOptions{FieldManager: product.FieldManager})
	if err != nil {
		return fmt.Errorf("cannot change the record of the run: %w", err)
	}
	return nil
}

// LocalData returns the user's own files that travelled with the run, or nothing.
func (o *Observer) LocalData(ctx context.Context, name string) ([]byte, error) {
	files, err := o.Client.CoreV1().ConfigMaps(o.Namespace).Get(ctx, train.DataName(name), metav1.GetOptions{})
	switch {
	case apierrors.IsNotFound(err):
		return nil, nil
	case err != nil:
		return nil, err
	}
	for _, data := range files.BinaryData {
		return data, nil
	}
	return nil, nil
}
