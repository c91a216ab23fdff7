package runs_test

import (
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/kubectl-summarizer/kubectl-summarizer/internal/failure"
	"github.com/kubectl-summarizer/kubectl-summarizer/internal/runs"
	"github.com/kubectl-summarizer/kubectl-summarizer/internal/runs/runstest"
	"github.com/kubectl-summarizer/kubectl-summarizer/pkg/train"
)

// A release that serves the adapter from the volume holds it on its node.
func TestNear(t *testing.T) {
	server := func(change func(*corev1.Pod)) *corev1.Pod {
		pod := runstest.Pod("other", "server", "server-1", 0, runstest.Running)
		pod.Labels[train.LabelName] = "vllm-summarizer"
		pod.Spec.Volumes = []corev1.Volume{{Name: "a", VolumeSource: corev1.VolumeSource{
			PersistentVolumeClaim: &corev1.PersistentVolumeClaimVolumeSource{ClaimName: "train-cookies"},
		}}}
		pod.Spec.Containers[0].Resources.Limits = corev1.ResourceList{"nvidia.com/gpu": resource.MustParse("1")}
		pod.Spec.Tolerations = []corev1.Toleration{{Key: "nvidia.com/gpu", Operator: corev1.TolerationOpExists}}
		change(pod)
		return pod
	}
	for name, test := range map[string]struct {
		mode     corev1.PersistentVolumeAccessMode
		platform string
		pod      func(*corev1.Pod)
		near     bool
		refused  bool
	}{
		"on its node, with its tolerations": {corev1.ReadWriteOnce, train.GKEStandard, func(*corev1.Pod) {}, true, false},
		"Autopilot keeps it out":            {corev1.ReadWriteOnce, train.GKEAutopilot, func(*corev1.Pod) {}, false, true},
		"Autopilot by default":              {corev1.ReadWriteOnce, "", func(*corev1.Pod) {}, false, true},
		"a server without a GPU":            {corev1.ReadWriteOnce, train.GKEAutopilot, func(p *corev1.Pod) { p.Spec.Containers[0].Resources.Limits = nil }, true, false},
		"a server on its way out": {corev1.ReadWriteOnce, train.GKEAutopilot, func(p *corev1.Pod) {
			p.DeletionTimestamp, p.Finalizers = &metav1.Time{Time: time.Now()}, []string{"a/b"}
		}, false, false},
		"a volume for many": {corev1.ReadWriteMany, train.GKEAutopilot, func(*corev1.Pod) {}, false, false},
		"another volume":    {corev1.ReadWriteOnce, train.GKEStandard, func(p *corev1.Pod) { p.Spec.Volumes[0].PersistentVolumeClaim.ClaimName = "x" }, false, false},
	} {
		t.Run(name, func(t *testing.T) {
			claim := &corev1.PersistentVolumeClaim{
				ObjectMeta: metav1.ObjectMeta{Name: "train-cookies", Namespace: runstest.Namespace},
				Spec:       corev1.PersistentVolumeClaimSpec{AccessModes: []corev1.PersistentVolumeAccessMode{test.mode}},
			}
			observer := &runs.Observer{Client: runstest.New(claim, server(test.pod)), Namespace: runstest.Namespace}
			options := train.Options{Namespace: runstest.Namespace, Platform: test.platform}
			spec := train.Default()
			spec.Name, spec.Model.ID = "cookies", "org/model"
			objects, err := train.PublishJob(spec, options, train.Publish{Repo: "a/b"})
			if err != nil {
				t.Fatal(err)
			}
			err = observer.Near(t.Context(), &runs.Run{Name: "cookies", Spec: spec, Options: &options}, objects)
			if test.refused != (failure.KindOf(err) == failure.Refused && strings.Contains(err.Error(), "pod server-1") && strings.Contains(failure.NextOf(err), "uninstall other -n ml")) || !test.refused && err != nil {
				t.Fatal(err)
			}
			node, _, _ := unstructured.NestedString(objects[1].Object, "spec", "template", "spec", "nodeSelector", corev1.LabelHostname)
			tolerations, _, _ := unstructured.NestedSlice(objects[1].Object, "spec", "template", "spec", "tolerations")
			if (node == "node-1") != test.near || (len(tolerations) > 0) != test.near {
				t.Errorf("node %q, tolerations %v", node, tolerations)
			}
		})
	}
}
