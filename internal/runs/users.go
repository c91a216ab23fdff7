package runs

import (
	"context"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/kubectl-summarizer/kubectl-summarizer/pkg/train"
)

// UserOf returns a pod that has the volume mounted and is not of a run, such as a server that was promoted from it; nil
// when there is none, or when pods may not be listed.
func (o *Observer) UserOf(ctx context.Context, claim string) (*corev1.Pod, error) {
	pods, err := o.Client.CoreV1().Pods(o.Namespace).List(ctx, metav1.ListOptions{})
	if apierrors.IsForbidden(err) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	for i := range pods.Items {
		pod := &pods.Items[i]
		over := pod.Status.Phase == corev1.PodSucceeded || pod.Status.Phase == corev1.PodFailed || pod.DeletionTimestamp != nil
		if !over && uses(pod, claim) && pod.Labels[train.LabelName] != train.AppName {
			return pod, nil
		}
	}
	return nil, nil
}
