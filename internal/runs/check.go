package runs

import (
	"context"
	"errors"
	"fmt"
	"strings"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/kubectl-summarizer/kubectl-summarizer/internal/cluster"
	"github.com/kubectl-summarizer/kubectl-summarizer/internal/failure"
	"github.com/kubectl-summarizer/kubectl-summarizer/internal/product"
)

// Trial asks the cluster to make the objects, and the pods of the Jobs among them, as a dry run:
// rights, admission, quota and fields answer before anything is made. The error says that it
// could not be asked.
func (o *Observer) Trial(ctx context.Context, objects []*unstructured.Unstructured) ([]*failure.Error, error) {
	var refusals []*failure.Error
	for _, object := range objects {
		client, err := o.of(object)
		if err != nil {
			return nil, err
		}
		_, err = client.Create(ctx, object, metav1.CreateOptions{
			DryRun: []string{metav1.DryRunAll}, FieldManager: product.FieldManager, FieldValidation: metav1.FieldValidationStrict,
		})
		refused, err := o.answer(ObjectName(object), object.GetKind(), err)
		if err != nil {
			return nil, err
		}
		if refused == nil && object.GetKind() == "Job" {
			// The Job is let in where its pods are not, and then nothing but an event tells.
			if refused, err = o.tryPod(ctx, object); err != nil {
				return nil, err
			}
		}
		if refused != nil {
			refusals = append(refusals, refused)
		}
	}
	return refusals, nil
}

// tryPod asks whether the Job's pods would be taken.
func (o *Observer) tryPod(ctx context.Context, job *unstructured.Unstructured) (*failure.Error, error) {
	template, found, err := unstructured.NestedMap(job.Object, "spec", "template")
	if err != nil || !found {
		return nil, err
	}
	pod := &unstructured.Unstructured{Object: template}
	pod.SetAPIVersion("v1")
	pod.SetKind("Pod")
	pod.SetGenerateName(job.GetName() + "-")
	controller := true
	// There are policies against pods that no controller made; the owner is looked for only once
	// the pod is there, and this one never is.
	pod.SetOwnerReferences([]metav1.OwnerReference{{
		APIVersion: "batch/v1", Kind: "Job", Name: job.GetName(), UID: "00000000-0000-0000-0000-000000000000", Controller: &controller,
	}})
	// The run's own ServiceAccount is not there yet.
	unstructured.RemoveNestedField(pod.Object, "spec", "serviceAccountName")
	_, err = o.Dynamic.Resource(corev1.SchemeGroupVersion.WithResource("pods")).Namespace(o.Namespace).Create(ctx, pod, metav1.CreateOptions{
		DryRun: []string{metav1.DryRunAll}, FieldManager: product.FieldManager,
	})
	switch {
	case err == nil,
		// A right that the Job's controller has, whoever runs this program.
		apierrors.IsForbidden(err) && strings.Contains(err.Error(), "cannot create resource"),
		// A namespace made this second.
		strings.Contains(err.Error(), `serviceaccount "default" not found`):
		return nil, nil
	}
	refused, err := o.answer("the pods of "+ObjectName(job), "Pod", err)
	if refused != nil && refused.Next == "" {
		refused.Next = "if you know that the cluster takes them: --skip-checks"
	}
	return refused, err
}

// answer makes a refusal of what the API server said; an error is no answer.
func (o *Observer) answer(object, kind string, err error) (*failure.Error, error) {
	if err == nil {
		return nil, nil
	}
	var status apierrors.APIStatus
	if !errors.As(err, &status) || apierrors.IsUnauthorized(err) || apierrors.IsServerTimeout(err) || apierrors.IsTooManyRequests(err) {
		return nil, err
	}
	refused := &failure.Error{
		Kind: failure.Refused, Err: fmt.Errorf("the cluster would refuse %s: %s", object, strings.TrimSpace(status.Status().Message)),
		Next: cluster.NextForRefusal(err, o.Namespace, o.Target),
	}
	switch {
	case apierrors.IsAlreadyExists(err) && kind == "PersistentVolumeClaim":
		_, claim, _ := strings.Cut(object, "/")
		refused.Next = fmt.Sprintf("train on this volume: --claim %s\nor remove it: kubectl delete pvc %s -n %s%s", claim, claim, o.Namespace, o.Target)
	case apierrors.IsAlreadyExists(err):
		refused.Next = "choose another name for the run"
	case apierrors.IsNotFound(err) && kind == "TrainJob":
		refused.Err = errors.New("this cluster knows no TrainJob: Kubeflow Trainer is not installed")
		refused.Next = "helm install kubeflow-trainer oci://ghcr.io/kubeflow/charts/kubeflow-trainer --version 2.3.0 -n kubeflow-system --create-namespace --set runtimes.defaultEnabled=true\n" +
			"or train on one node: --engine job"
	}
	return refused, nil
}
