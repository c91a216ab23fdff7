package cluster

import (
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes/fake"
)

func TestLandings(t *testing.T) {
	node := func(name string, change func(*corev1.Node)) *corev1.Node {
		n := &corev1.Node{
			ObjectMeta: metav1.ObjectMeta{Name: name, Labels: map[string]string{"cloud.google.com/gke-accelerator": "nvidia-l4", "nvidia.com/gpu.memory": "23034"}},
			Status: corev1.NodeStatus{
				Allocatable: corev1.ResourceList{"nvidia.com/gpu": resource.MustParse("1"), "cpu": resource.MustParse("4"), "memory": resource.MustParse("16Gi")},
				Conditions:  []corev1.NodeCondition{{Type: corev1.NodeReady, Status: corev1.ConditionTrue}},
			},
		}
		change(n)
		return n
	}
	requests := corev1.ResourceList{"nvidia.com/gpu": resource.MustParse("1"), "cpu": resource.MustParse("2"), "memory": resource.MustParse("8Gi")}
	spec := corev1.PodSpec{
		NodeSelector: map[string]string{"cloud.google.com/gke-accelerator": "nvidia-l4"},
		Containers:   []corev1.Container{{Name: "vllm", Resources: corev1.ResourceRequirements{Requests: requests, Limits: requests}}},
	}
	on := func(node, cpu, gpu string) *corev1.Pod {
		return &corev1.Pod{ObjectMeta: metav1.ObjectMeta{Name: "on-" + node, Namespace: "other"}, Spec: corev1.PodSpec{NodeName: node, Containers: []corev1.Container{
			{Resources: corev1.ResourceRequirements{Requests: corev1.ResourceList{"cpu": resource.MustParse(cpu), "nvidia.com/gpu": resource.MustParse(gpu)}}},
		}}}
	}
	client := fake.NewClientset(
		node("free", func(*corev1.Node) {}), node("taken", func(*corev1.Node) {}), node("busy", func(*corev1.Node) {}),
		node("cordoned", func(n *corev1.Node) { n.Spec.Unschedulable = true }),
		node("down", func(n *corev1.Node) { n.Status.Conditions[0].Status = corev1.ConditionFalse }),
		node("tainted", func(n *corev1.Node) {
			n.Spec.Taints = []corev1.Taint{{Key: "team", Value: "b", Effect: corev1.TaintEffectNoSchedule}}
		}),
		node("t4", func(n *corev1.Node) { n.Labels["cloud.google.com/gke-accelerator"] = "nvidia-tesla-t4" }),
		node("plain", func(n *corev1.Node) { n.Labels = nil; delete(n.Status.Allocatable, "nvidia.com/gpu") }),
		on("taken", "100m", "1"), on("busy", "2500m", "0"),
	)
	landings, name, err := FindLandings(t.Context(), client, &corev1.PodTemplateSpec{Spec: spec})
	if err != nil || name != "nvidia.com/gpu" {
		t.Fatal(name, err)
	}
	want := map[string]string{
		"free": "", "taken": "1 of 1 nvidia.com/gpu are in use, 1 wanted", "busy": "has too little cpu (2 wanted) left", "cordoned": "is cordoned",
		"down": "is not ready", "tainted": "has the taint team=b:NoSchedule", "t4": "has other labels: not cloud.google.com/gke-accelerator=nvidia-l4",
	}
	for _, l := range landings {
		if why, there := want[l.Node]; !there || l.Why != why || l.MemoryMiB != "23034" || !strings.HasPrefix(l.GPU, "nvidia-") {
			t.Errorf("%+v, want %q", l, why)
		}
		delete(want, l.Node)
	}
	if len(want) > 0 {
		t.Errorf("not looked at: %v", want)
	}
}
