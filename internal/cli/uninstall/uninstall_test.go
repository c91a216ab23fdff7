package uninstall_test

import (
	"bytes"
	"compress/gzip"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/cli-runtime/pkg/genericiooptions"

	"github.com/kubectl-summarizer/kubectl-summarizer/internal/cli"
	"github.com/kubectl-summarizer/kubectl-summarizer/internal/tunnel/apitest"
)

// uninstall runs a whole command line for release r in namespace ml.
func uninstall(t *testing.T, kubeconfig string) (code int, out, errOut string) {
	t.Helper()
	var stdout, stderr bytes.Buffer
	code = cli.Main(t.Context(), []string{"uninstall", "r", "-n", "ml", "--context", apitest.Context, "--kubeconfig", kubeconfig},
		genericiooptions.IOStreams{Out: &stdout, ErrOut: &stderr})
	return code, stdout.String(), stderr.String()
}

func TestNoSuchReleaseOrNamespace(t *testing.T) {
	code, _, errOut := uninstall(t, apitest.Start(t))
	if code != 1 || !strings.Contains(errOut, `no release "r": namespace "ml" does not exist`) || !strings.Contains(errOut, "kubectl get namespaces --context "+apitest.Context) {
		t.Errorf("exit code %d\n%s", code, errOut)
	}
	code, _, errOut = uninstall(t, apitest.Start(t, &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: "ml"}}))
	if code != 1 || !strings.Contains(errOut, `no release "r" in namespace ml`) || !strings.Contains(errOut, "install r -n ml --context "+apitest.Context) {
		t.Errorf("exit code %d\n%s", code, errOut)
	}
}

// The release is gone by then: what went is told even where what stays is not known.
func TestWhatWentIsToldWhenWhatStaysIsNot(t *testing.T) {
	var zipped bytes.Buffer
	w := gzip.NewWriter(&zipped)
	_, err := w.Write([]byte(`{"name": "r", "namespace": "ml", "version": 1, "info": {"status": "deployed"}, "chart": {"metadata": {"name": "vllm-summarizer"}},
		"manifest": "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: c\n  namespace: ml\n"}`))
	if err != nil || w.Close() != nil {
		t.Fatal(err)
	}
	record := corev1.Secret{
		TypeMeta:   metav1.TypeMeta{APIVersion: "v1", Kind: "Secret"},
		ObjectMeta: metav1.ObjectMeta{Name: "sh.helm.release.v1.r.v1", Namespace: "ml", Labels: map[string]string{"owner": "helm", "name": "r", "version": "1"}},
		Data:       map[string][]byte{"release": []byte(base64.StdEncoding.EncodeToString(zipped.Bytes()))},
	}
	mux := http.NewServeMux()
	answer := func(pattern string, object any) {
		mux.HandleFunc(pattern, func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "application/json")
			_ = json.NewEncoder(w).Encode(object)
		})
	}
	answer("/version", map[string]string{"major": "1", "minor": "37", "gitVersion": "v1.37.0"})
	answer("/api", metav1.APIVersions{TypeMeta: metav1.TypeMeta{Kind: "APIVersions"}, Versions: []string{"v1"}})
	answer("/apis", metav1.APIGroupList{TypeMeta: metav1.TypeMeta{Kind: "APIGroupList", APIVersion: "v1"}})
	answer("/api/v1", metav1.APIResourceList{TypeMeta: metav1.TypeMeta{Kind: "APIResourceList"}, GroupVersion: "v1", APIResources: []metav1.APIResource{
		{Name: "configmaps", Namespaced: true, Kind: "ConfigMap", Verbs: []string{"get", "delete"}},
	}})
	answer("/api/v1/namespaces/ml/secrets", corev1.SecretList{TypeMeta: metav1.TypeMeta{APIVersion: "v1", Kind: "SecretList"}, Items: []corev1.Secret{record}})
	answer("/api/v1/namespaces/ml/secrets/"+record.Name, record)
	answer("/api/v1/namespaces/ml/configmaps/c", metav1.Status{TypeMeta: metav1.TypeMeta{APIVersion: "v1", Kind: "Status"}, Status: "Success"})
	server := httptest.NewServer(mux) // without claims
	defer server.Close()
	kubeconfig := filepath.Join(t.TempDir(), "kubeconfig")
	text := `{apiVersion: v1, kind: Config, clusters: [{name: c, cluster: {server: "` + server.URL + `"}}], contexts: [{name: ` + apitest.Context + `, context: {cluster: c}}]}`
	if err := os.WriteFile(kubeconfig, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	code, out, errOut := uninstall(t, kubeconfig)
	if code != 1 || out != "configmap/c deleted\n" || !strings.Contains(errOut, "release r is removed, but not all that stays is known: cannot list the volumes that stay") {
		t.Errorf("exit code %d\n%s%s", code, out, errOut)
	}
}
