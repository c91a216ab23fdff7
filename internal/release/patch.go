package release

import (
	"context"
	"encoding/json"
	"fmt"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/jsonmergepatch"
	"k8s.io/apimachinery/pkg/util/strategicpatch"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/kubernetes/scheme"

	"github.com/kubectl-summarizer/kubectl-summarizer/internal/product"
)

// patch asks for the very change that Helm would make to an object that is there: a patch
// from the old manifest, the new one and what lives. A server-side apply would not do: it
// keeps fields that the old manifest set and the new one does not, such as the rollingUpdate
// of a strategy that becomes Recreate, and the server would refuse what Helm can do.
func (k *checker) patch(ctx context.Context, client dynamic.ResourceInterface, live, object *unstructured.Unstructured) error {
	before := k.applied[objectName(object)]
	if before == nil {
		before = object
	} else {
		before = before.DeepCopy()
		own(before, k.release, k.namespace)
	}
	data, kind, err := threeWayPatch(before, object, live)
	if err != nil {
		return fmt.Errorf("cannot compare %s with what is in the cluster: %w", objectName(object), err)
	}
	_, err = client.Patch(ctx, object.GetName(), kind, data, metav1.PatchOptions{
		DryRun: []string{metav1.DryRunAll}, FieldManager: product.FieldManager, FieldValidation: metav1.FieldValidationStrict,
	})
	return err
}

func threeWayPatch(before, after, live *unstructured.Unstructured) ([]byte, types.PatchType, error) {
	var data [3][]byte
	for i, object := range []*unstructured.Unstructured{before, after, live} {
		encoded, err := json.Marshal(object.Object)
		if err != nil {
			return nil, "", err
		}
		data[i] = encoded
	}
	typed, err := scheme.Scheme.New(after.GroupVersionKind())
	if err != nil { // a custom resource has no patch rules
		patch, err := jsonmergepatch.CreateThreeWayJSONMergePatch(data[0], data[1], data[2])
		return patch, types.MergePatchType, err
	}
	rules, err := strategicpatch.NewPatchMetaFromStruct(typed)
	if err != nil {
		return nil, "", err
	}
	patch, err := strategicpatch.CreateThreeWayMergePatch(data[0], data[1], data[2], rules, true)
	return patch, types.StrategicMergePatchType, err
}
