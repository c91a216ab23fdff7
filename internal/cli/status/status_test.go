package status

import (
	"bytes"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/version"
	"k8s.io/cli-runtime/pkg/genericiooptions"
	"sigs.k8s.io/yaml"

	"github.com/kubectl-summarizer/kubectl-summarizer/internal/cli/factory"
	"github.com/kubectl-summarizer/kubectl-summarizer/internal/cluster"
	"github.com/kubectl-summarizer/kubectl-summarizer/internal/failure"
	"github.com/kubectl-summarizer/kubectl-summarizer/internal/release"
)

// apiServer answers for one namespace, ns, with lists of objects by the end of their path, as
// a real one answers to somebody who may read those and nothing else. What is not there is
// forbidden; nil is not found.
type apiServer map[string]any

func (s apiServer) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Type", "application/json")
	object, found := s[r.URL.Path[strings.LastIndex(r.URL.Path, "/")+1:]]
	code, reason := http.StatusForbidden, metav1.StatusReasonForbidden
	switch {
	case found && object != nil:
		_ = json.NewEncoder(w).Encode(object)
		return
	case found:
		code, reason = http.StatusNotFound, metav1.StatusReasonNotFound
	}
	w.WriteHeader(code)
	_ = json.NewEncoder(w).Encode(metav1.Status{TypeMeta: metav1.TypeMeta{Kind: "Status", APIVersion: "v1"},
		Status: "Failure", Code: int32(code), Reason: reason, Message: r.URL.Path + " is refused"})
}

// status runs the verb against the server, for release r in namespace ns.
func status(t *testing.T, server http.Handler, args ...string) (stdout, stderr string, err error) {
	t.Helper()
	at := httptest.NewServer(server)
	defer at.Close()
	kubeconfig := filepath.Join(t.TempDir(), "kubeconfig")
	text := `{apiVersion: v1, kind: Config, current-context: c, clusters: [{name: c, cluster: {server: "` + at.URL +
		`"}}], contexts: [{name: c, context: {cluster: c, user: u, namespace: ns}}], users: [{name: u, user: {token: t}}]}`
	if err := os.WriteFile(kubeconfig, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	var out, errOut bytes.Buffer
	f := factory.New(genericiooptions.IOStreams{Out: &out, ErrOut: &errOut})
	f.Now = func() time.Time { return time.Date(2026, 11, 1, 12, 0, 0, 0, time.UTC) }
	f.Config.KubeConfig = &kubeconfig
	cmd := NewCmd(f)
	cmd.SetArgs(append([]string{"r"}, args...))
	cmd.SilenceErrors, cmd.SilenceUsage = true, true
	err = cmd.ExecuteContext(t.Context())
	return out.String(), errOut.String(), err
}

func running(available int32) appsv1.DeploymentList {
	one := int32(1)
	return appsv1.DeploymentList{TypeMeta: metav1.TypeMeta{Kind: "DeploymentList", APIVersion: "apps/v1"}, Items: []appsv1.Deployment{{
		ObjectMeta: metav1.ObjectMeta{Name: "r-server", Namespace: "ns", Labels: map[string]string{"helm.sh/chart": "vllm-summarizer-0.1.0"}},
		Spec:       appsv1.DeploymentSpec{Replicas: &one},
		Status:     appsv1.DeploymentStatus{Replicas: 1, UpdatedReplicas: 1, AvailableReplicas: available},
	}}}
}

var (
	noDeployments = appsv1.DeploymentList{TypeMeta: metav1.TypeMeta{Kind: "DeploymentList", APIVersion: "apps/v1"}}
	noSets        = appsv1.ReplicaSetList{TypeMeta: metav1.TypeMeta{Kind: "ReplicaSetList", APIVersion: "apps/v1"}}
	noPods        = corev1.PodList{TypeMeta: metav1.TypeMeta{Kind: "PodList", APIVersion: "v1"}}
	noSecrets     = corev1.SecretList{TypeMeta: metav1.TypeMeta{Kind: "SecretList", APIVersion: "v1"}}
	theNamespace  = corev1.Namespace{TypeMeta: metav1.TypeMeta{Kind: "Namespace", APIVersion: "v1"}, ObjectMeta: metav1.ObjectMeta{Name: "ns"}}
)

// The built-in role "view" may read everything but Secrets, where Helm keeps its records.
func TestWithoutTheRightToReadSecrets(t *testing.T) {
	seen := apiServer{"deployments": running(0), "replicasets": noSets, "pods": noPods, "ns": theNamespace}
	stdout, stderr, err := status(t, seen)
	if failure.KindOf(err) != failure.Unhealthy || !strings.Contains(stdout, "release    r in ns, vllm-summarizer 0.1.0\nstate      no pod yet\n") {
		t.Errorf("%v\n%s", err, stdout)
	}
	if !strings.HasPrefix(stderr, "warning: Helm's record cannot be read") || strings.Count(stderr, "\n") != 1 {
		t.Errorf("stderr: %q", stderr)
	}
	stdout, _, _ = status(t, seen, "-o", "json")
	var got map[string]any
	if err := json.Unmarshal([]byte(stdout), &got); err != nil || got["chart"] != "vllm-summarizer 0.1.0" || got["revision"] != nil || got["updated"] != nil {
		t.Errorf("%v: %s", err, stdout)
	}
	// Nor may it forward ports: that says nothing of the server.
	if stdout, _, err = status(t, apiServer{"deployments": running(1), "replicasets": noSets, "pods": readyPods(), "ns": theNamespace}); err != nil || !strings.Contains(stdout, "healthy: 1 of 1") {
		t.Errorf("%v\n%s", err, stdout)
	}
}

func readyPods() corev1.PodList {
	list := noPods
	list.Items = []corev1.Pod{{
		ObjectMeta: metav1.ObjectMeta{Name: "r-0", Namespace: "ns"},
		Spec:       corev1.PodSpec{Containers: []corev1.Container{{Name: cluster.ServerContainer, Ports: []corev1.ContainerPort{{Name: "http", ContainerPort: 8000}}}}},
		Status:     corev1.PodStatus{Phase: corev1.PodRunning, Conditions: []corev1.PodCondition{{Type: corev1.PodScheduled, Status: "True"}, {Type: corev1.PodReady, Status: "True"}}},
	}}
	return list
}

func TestWhatIsNotThere(t *testing.T) {
	tests := map[string]struct {
		server apiServer
		says   string
		next   string
	}{
		"no namespace": {apiServer{"secrets": noSecrets, "version": version.Info{GitVersion: "v1.37.2"}, "ns": nil}, `there is no namespace "ns"`, "kubectl get namespaces --kubeconfig"},
		"no namespace, and no right": {apiServer{"deployments": noDeployments, "replicasets": noSets, "pods": noPods, "ns": nil},
			`there is no namespace "ns"`, "kubectl get namespaces --kubeconfig"},
		"no release":                        {apiServer{"secrets": noSecrets, "version": version.Info{GitVersion: "v1.37.2"}, "ns": theNamespace}, `no release "r" in namespace ns`, "install"},
		"no release, namespaces are hidden": {apiServer{"secrets": noSecrets, "version": version.Info{GitVersion: "v1.37.2"}}, `no release "r" in namespace ns`, "install"},
		"no release, and no right": {apiServer{"deployments": noDeployments, "replicasets": noSets, "pods": noPods, "ns": theNamespace},
			`nothing of release "r" is in namespace ns that you may see`, "kubectl get deployments -n ns -l app.kubernetes.io/component=server --kubeconfig"},
		"no right at all": {apiServer{}, "you may not do this: ", "kubectl auth can-i --list --kubeconfig"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			stdout, stderr, err := status(t, tt.server)
			if err == nil || failure.KindOf(err) != failure.Failed || !strings.Contains(err.Error(), tt.says) || !strings.Contains(failure.NextOf(err), tt.next) {
				t.Errorf("%v, next %q; want %q, %q", err, failure.NextOf(err), tt.says, tt.next)
			}
			if stdout != "" || stderr != "" {
				t.Errorf("stdout %q, stderr %q", stdout, stderr)
			}
		})
	}
}

func TestOutputs(t *testing.T) {
	seen := apiServer{"deployments": running(0), "replicasets": noSets, "pods": noPods}
	asJSON, _, _ := status(t, seen, "-o", "json")
	asYAML, _, err := status(t, seen, "-o", "yaml")
	if failure.KindOf(err) != failure.Unhealthy {
		t.Error(err)
	}
	converted, err := yaml.YAMLToJSON([]byte(asYAML))
	var one, other any
	if err != nil || json.Unmarshal([]byte(asJSON), &one) != nil || json.Unmarshal(converted, &other) != nil {
		t.Fatalf("%v\n%s\n%s", err, asJSON, asYAML)
	}
	a, _ := json.Marshal(one)
	b, _ := json.Marshal(other)
	if string(a) != string(b) || strings.HasPrefix(asYAML, "{") {
		t.Errorf("yaml differs from json:\n%s\n%s", asYAML, asJSON)
	}
	if _, _, err = status(t, seen, "-o", "name"); failure.KindOf(err) != failure.Usage || !strings.Contains(err.Error(), "text, json or yaml") {
		t.Error(err)
	}
}

func TestWhatToDo(t *testing.T) {
	file := "file"
	f := factory.New(genericiooptions.IOStreams{})
	f.Config.KubeConfig = &file
	o := &options{f: f, release: "r", namespace: "ns"}
	well := &cluster.View{Deployment: "d", Healthy: true, Desired: 1, Available: 1}
	tests := map[string]struct {
		record  string
		view    *cluster.View
		said    *served
		healthy bool
		says    string
		next    string
	}{
		"well":                  {"deployed", well, &served{}, true, "healthy", ""},
		"silent":                {"deployed", well, &served{Error: "refused"}, false, "the server does not answer", "kubectl logs -n ns -l " + cluster.Selector("r") + " -c vllm --tail 50 --kubeconfig file"},
		"not asked":             {"deployed", well, &served{Error: "no right", unasked: true}, true, "healthy", ""},
		"an earlier one serves": {"failed", well, &served{}, false, "did not end well (failed)", "kubectl summarizer install r -n ns --kubeconfig file"},
		"gone":                  {"deployed", &cluster.View{}, nil, false, "Deployment is gone", "kubectl summarizer install r -n ns --kubeconfig file"},
		"over several nodes":    {"deployed", &cluster.View{}, nil, false, "which status cannot follow yet", "kubectl get leaderworkersets,pods -n ns -l app.kubernetes.io/instance=r --kubeconfig file"},
		"going meanwhile":       {"deployed", &cluster.View{Deployment: "d", Desired: 1, Pods: []cluster.Pod{{Phase: cluster.Stopping}}}, &served{Error: "no pod is ready"}, false, "Stopping: 0 of 1", ""},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			info := &release.Info{Status: tt.record, Revision: 1}
			if name == "over several nodes" {
				info.Values = map[string]any{"gpu": map[string]any{"nodes": 2}}
			}
			r := o.report(info, tt.view, tt.said)
			if r.Healthy != tt.healthy || !strings.Contains(r.Summary, tt.says) || !strings.Contains(r.next, tt.next) || (r.next == "") != (tt.next == "") {
				t.Errorf("healthy %v, %q, next %q", r.Healthy, r.Summary, r.next)
			}
		})
	}
}
