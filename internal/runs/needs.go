package runs

import (
	"context"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"

	"github.com/kubectl-summarizer/kubectl-summarizer/internal/cluster"
	"github.com/kubectl-summarizer/kubectl-summarizer/internal/failure"
)

// Needs asks whether the pods of Jobs find their Secrets and a node that could take them; warn
// takes what may go wrong but need not.
func (o *Observer) Needs(ctx context.Context, objects []*unstructured.Unstructured, warn func(string)) ([]*failure.Error, error) {
	preflight := &cluster.Preflight{
		Client: o.Client, Namespace: o.Namespace, Target: o.Target, Warn: warn,
		Hints: cluster.Hints{Pods: "the pod", Accelerator: "--gpu-accelerator", Smaller: "--cpu N, --memory NGi"},
	}
	var found []*failure.Error
	for _, object := range objects {
		template, ok, err := unstructured.NestedMap(object.Object, "spec", "template")
		if err != nil || !ok {
			continue
		}
		pod := &corev1.PodTemplateSpec{}
		if err := runtime.DefaultUnstructuredConverter.FromUnstructured(template, pod); err != nil {
			return nil, err
		}
		refused, err := preflight.CheckPods(ctx, pod)
		if err != nil {
			return nil, err
		}
		found = append(found, refused...)
	}
	return found, nil
}
