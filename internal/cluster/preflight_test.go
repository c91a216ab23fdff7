package cluster

import (
	"strings"
	"testing"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/kubernetes/fake"

	"github.com/kubectl-summarizer/kubectl-summarizer/internal/failure"
)

func TestPreflight(t *testing.T) {
	node := func(name string, gpus string, labels map[string]string) *corev1.Node {
		return &corev1.Node{ObjectMeta: metav1.ObjectMeta{Name: name, Labels: labels},
			Status: corev1.NodeStatus{Allocatable: corev1.ResourceList{"nvidia.com/gpu": resource.MustParse(gpus)}}}
	}
	l4 := map[string]string{"cloud.google.com/gke-accelerator": "nvidia-l4"}
	t4 := map[string]string{"cloud.google.com/gke-accelerator": "nvidia-tesla-t4"}
	secret := func(key string) *corev1.Secret {
		return &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Name: "hf-secret", Namespace: "ns"}, Data: map[string][]byte{key: []byte("x")}}
	}
	autoscaler := &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Name: "cluster-autoscaler-status", Namespace: "kube-system"}}
	other := &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Name: "proxy", Namespace: "ns"}}
	tests := map[string]struct {
		there    []runtime.Object
		require  bool
		refusals []string
		warnings []string
	}{
		"all is there":                   {there: []runtime.Object{node("n", "4", l4), secret("hf_api_token")}},
		"no node yet, as on Autopilot":   {there: []runtime.Object{secret("hf_api_token")}, warnings: []string{"must be added"}},
		"another GPU":                    {there: []runtime.Object{node("n", "4", t4), secret("hf_api_token")}, refusals: []string{"no node has cloud.google.com/gke-accelerator=nvidia-l4"}},
		"another GPU, but an autoscaler": {there: []runtime.Object{node("n", "4", t4), autoscaler, secret("hf_api_token")}, warnings: []string{"must be added"}},
		"an Autopilot node":              {there: []runtime.Object{node("gk3-x", "0", nil), secret("hf_api_token")}, warnings: []string{"must be added"}},
		"too few GPUs":                   {there: []runtime.Object{node("n", "1", l4), secret("hf_api_token")}, refusals: []string{"no node has 2 x nvidia.com/gpu: 1 have the labels"}},
		"a node too small for the rest":  {there: []runtime.Object{small(node("n", "4", l4)), secret("hf_api_token")}, refusals: []string{"no node is large enough for the server's pod: it requests cpu 4, memory 20Gi"}},
		"no Secret":                      {there: []runtime.Object{node("n", "4", l4)}, warnings: []string{"the Secret hf-secret does not exist"}},
		"no Secret, but one was named":   {there: []runtime.Object{node("n", "4", l4)}, require: true, refusals: []string{`the Secret "hf-secret" does not exist`}},
		"a Secret without the key":       {there: []runtime.Object{node("n", "4", l4), secret("token")}, refusals: []string{`has no key "hf_api_token"; it has: token`}},
		"no node has a GPU":              {there: []runtime.Object{node("n", "0", nil), secret("hf_api_token")}, refusals: []string{"no node has cloud.google.com/gke-accelerator=nvidia-l4"}},
		"another Secret without the key": {there: []runtime.Object{node("n", "4", l4), secret("hf_api_token"), other}, refusals: []string{`the Secret "proxy" has no key "url"; it has: nothing`}},
		"two things at once":             {there: []runtime.Object{node("n", "4", t4), secret("token")}, refusals: []string{"has no key", "no node has"}},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			var warnings []string
			p := &Preflight{Client: fake.NewClientset(tt.there...), Namespace: "ns", RequireToken: tt.require, Target: there,
				Warn: func(text string) { warnings = append(warnings, text) }}
			refusals, err := p.CheckPods(t.Context(), &twoGPUs().Spec.Template)
			if err != nil {
				t.Fatal(err)
			}
			var said []string
			for _, r := range refusals {
				said = append(said, r.Error())
				if r.Kind != failure.Refused || r.Next == "" {
					t.Errorf("%q: kind %d, next %q", r, r.Kind, r.Next)
				}
				aimed(t, r.Next)
			}
			for _, warning := range warnings {
				aimed(t, warning)
			}
			expect(t, "refusals", said, tt.refusals)
			expect(t, "warnings", warnings, tt.warnings)
		})
	}
}

func expect(t *testing.T, what string, got, want []string) {
	t.Helper()
	if len(got) != len(want) {
		t.Fatalf("%s: %q, want %q", what, got, want)
	}
	for i := range got {
		if !strings.Contains(got[i], want[i]) {
			t.Errorf("%s: %q does not say %q", what, got[i], want[i])
		}
	}
}

// small gives a node two processors.
func small(node *corev1.Node) *corev1.Node {
	node.Status.Allocatable[corev1.ResourceCPU] = resource.MustParse("2")
	node.Status.Allocatable[corev1.ResourceMemory] = resource.MustParse("24Gi")
	return node
}

func twoGPUs() *appsv1.Deployment {
	optional := true
	return &appsv1.Deployment{Spec: appsv1.DeploymentSpec{Template: corev1.PodTemplateSpec{Spec: corev1.PodSpec{
		NodeSelector: map[string]string{"cloud.google.com/gke-accelerator": "nvidia-l4"},
		Containers: []corev1.Container{{
			Name: ServerContainer,
			Resources: corev1.ResourceRequirements{
				Limits:   corev1.ResourceList{"nvidia.com/gpu": resource.MustParse("2")},
				Requests: corev1.ResourceList{corev1.ResourceCPU: resource.MustParse("4"), corev1.ResourceMemory: resource.MustParse("20Gi")},
			},
			Env: []corev1.EnvVar{{Name: "PROXY", ValueFrom: &corev1.EnvVarSource{SecretKeyRef: &corev1.SecretKeySelector{
				LocalObjectReference: corev1.LocalObjectReference{Name: "proxy"}, Key: "url", Optional: &optional}}}, {Name: "HF_TOKEN", ValueFrom: &corev1.EnvVarSource{SecretKeyRef: &corev1.SecretKeySelector{
				LocalObjectReference: corev1.LocalObjectReference{Name: "hf-secret"}, Key: "hf_api_token", Optional: &optional}}}},
		}},
	}}}}
}
