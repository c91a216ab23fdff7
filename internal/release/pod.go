package release

import (
	"context"
	"strings"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/kubectl-summarizer/kubectl-summarizer/internal/product"
)

// pod asks whether a workload's pods would be taken. The workload itself is let in where
// its pods are not, and then nothing but an event tells.
func (k *checker) pod(ctx context.Context, workload *unstructured.Unstructured, upgrade bool, all []*unstructured.Unstructured) []Refusal {
	pod := podOf(workload, all)
	if pod == nil {
		return nil
	}
	pods := corev1.SchemeGroupVersion.WithResource("pods")
	namespace := workload.GetNamespace()
	if namespace == "" {
		namespace = k.namespace
	}
	_, err := k.dynamic.Resource(pods).Namespace(namespace).Create(ctx, pod, metav1.CreateOptions{
		DryRun: []string{metav1.DryRunAll}, FieldManager: product.FieldManager,
	})
	if err == nil || !asksOfThePod(err, upgrade) {
		return nil
	}
	found := k.answer("the pods of "+objectName(workload), err)
	for i := range found {
		if found[i].Next == "" { // a policy's own words; it may mean only pods that somebody makes by hand
			found[i].Next = "if you know that the cluster takes them: --skip-checks"
		}
	}
	return found
}

// podOf returns a pod as the workload would make it, nil when it makes none.
func podOf(workload *unstructured.Unstructured, all []*unstructured.Unstructured) *unstructured.Unstructured {
	template, found, err := unstructured.NestedMap(workload.Object, "spec", "template")
	if err != nil || !found {
		return nil
	}
	if replicas, found, _ := unstructured.NestedInt64(workload.Object, "spec", "replicas"); found && replicas == 0 {
		return nil
	}
	pod := &unstructured.Unstructured{Object: template}
	pod.SetAPIVersion("v1")
	pod.SetKind("Pod")
	pod.SetGenerateName(workload.GetName() + "-")
	// There are policies against pods that no controller made. The cluster looks for the owner
	// only once the pod is there, and this one never is.
	controller := true
	pod.SetOwnerReferences([]metav1.OwnerReference{{
		APIVersion: "apps/v1", Kind: "ReplicaSet", Name: workload.GetName(), UID: "00000000-0000-0000-0000-000000000000", Controller: &controller,
	}})
	// A ServiceAccount of this very release is not there yet.
	account, _, _ := unstructured.NestedString(pod.Object, "spec", "serviceAccountName")
	for _, object := range all {
		if object.GetKind() == "ServiceAccount" && object.GetName() == account {
			unstructured.RemoveNestedField(pod.Object, "spec", "serviceAccountName")
		}
	}
	return pod
}

// asksOfThePod says whether the refusal would meet the workload's controller too, and not
// only whoever runs this program.
func asksOfThePod(err error, upgrade bool) bool {
	message := err.Error()
	switch {
	case apierrors.IsForbidden(err) && strings.Contains(message, "cannot create resource"):
		return false // a right that the controller has
	case strings.Contains(message, `serviceaccount "default" not found`):
		return false // a namespace made this second
	case upgrade && strings.Contains(message, "exceeded quota"):
		return false // the old pods give back what they use
	case !apierrors.IsForbidden(err) && !apierrors.IsInvalid(err) && !apierrors.IsBadRequest(err):
		return false
	}
	return true
}
