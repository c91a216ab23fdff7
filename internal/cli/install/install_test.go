package install_test

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/cli-runtime/pkg/genericiooptions"

	"github.com/kubectl-summarizer/kubectl-summarizer/internal/cli"
	"github.com/kubectl-summarizer/kubectl-summarizer/internal/tunnel/apitest"
)

// record is the one revision of release r as Helm keeps it: JSON, gzip, base64.
func record(t *testing.T, chart, status string, values map[string]any) *corev1.Secret {
	t.Helper()
	var zipped bytes.Buffer
	w := gzip.NewWriter(&zipped)
	err := json.NewEncoder(w).Encode(map[string]any{
		"name": "r", "namespace": "ml", "version": 1, "config": values,
		"info": map[string]any{"status": status}, "chart": map[string]any{"metadata": map[string]any{"name": chart}},
	})
	if err != nil || w.Close() != nil {
		t.Fatal(err)
	}
	return &corev1.Secret{
		ObjectMeta: metav1.ObjectMeta{
			Namespace: "ml", Name: "sh.helm.release.v1.r.v1",
			Labels: map[string]string{"owner": "helm", "name": "r", "status": status, "version": "1"},
		},
		Data: map[string][]byte{"release": []byte(base64.StdEncoding.EncodeToString(zipped.Bytes()))},
	}
}

// install runs a whole command line.
func install(ctx context.Context, kubeconfig string, args ...string) (code int, errOut string) {
	var out, stderr bytes.Buffer
	args = append([]string{"install", "r", "-n", "ml", "--context", apitest.Context, "--kubeconfig", kubeconfig}, args...)
	code = cli.Main(ctx, args, genericiooptions.IOStreams{In: strings.NewReader(""), Out: &out, ErrOut: &stderr})
	return code, stderr.String()
}

func TestWhatTheLastInstallSays(t *testing.T) {
	wrong := map[string]any{"replica": 2}
	for name, test := range map[string]struct {
		record *corev1.Secret
		args   []string
		code   int // 0 for any
		says   string
		not    string
	}{
		"another chart's, before its values are looked at": {record(t, "postgresql", "deployed", wrong), nil, 3, "is of the chart postgresql", "replica"},
		"another chart's, with --reset-values":             {record(t, "postgresql", "deployed", wrong), []string{"--reset-values"}, 3, "is of the chart postgresql", "replica"},
		"another program works on it":                      {record(t, "vllm-summarizer", "pending-upgrade", wrong), nil, 3, "probably helm, is working on release r", "replica"},
		"a value that there is no longer":                  {record(t, "vllm-summarizer", "deployed", wrong), nil, 2, "from the values of the last install: replica; set it anew, or start from the chart's defaults: --reset-values", ""},
		"the same of a release that is gone":               {record(t, "vllm-summarizer", "uninstalled", wrong), []string{"--dry-run=server"}, 0, "", "replica"},
		"the same with --reset-values":                     {record(t, "vllm-summarizer", "deployed", wrong), []string{"--reset-values", "--dry-run=server"}, 0, "", "replica"},
		"objects elsewhere":                                {record(t, "vllm-summarizer", "deployed", map[string]any{"namespaceOverride": "elsewhere"}), nil, 3, `namespaceOverride is "elsewhere": this program looks for a release's objects in its own namespace, "ml"`, ""},
	} {
		t.Run(name, func(t *testing.T) {
			code, errOut := install(t.Context(), apitest.Start(t, test.record), test.args...)
			if test.code != 0 && code != test.code || !strings.Contains(errOut, test.says) || test.not != "" && strings.Contains(errOut, test.not) {
				t.Errorf("exit code %d\n%s", code, errOut)
			}
		})
	}
}

// The same namespace by another name is no other place.
func TestNamespaceOverrideMayNameTheNamespaceItself(t *testing.T) {
	if _, errOut := install(t.Context(), apitest.Start(t), "--set", "namespaceOverride=ml", "--dry-run=server"); strings.Contains(errOut, "namespaceOverride") {
		t.Error(errOut)
	}
}

// A network that hangs must not hold whoever presses Ctrl-C.
func TestCtrlCWhileTheClusterHangs(t *testing.T) {
	for _, at := range []string{"/secrets", "/version"} {
		release := make(chan struct{})
		asked := make(chan struct{}, 100)
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if strings.HasSuffix(r.URL.Path, at) {
				asked <- struct{}{}
				<-release
			}
			w.Header().Set("Content-Type", "application/json")
			_, _ = w.Write([]byte(`{"kind": "SecretList", "apiVersion": "v1", "items": []}`))
		}))
		kubeconfig := filepath.Join(t.TempDir(), "kubeconfig")
		text := `{apiVersion: v1, kind: Config, clusters: [{name: c, cluster: {server: "` + server.URL + `"}}], contexts: [{name: ` + apitest.Context + `, context: {cluster: c}}]}`
		if err := os.WriteFile(kubeconfig, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		go func() { <-asked; cancel() }()
		start := time.Now()
		code, errOut := install(ctx, kubeconfig)
		if took := time.Since(start); code != 130 || errOut != "error: interrupted\n" || took > 5*time.Second {
			t.Errorf("%s: exit code %d after %s\n%s", at, code, took, errOut)
		}
		close(release)
		server.Close()
	}
}
