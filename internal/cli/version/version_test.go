package version_test

import (
	"bytes"
	"compress/gzip"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/cli-runtime/pkg/genericiooptions"
	"sigs.k8s.io/yaml"

	"github.com/kubectl-summarizer/kubectl-summarizer/internal/cli"
	"github.com/kubectl-summarizer/kubectl-summarizer/internal/tunnel/apitest"
)

// version runs a whole command line that is to succeed.
func version(t *testing.T, args ...string) (out, errOut string) {
	t.Helper()
	var stdout, stderr bytes.Buffer
	code := cli.Main(t.Context(), append([]string{"version"}, args...), genericiooptions.IOStreams{Out: &stdout, ErrOut: &stderr})
	if code != 0 {
		t.Fatalf("exit code %d: %s", code, &stderr)
	}
	return stdout.String(), stderr.String()
}

// record is a revision of a release as Helm keeps it: JSON, gzip, base64.
func record(t *testing.T, release, chart, chartVersion string, revision int) *corev1.Secret {
	t.Helper()
	var zipped bytes.Buffer
	w := gzip.NewWriter(&zipped)
	fmt.Fprintf(w, `{"name":%q,"namespace":"ml","version":%d,"info":{"status":"deployed"},`+
		`"chart":{"metadata":{"name":%q,"version":%q,"appVersion":"v0.10.2"}}}`, release, revision, chart, chartVersion)
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return &corev1.Secret{
		ObjectMeta: metav1.ObjectMeta{
			Namespace: "ml", Name: fmt.Sprintf("sh.helm.release.v1.%s.v%d", release, revision),
			Labels: map[string]string{"owner": "helm", "name": release, "status": "deployed", "version": fmt.Sprint(revision)},
		},
		Data: map[string][]byte{"release": []byte(base64.StdEncoding.EncodeToString(zipped.Bytes()))},
	}
}

type report struct {
	Client   struct{ Version, Go string }
	Chart    struct{ Name, Version, AppVersion string }
	Releases []struct {
		Name, Namespace, Status string
		Revision                int
		Chart                   struct{ Name, Version, AppVersion string }
	}
}

// TestFormats: JSON and YAML say the same, and without --releases nothing of releases.
func TestFormats(t *testing.T) {
	var fromJSON, fromYAML report
	asJSON, _ := version(t, "-o", "json")
	asYAML, _ := version(t, "-o", "yaml")
	if err := json.Unmarshal([]byte(asJSON), &fromJSON); err != nil {
		t.Fatal(err)
	}
	if err := yaml.Unmarshal([]byte(asYAML), &fromYAML); err != nil {
		t.Fatal(err)
	}
	if fromJSON.Chart.Name != "vllm-summarizer" || fromJSON.Client.Go == "" || fmt.Sprint(fromJSON) != fmt.Sprint(fromYAML) {
		t.Errorf("%+v and %+v", fromJSON, fromYAML)
	}
	if strings.HasPrefix(asYAML, "{") || !strings.Contains(asYAML, "\n  appVersion: ") || strings.Contains(asJSON+asYAML, "releases") {
		t.Errorf("%s%s", asJSON, asYAML)
	}
}

// TestReleases: the newest revision of each release of our chart in the namespace.
func TestReleases(t *testing.T) {
	flags := []string{"--releases", "--context", apitest.Context, "--kubeconfig", apitest.Start(t,
		record(t, "mail", "vllm-summarizer", "0.2.0", 1),
		record(t, "calls", "vllm-summarizer", "0.1.0", 1), record(t, "calls", "vllm-summarizer", "0.1.1", 2),
		record(t, "other", "nginx", "9.9.9", 1))}
	out, errOut := version(t, append(flags, "-n", "ml")...)
	want := "release calls: vllm-summarizer 0.1.1 (vLLM v0.10.2), revision 2, deployed\n" +
		"release mail: vllm-summarizer 0.2.0 (vLLM v0.10.2), revision 1, deployed\n"
	if !strings.HasPrefix(out, "plugin ") || !strings.HasSuffix(out, want) || errOut != "" || strings.Count(out, "\n") != 4 {
		t.Errorf("%s%s", out, errOut)
	}
	var r report
	out, _ = version(t, append(flags, "-n", "ml", "-o", "json")...)
	if err := json.Unmarshal([]byte(out), &r); err != nil || len(r.Releases) != 2 || r.Releases[0].Name != "calls" ||
		r.Releases[0].Revision != 2 || r.Releases[0].Status != "deployed" || r.Releases[0].Chart.Version != "0.1.1" || r.Releases[0].Chart.AppVersion != "v0.10.2" {
		t.Errorf("%v: %s", err, out)
	}
	out, errOut = version(t, append(flags, "-n", "none")...)
	if strings.Contains(out, "release ") || errOut != "there is no release in namespace none\n" {
		t.Errorf("%s%s", out, errOut)
	}
	if out, _ = version(t, append(flags, "-n", "none", "-o", "json")...); !strings.Contains(out, `"releases": []`) {
		t.Error(out)
	}
}
