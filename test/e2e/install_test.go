//go:build e2e

package e2e

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// sim are the values of the simulator lane: it starts in seconds.
func sim(more ...string) []string {
	return append([]string{"-f", values("local-sim-values.yaml"), "--timeout", "3m"}, more...)
}

func install(ns, release string, more ...string) []string {
	return append([]string{"install", release, "-n", ns}, sim(more...)...)
}

// played sets what the simulator plays: NAME=VALUE each.
func played(env ...string) []string {
	var flags []string
	for i, pair := range env {
		name, value, _ := strings.Cut(pair, "=")
		flags = append(flags, "--set", fmt.Sprintf("extraEnv[%d].name=%s", i, name), "--set-string", fmt.Sprintf("extraEnv[%d].value=%s", i, value))
	}
	return flags
}

func TestInstallQueryUninstall(t *testing.T) {
	ns := namespace(t)
	// The simulator's own answers are drawn by chance, and may be cut off, which query would say.
	run(t, install(ns, "main", played("VLLM_SIM_ARGS=--mode=echo")...)...).exits(t, 0).
		says(t, `loading the model`).
		prints(t, `kubectl summarizer query --release main -n `+ns).
		prints(t, `kubectl summarizer status main -n `+ns).
		prints(t, `kubectl summarizer port-forward main -n `+ns)

	run(t, "status", "main", "-n", ns).exits(t, 0).prints(t, `^state +healthy`).prints(t, `Ready`)
	var status struct {
		Healthy bool
		Served  struct{ Model string }
		Pods    []struct{ GPUs int }
	}
	decode(t, run(t, "status", "main", "-n", ns, "-o", "json").exits(t, 0).stdout, &status)
	if !status.Healthy || status.Served.Model == "" || len(status.Pods) != 1 || status.Pods[0].GPUs != 1 {
		t.Errorf("status -o json: %+v", status)
	}

	answer := run(t, "query", "--release", "main", "-n", ns, "Amanda: I baked cookies. Jerry: Sure!").exits(t, 0)
	if strings.TrimSpace(answer.stdout) == "" || answer.stderr != "" {
		t.Errorf("query: stdout %q, stderr %q", answer.stdout, answer.stderr)
	}
	var q struct {
		Text    string
		Usage   struct{ PromptTokens, CompletionTokens int }
		Timings struct{ TTFTMs, TotalMs float64 }
	}
	decode(t, runWith(t, strings.NewReader("a text from a pipe"), "query", "--release", "main", "-n", ns, "-o", "json").exits(t, 0).stdout, &q)
	if q.Text == "" || q.Usage.CompletionTokens == 0 || q.Timings.TotalMs <= 0 {
		t.Errorf("query -o json: %+v", q)
	}

	run(t, "uninstall", "main", "-n", ns).exits(t, 0)
	run(t, "status", "main", "-n", ns).exits(t, 1).oneError(t).says(t, `no release "main"`)
	eventually(t, 30*time.Second, func() string {
		return helper(t, env.kubectl, "get", "pods", "-n", ns, "-o", "name")
	})
	run(t, "query", "--release", "main", "-n", ns, "x").exits(t, 1).oneError(t).
		says(t, `there is no release "main"`).says(t, `kubectl summarizer install main -n `+ns)
	run(t, "uninstall", "main", "-n", ns).exits(t, 1).oneError(t).says(t, `main`)
}

func decode(t *testing.T, text string, into any) {
	t.Helper()
	if err := json.Unmarshal([]byte(text), into); err != nil {
		t.Fatalf("not JSON: %v\n%s", err, text)
	}
}

// What render prints is what Helm records as installed, byte for byte.
func TestRenderEqualsInstall(t *testing.T) {
	ns := namespace(t)
	rendered := run(t, append([]string{"render", "same", "-n", ns}, "-f", values("local-sim-values.yaml"))...).exits(t, 0).stdout
	run(t, install(ns, "same", "--wait=false")...).exits(t, 0)
	recorded := helper(t, env.helm3, "get", "manifest", "same", "-n", ns)
	if strings.TrimSpace(recorded) != strings.TrimSpace(rendered) {
		t.Errorf("render and the release's manifest differ:\n--- render\n%s\n--- release\n%s", rendered, recorded)
	}
}

func TestUpgrade(t *testing.T) {
	ns := namespace(t)
	run(t, install(ns, "up")...).exits(t, 0)
	// What the first install said stays; what the second says is laid over it.
	run(t, "install", "up", "-n", ns, "--replicas", "2", "--timeout", "3m").exits(t, 0)
	d := helper(t, env.kubectl, "get", "deployment", "-n", ns, "-o", "jsonpath={.items[0].spec.replicas} {.items[0].spec.template.spec.containers[0].image}")
	if d != "2 localhost/vllm-sim:v0.10.2" {
		t.Errorf("after the upgrade: %q, want 2 replicas of the first install's image", d)
	}
	run(t, "status", "up", "-n", ns).exits(t, 0).prints(t, `revision 2`)
}

// Every refusal comes before anything is changed: no object, no release record.
func TestRefusedBeforeAnythingChanges(t *testing.T) {
	ns := namespace(t)
	create := func(o *corev1.Secret) {
		if _, err := env.client.CoreV1().Secrets(ns).Create(t.Context(), o, metav1.CreateOptions{}); err != nil {
			t.Fatal(err)
		}
	}
	create(&corev1.Secret{ObjectMeta: metav1.ObjectMeta{Name: "other"}, StringData: map[string]string{"token": "x"}})
	tests := map[string]struct {
		args []string
		code int
		says string
	}{
		"no such namespace":              {install("no-such-namespace", "r"), 3, `namespace "no-such-namespace" does not exist`},
		"no node with the GPU":           {install(ns, "r", "--accelerator", "nvidia-h100-80gb"), 3, `no node has .*nvidia-h100-80gb`},
		"more GPUs than a node has":      {install(ns, "r", "--gpus", "8"), 3, `no node has 8 x nvidia.com/gpu`},
		"a Secret without the key":       {install(ns, "r", "--hf-secret", "other:hf_api_token"), 3, `the Secret "other" has no key "hf_api_token"; it has: token`},
		"no such Secret":                 {install(ns, "r", "--hf-secret", "missing"), 3, `the Secret "missing" does not exist`},
		"Autopilot refuses":              {install(ns, "r", "--platform", "custom"), 3, `the cluster would refuse deployment.apps.*accelerator`},
		"an unknown value":               {install(ns, "r", "--set", "replica=2"), 2, `replicas`},
		"a wrong type":                   {install(ns, "r", "--set", "replicas=two"), 2, `replicas`},
		"a model id that is none":        {install(ns, "r", "--model", "mistral 7b"), 2, `not an id`},
		"an unknown flag":                {install(ns, "r", "--replica", "2"), 2, `did you mean --replicas`},
		"a combination that cannot work": {install(ns, "r", "--replicas", "2", "--set", "cache.persistence.enabled=true"), 3, `ReadWriteMany`},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			if name == "Autopilot refuses" && env.hub == "" {
				t.Skip("this cluster is not the local one, which plays Autopilot's rules")
			}
			r := run(t, tt.args...).exits(t, tt.code).oneError(t)
			r.says(t, tt.says)
		})
	}
	quota := &corev1.ResourceQuota{ObjectMeta: metav1.ObjectMeta{Name: "gpus"}, Spec: corev1.ResourceQuotaSpec{
		Hard: corev1.ResourceList{"requests.nvidia.com/gpu": resource.MustParse("0")}}}
	if _, err := env.client.CoreV1().ResourceQuotas(ns).Create(t.Context(), quota, metav1.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
	t.Run("a full quota", func(t *testing.T) {
		eventually(t, 20*time.Second, func() string {
			q, err := env.client.CoreV1().ResourceQuotas(ns).Get(t.Context(), "gpus", metav1.GetOptions{})
			if err != nil || len(q.Status.Hard) == 0 {
				return "the quota is not counted yet"
			}
			return ""
		})
		run(t, install(ns, "r")...).exits(t, 3).oneError(t).says(t, `exceeded quota: gpus`)
	})
	for _, kind := range []string{"deployments", "services", "configmaps", "serviceaccounts", "networkpolicies"} {
		left := helper(t, env.kubectl, "get", kind, "-n", ns, "-l", "app.kubernetes.io/managed-by=Helm", "-o", "name")
		if left != "" {
			t.Errorf("the refused installs left %s", left)
		}
	}
	if records := helper(t, env.kubectl, "get", "secrets", "-n", ns, "-l", "owner=helm", "-o", "name"); records != "" {
		t.Errorf("the refused installs left release records: %s", records)
	}
}

func TestDryRuns(t *testing.T) {
	ns := namespace(t)
	run(t, install(ns, "dry", "--dry-run=client")...).exits(t, 0).prints(t, `^kind: Deployment$`)
	run(t, install(ns, "dry", "--dry-run=server")...).exits(t, 0).says(t, `nothing was changed`)
	if got := helper(t, env.kubectl, "get", "deployments", "-n", ns, "-o", "name"); got != "" {
		t.Errorf("a dry run left %s", got)
	}
}

// Failures that only show when the pod starts end the wait with the pod, the reason and the log.
func TestFailsWithTheReason(t *testing.T) {
	tests := map[string]struct {
		args []string
		says []string
	}{
		"an image that is not there": {[]string{"--image", "localhost/no-such-image:v1"}, []string{`the image localhost/no-such-image:v1 cannot be pulled`, `--image`}},
		"a flag that vLLM does not know": {[]string{"--set-json", `engine.extraArgs=["--bogus-flag","3"]`},
			[]string{`vllm: error: unrecognized arguments: --bogus-flag 3`, `engine.extraArgs`}},
		"a model that does not fit the GPU": {played("VLLM_SIM_EXIT_CODE=1", "VLLM_SIM_EXIT_MESSAGE=kv-cache"),
			[]string{`leave nothing for the KV cache`, `No available memory for the cache blocks`, `--gpus`}},
		"a server that crashes": {played("VLLM_SIM_EXIT_CODE=139", "VLLM_SIM_EXIT_MESSAGE=it went wrong"),
			[]string{`139`, `\| it went wrong`}},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			ns := namespace(t)
			r := run(t, install(ns, "bad", tt.args...)...).exits(t, 1).oneError(t)
			for _, pattern := range tt.says {
				r.says(t, pattern)
			}
			run(t, "status", "bad", "-n", ns).exits(t, 4).prints(t, `Failing`)
			// Mended, it converges.
			run(t, install(ns, "bad", "--reset-values")...).exits(t, 0)
		})
	}
}

func TestUnreachableClusters(t *testing.T) {
	dir := t.TempDir()
	config := func(name, text string) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	refused := config("refused", `{apiVersion: v1, kind: Config, current-context: c, clusters: [{name: c, cluster: {server: "https://127.0.0.1:1"}}], contexts: [{name: c, context: {cluster: c, user: u}}], users: [{name: u, user: {}}]}`)
	broken := config("broken", "{not yaml")
	for name, tt := range map[string]struct {
		args []string
		says string
	}{
		"connection refused": {[]string{"status", "--kubeconfig", refused}, `does not answer at 127.0.0.1:1: connection refused`},
		"a wrong context":    {[]string{"status", "--context", "no-such-context"}, `no-such-context`},
		"no kubeconfig":      {[]string{"status", "--kubeconfig", filepath.Join(dir, "missing")}, `missing`},
		"a broken one":       {[]string{"status", "--kubeconfig", broken}, `kubeconfig`},
	} {
		t.Run(name, func(t *testing.T) {
			run(t, tt.args...).exits(t, 1).oneError(t).says(t, tt.says)
		})
	}
}
