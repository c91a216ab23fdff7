package runs

import (
	"context"
	"fmt"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"

	"github.com/kubectl-summarizer/kubectl-summarizer/internal/failure"
	"github.com/kubectl-summarizer/kubectl-summarizer/internal/product"
	"github.com/kubectl-summarizer/kubectl-summarizer/pkg/train"
)

// Near has the pods of Jobs run on the node where their volume is in use now, when it can be on
// one node only: elsewhere they would wait for it until the other pod has ended, which a model
// server does not. GKE Autopilot takes them only where that pod has no GPU.
func (o *Observer) Near(ctx context.Context, run *Run, objects []*unstructured.Unstructured) error {
	claim := run.Claim()
	volume, err := o.Client.CoreV1().PersistentVolumeClaims(o.Namespace).Get(ctx, claim, metav1.GetOptions{})
	if apierrors.IsForbidden(err) || apierrors.IsNotFound(err) {
		return nil // the Job's own pod says what is wrong
	}
	if err != nil {
		return err
	}
	if slices.Contains(volume.Spec.AccessModes, corev1.ReadWriteMany) {
		return nil
	}
	pods, err := o.Client.CoreV1().Pods(o.Namespace).List(ctx, metav1.ListOptions{})
	if err != nil {
		return err
	}
	for i := range pods.Items {
		pod := &pods.Items[i]
		if pod.Spec.NodeName == "" || pod.Status.Phase != corev1.PodRunning || !uses(pod, claim) || pod.DeletionTimestamp != nil {
			continue
		}
		if hasGPU(pod) && run.onAutopilot() {
			next := "wait until the pod has ended, or remove what it belongs to"
			if release := pod.Labels[train.LabelInstance]; release != "" && pod.Labels[train.LabelName] != train.AppName {
				next = fmt.Sprintf("free the volume first: %s uninstall %s -n %s%s", product.Command, release, o.Namespace, o.Target)
			}
			return failure.Refusedf(next,
				"the volume of run %s is in use on the node of pod %s, which has a GPU, and GKE Autopilot lets no pod without a GPU onto that node", run.Name, pod.Name)
		}
		for _, object := range objects {
			if object.GetKind() == "Job" {
				if err := pin(object, pod); err != nil {
					return err
				}
			}
		}
		return nil
	}
	return nil
}

func (r *Run) onAutopilot() bool {
	return r.Options != nil && (r.Options.Platform == train.GKEAutopilot || r.Options.Platform == "")
}

func hasGPU(pod *corev1.Pod) bool {
	for i := range pod.Spec.Containers {
		for name := range pod.Spec.Containers[i].Resources.Limits {
			if strings.HasPrefix(string(name), "nvidia.com/") {
				return true
			}
		}
	}
	return false
}

func uses(pod *corev1.Pod, claim string) bool {
	return slices.ContainsFunc(pod.Spec.Volumes, func(v corev1.Volume) bool {
		return v.PersistentVolumeClaim != nil && v.PersistentVolumeClaim.ClaimName == claim
	})
}

// pin puts a Job's pods onto the node of another pod, with what that tolerates there.
func pin(job *unstructured.Unstructured, pod *corev1.Pod) error {
	path := []string{"spec", "template", "spec"}
	content, found, err := unstructured.NestedMap(job.Object, path...)
	if err != nil || !found {
		return err
	}
	var spec corev1.PodSpec
	if err := runtime.DefaultUnstructuredConverter.FromUnstructured(content, &spec); err != nil {
		return err
	}
	spec.NodeSelector = map[string]string{corev1.LabelHostname: pod.Spec.NodeName}
	spec.Tolerations = append(spec.Tolerations, pod.Spec.Tolerations...)
	if content, err = runtime.DefaultUnstructuredConverter.ToUnstructured(&spec); err != nil {
		return err
	}
	return unstructured.SetNestedMap(job.Object, content, path...)
}
