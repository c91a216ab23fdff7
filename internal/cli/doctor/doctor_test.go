package doctor_test

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	authorizationv1 "k8s.io/api/authorization/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/version"
	"k8s.io/cli-runtime/pkg/genericiooptions"
	"k8s.io/client-go/tools/clientcmd"
	"k8s.io/client-go/tools/clientcmd/api"

	"github.com/kubectl-summarizer/kubectl-summarizer/internal/cli"
)

// canary is a token that must be nowhere but in requests to the Hub and to Weights & Biases.
const canary = "hf_canaryCanaryCanaryCanaryCanary1234"

// doctor runs the whole command line.
func doctor(t *testing.T, args ...string) (code int, stdout, stderr string) {
	t.Helper()
	var out, errOut bytes.Buffer
	code = cli.Main(t.Context(), append([]string{"doctor"}, args...), genericiooptions.IOStreams{Out: &out, ErrOut: &errOut})
	if strings.Contains(out.String()+errOut.String(), canary) {
		t.Errorf("the token is printed: %s%s", &out, &errOut)
	}
	return code, out.String(), errOut.String()
}

// world is a Hub, a W&B and a registry in one; the environment points to it and to no cluster.
// The model closed/model is gated, and nobody has accepted its licence.
func world(t *testing.T) (image string) {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.Contains(r.URL.String(), canary) {
			t.Errorf("the token is in the address: %s", r.URL)
		}
		switch {
		case r.URL.Path == "/api/whoami-v2" && r.Header.Get("Authorization") == "Bearer "+canary:
			_, _ = io.WriteString(w, `{"name":"ann","auth":{"accessToken":{"role":"read"}}}`)
		case r.URL.Path == "/graphql":
			_, _ = io.WriteString(w, `{"data":{"viewer":{"username":"ann"}}}`)
		case strings.HasPrefix(r.URL.Path, "/closed/"):
			w.Header().Set("X-Error-Code", "GatedRepo")
			w.Header().Set("X-Error-Message", "the account of "+canary+" is not in the list")
			w.WriteHeader(http.StatusForbidden)
		}
	}))
	t.Cleanup(server.Close)
	for name, value := range map[string]string{
		"HF_ENDPOINT": server.URL, "WANDB_BASE_URL": server.URL + "/", "HF_TOKEN": canary, "WANDB_API_KEY": canary,
		"KUBECONFIG": filepath.Join(t.TempDir(), "none"), "HTTP_PROXY": "",
	} {
		t.Setenv(name, value)
	}
	return strings.TrimPrefix(server.URL, "http://") + "/vllm:v0.32.0"
}

type report struct {
	SchemaVersion    int
	Healthy          bool
	Namespace, Model string
	Summary          map[string]int
	Checks           []struct {
		ID, Title, Result, Detail, Fix, Docs string
		Items                                []struct{ Name, Result, Detail string }
	}
}

func (r *report) of(result string) []string {
	var ids []string
	for _, c := range r.Checks {
		if c.Result == result {
			ids = append(ids, c.ID)
		}
	}
	return ids
}

func read(t *testing.T, text string) *report {
	t.Helper()
	r := &report{}
	if err := json.Unmarshal([]byte(text), r); err != nil {
		t.Fatalf("%v: %s", err, text)
	}
	return r
}

// Without a cluster the accounts are checked, and the exit code is theirs.
func TestWithoutCluster(t *testing.T) {
	image := world(t)
	code, stdout, stderr := doctor(t, "--image", image)
	if code != 0 || stderr != "" || !strings.Contains(stdout, "skipped  gpu-nodes         no cluster is configured: give --kubeconfig FILE or set KUBECONFIG\n") ||
		!strings.Contains(stdout, "pass     model-access      mistralai/Mistral-7B-Instruct-v0.3 may be read with the token from HF_TOKEN of the environment\n") ||
		!strings.HasSuffix(stdout, "\n4 passed, 0 warned, 0 failed, 14 skipped\n") {
		t.Errorf("exit code %d\n%s%s", code, stdout, stderr)
	}
	code, stdout, stderr = doctor(t, "--image", image, "--model", "closed/model", "--publish-repo", "ann/sums", "-o", "json")
	r := read(t, stdout)
	if code != 4 || !strings.HasSuffix(stderr, "error: 2 of 18 checks failed: model-access, hub-write\n") {
		t.Errorf("exit code %d: %s", code, stderr)
	}
	if r.SchemaVersion != 1 || r.Healthy || r.Model != "closed/model" || r.Namespace != "default" || r.Summary["fail"] != 2 || r.Summary["pass"] != 3 || r.Summary["skipped"] != 13 {
		t.Errorf("%+v", r)
	}
	if got := r.of("fail"); !slices.Equal(got, []string{"model-access", "hub-write"}) {
		t.Errorf("%q", got)
	}
	last := r.Checks[len(r.Checks)-1]
	if last.ID != "egress" || len(last.Items) != 3 || !strings.HasSuffix(last.Docs, "docs/doctor.md#egress") || last.Fix != "" {
		t.Errorf("%+v", last)
	}
}

// apiServer shows the objects at these paths to somebody who has every right.
type apiServer map[string]any

func (a apiServer) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Type", "application/json")
	object, found := a[r.URL.Path]
	switch {
	case strings.HasSuffix(r.URL.Path, "/selfsubjectaccessreviews"):
		object = authorizationv1.SelfSubjectAccessReview{TypeMeta: metav1.TypeMeta{Kind: "SelfSubjectAccessReview", APIVersion: "authorization.k8s.io/v1"}, Status: authorizationv1.SubjectAccessReviewStatus{Allowed: true}}
	case !found:
		w.WriteHeader(http.StatusNotFound)
		object = metav1.Status{TypeMeta: metav1.TypeMeta{Kind: "Status", APIVersion: "v1"}, Status: "Failure", Code: http.StatusNotFound, Reason: metav1.StatusReasonNotFound, Message: r.URL.Path}
	}
	_ = json.NewEncoder(w).Encode(object)
}

// list is an empty list, or one of these objects.
func list(kind, group string, items ...any) map[string]any {
	return map[string]any{"kind": kind + "List", "apiVersion": group, "metadata": map[string]any{}, "items": append([]any{}, items...)}
}

// lab is a cluster with one old GPU node and the token in the Secret mine.
func lab(t *testing.T) (kubeconfig string) {
	t.Helper()
	node := corev1.Node{ObjectMeta: metav1.ObjectMeta{Name: "gpu-1", Labels: map[string]string{"nvidia.com/cuda.driver-version.major": "535", "nvidia.com/gpu.product": "NVIDIA-L4"}}}
	node.Status.Allocatable = corev1.ResourceList{"nvidia.com/gpu": resource.MustParse("2")}
	node.Status.Conditions = []corev1.NodeCondition{{Type: corev1.NodeReady, Status: corev1.ConditionTrue}}
	server := httptest.NewServer(apiServer{
		"/version":                             version.Info{GitVersion: "v1.36.0"},
		"/api":                                 metav1.APIVersions{TypeMeta: metav1.TypeMeta{Kind: "APIVersions"}, Versions: []string{"v1"}},
		"/apis":                                metav1.APIGroupList{TypeMeta: metav1.TypeMeta{Kind: "APIGroupList", APIVersion: "v1"}},
		"/api/v1/namespaces/ml":                corev1.Namespace{TypeMeta: metav1.TypeMeta{Kind: "Namespace", APIVersion: "v1"}, ObjectMeta: metav1.ObjectMeta{Name: "ml"}},
		"/api/v1/nodes":                        list("Node", "v1", node),
		"/api/v1/pods":                         list("Pod", "v1"),
		"/api/v1/namespaces/ml/resourcequotas": list("ResourceQuota", "v1"), "/api/v1/namespaces/ml/limitranges": list("LimitRange", "v1"),
		"/apis/networking.k8s.io/v1/namespaces/ml/networkpolicies": list("NetworkPolicy", "networking.k8s.io/v1"),
		"/apis/storage.k8s.io/v1/storageclasses":                   list("StorageClass", "storage.k8s.io/v1"),
		"/apis/apiregistration.k8s.io/v1/apiservices":              list("APIService", "apiregistration.k8s.io/v1"),
		"/api/v1/namespaces/ml/secrets/mine": corev1.Secret{TypeMeta: metav1.TypeMeta{Kind: "Secret", APIVersion: "v1"},
			ObjectMeta: metav1.ObjectMeta{Namespace: "ml", Name: "mine"}, Data: map[string][]byte{"token": []byte(canary + "\n")}},
	})
	t.Cleanup(server.Close)
	kubeconfig = filepath.Join(t.TempDir(), "kubeconfig")
	config := api.Config{Clusters: map[string]*api.Cluster{"c": {Server: server.URL}}, Contexts: map[string]*api.Context{"lab": {Cluster: "c", Namespace: "ml"}}}
	if err := clientcmd.WriteToFile(config, kubeconfig); err != nil {
		t.Fatal(err)
	}
	return kubeconfig
}

// With a cluster its checks run in the context's namespace, and their fixes lead back to it.
func TestWithCluster(t *testing.T) {
	image := world(t)
	kubeconfig := lab(t)
	target := " --context lab --kubeconfig " + kubeconfig
	flags := []string{"--image", image, "--context", "lab", "--kubeconfig", kubeconfig, "--platform", "custom"}
	code, stdout, stderr := doctor(t, flags...)
	for _, line := range []string{
		"pass     cluster           Kubernetes v1.36.0\n",
		"pass     rights            your rights in namespace ml are enough for every verb\n",
		"pass     gpu-nodes         1 node with 2 GPUs (nvidia-l4), 2 free\n",
		"fail     gpu-driver        driver R535 on gpu-1: vLLM v0.32.0 needs R580 or newer\n                           fix: upgrade the driver",
		"warn     hf-secret         there is no Secret hf-secret in namespace ml",
		"kubectl create secret generic -n ml" + target + " hf-secret --from-file=hf_api_token=/dev/stdin\n",
		"                           see: https://github.com/kubectl-summarizer/kubectl-summarizer/blob/main/docs/doctor.md#gpu-driver\n",
	} {
		if !strings.Contains(stdout, line) {
			t.Errorf("not said: %s", line)
		}
	}
	if code != 4 || !strings.HasSuffix(stderr, "error: 1 of 18 checks failed: gpu-driver\n") || t.Failed() {
		t.Errorf("exit code %d: %s%s", code, stderr, stdout)
	}
	_, stdout, _ = doctor(t, append(flags, "--hf-secret", "mine:token", "-o", "json")...)
	r := read(t, stdout)
	if got := r.of("skipped"); !slices.Equal(got, []string{"hub-write"}) {
		t.Errorf("skipped: %q", got)
	}
	if got := r.of("warn"); !slices.Equal(got, []string{"storage", "metrics", "hf-secret"}) || !strings.Contains(stdout, "(from Secret mine, key token)") {
		t.Errorf("warn: %q, %s", got, stdout)
	}
}

func TestUsage(t *testing.T) {
	world(t)
	for name, args := range map[string][]string{
		"a token for a Secret": {"--hf-secret", canary}, "a token for W&B's": {"--wandb-secret", canary},
		"a token for a repository": {"--publish-repo", canary}, "no organization": {"--publish-repo", "sums"},
		"a password in the address": {"--hub-endpoint", "https://ann:" + canary + "@hub.example"},
		"no address":                {"--hub-endpoint", "hub.example"}, "output": {"-o", "yaml"}, "timeout": {"--timeout", "0s"}, "an argument": {"summarizer"},
	} {
		if code, stdout, stderr := doctor(t, args...); code != 2 || stdout != "" || !strings.HasPrefix(stderr, "error: ") {
			t.Errorf("%s: exit code %d: %s%s", name, code, stdout, stderr)
		}
	}
	// A cluster that is named and cannot be found is no reason to do without.
	if code, _, stderr := doctor(t, "--context", "none"); code != 1 || !strings.Contains(stderr, "kubectl config get-contexts") {
		t.Errorf("exit code %d: %s", code, stderr)
	}
	if code, stdout, _ := doctor(t, "--offline", "--context", "none", "--image", "127.0.0.1:1/x:v1"); code != 0 || !strings.Contains(stdout, "the cluster was not asked (--offline)") {
		t.Errorf("exit code %d: %s", code, stdout)
	}
}
