package doctor

import (
	"io/fs"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/version"
	fakediscovery "k8s.io/client-go/discovery/fake"
	fakedynamic "k8s.io/client-go/dynamic/fake"
	"k8s.io/client-go/kubernetes/fake"
	clienttesting "k8s.io/client-go/testing"

	"github.com/kubectl-summarizer/kubectl-summarizer/charts"
	"github.com/kubectl-summarizer/kubectl-summarizer/internal/hub"
	"github.com/kubectl-summarizer/kubectl-summarizer/internal/planning"
	"github.com/kubectl-summarizer/kubectl-summarizer/internal/wandb"
	"github.com/kubectl-summarizer/kubectl-summarizer/internal/web"
	"github.com/kubectl-summarizer/kubectl-summarizer/pkg/render"
)

// canary is a token that must be in nothing that is said.
const canary = "hf_canaryCanaryCanaryCanaryCanary1234"

// subject is namespace ml of a cluster with these objects, and what install would apply to it.
func subject(t *testing.T, objects ...runtime.Object) *Subject {
	t.Helper()
	client := fake.NewClientset(objects...)
	discovery, ok := client.Discovery().(*fakediscovery.FakeDiscovery)
	if !ok {
		t.Fatal("no fake discovery")
	}
	discovery.FakedServerVersion = &version.Info{GitVersion: "v1.35.2-gke.100"}
	s := &Subject{
		Client: client, Namespace: "ml", Target: " --context lab", HTTP: web.NewHTTP(),
		Dynamic: fakedynamic.NewSimpleDynamicClientWithCustomListKinds(runtime.NewScheme(), map[schema.GroupVersionResource]string{
			apiServices: "APIServiceList", nodePools: "NodePoolList", computeClasses: "ComputeClassList",
		}),
		Model: "team/model", Accelerator: "nvidia-l4", Platform: "gke-autopilot", Image: "vllm/vllm-openai:v0.32.0",
		HFSecret: SecretKey{"hf-secret", "hf_api_token"},
		Hub:      &hub.Client{Endpoint: "http://127.0.0.1:1", HTTP: web.NewHTTP()},
		WandB:    &wandb.Client{Endpoint: "http://127.0.0.1:1", HTTP: web.NewHTTP()},
	}
	install(t, s, map[string]any{})
	return s
}

// install renders the chart as install would.
func install(t *testing.T, s *Subject, values map[string]any) {
	t.Helper()
	chart, err := fs.Sub(charts.FS, charts.Name)
	if err != nil {
		t.Fatal(err)
	}
	rendered, err := render.Render(t.Context(), chart, render.Options{Release: "r", Namespace: s.Namespace, Values: values})
	if err != nil {
		t.Fatal(err)
	}
	if s.Objects, err = rendered.Objects(); err != nil {
		t.Fatal(err)
	}
	if s.Template, err = planning.PodTemplate(rendered); err != nil {
		t.Fatal(err)
	}
}

// serve adds API groups with a resource each, as "keda.sh/v1alpha1 scaledobjects".
func serve(s *Subject, kinds ...string) {
	discovery, _ := s.Client.Discovery().(*fakediscovery.FakeDiscovery)
	for _, kind := range kinds {
		version, name, _ := strings.Cut(kind, " ")
		discovery.Resources = append(discovery.Resources, &metav1.APIResourceList{GroupVersion: version, APIResources: []metav1.APIResource{{Name: name}}})
	}
}

// forbid takes the right to do something with a resource.
func forbid(s *Subject, verb, resource string) {
	client, _ := s.Client.(*fake.Clientset)
	client.PrependReactor(verb, resource, func(action clienttesting.Action) (bool, runtime.Object, error) {
		return true, nil, apierrors.NewForbidden(action.GetResource().GroupResource(), "", nil)
	})
}

// expect is what a check shall find.
type expect struct {
	id     string
	result Result
	says   string
	fix    string
}

func (s *Subject) expects(t *testing.T, want expect) Finding {
	t.Helper()
	for _, c := range checks {
		if c.id != want.id {
			continue
		}
		got := s.do(t.Context(), c, 5*time.Second)
		s.redact(&got)
		if got.Result != want.result || !strings.Contains(got.Detail, want.says) || !strings.Contains(got.Fix, want.fix) || want.fix == "" && got.Fix != "" {
			t.Errorf("%s: %s %q, fix %q\nwant %s %q, fix %q", got.ID, got.Result, got.Detail, got.Fix, want.result, want.says, want.fix)
		}
		if (got.Fix != "") != (got.Result == Warn || got.Result == Fail) || got.Detail == "" || !strings.HasSuffix(got.Docs, "/docs/doctor.md#"+got.ID) {
			t.Errorf("%+v", got)
		}
		return got
	}
	t.Fatalf("no check %q", want.id)
	return Finding{}
}

// node is a ready node with GPUs and labels.
func node(name string, gpus int64, labels ...string) *corev1.Node {
	n := &corev1.Node{ObjectMeta: metav1.ObjectMeta{Name: name, Labels: map[string]string{}}}
	n.Status.NodeInfo.KubeletVersion = "v1.35.2-gke.100"
	n.Status.Conditions = []corev1.NodeCondition{{Type: corev1.NodeReady, Status: corev1.ConditionTrue}}
	if gpus > 0 {
		n.Status.Allocatable = corev1.ResourceList{"nvidia.com/gpu": *resource.NewQuantity(gpus, resource.DecimalSI)}
	}
	for _, label := range labels {
		key, value, _ := strings.Cut(label, "=")
		n.Labels[key] = value
	}
	return n
}

func changed(n *corev1.Node, change func(*corev1.Node)) *corev1.Node {
	change(n)
	return n
}

// holder is a running pod with GPUs on a node.
func holder(name, on string, gpus int64) *corev1.Pod {
	return &corev1.Pod{ObjectMeta: metav1.ObjectMeta{Namespace: "other", Name: name}, Status: corev1.PodStatus{Phase: corev1.PodRunning},
		Spec: corev1.PodSpec{NodeName: on, Containers: []corev1.Container{{Resources: corev1.ResourceRequirements{Limits: corev1.ResourceList{"nvidia.com/gpu": *resource.NewQuantity(gpus, resource.DecimalSI)}}}}}}
}

func namespace(labels ...string) *corev1.Namespace {
	n := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: "ml", Labels: map[string]string{}}}
	for _, label := range labels {
		key, value, _ := strings.Cut(label, "=")
		n.Labels[key] = value
	}
	return n
}

func secret(name, key, value string) *corev1.Secret {
	return &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Namespace: "ml", Name: name}, Data: map[string][]byte{key: []byte(value)}}
}

// answers runs a server and points the subject's Hub and W&B at it.
func answers(t *testing.T, s *Subject, handler http.HandlerFunc) {
	t.Helper()
	server := httptest.NewServer(handler)
	t.Cleanup(server.Close)
	s.Hub.Endpoint, s.WandB.Endpoint = server.URL, server.URL
}
