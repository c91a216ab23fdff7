//go:build e2e

package e2e

import (
	"context"
	"net/http"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

const dialogue = "Amanda: I baked  cookies. Do you want some?\nJerry: Sure!\nAmanda: I'll bring you tomorrow :-)"

func cpu(ns, release string, more ...string) []string {
	return append([]string{"install", release, "-n", ns, "-f", values("local-cpu-values.yaml"), "--timeout", "8m"}, more...)
}

// TestRealServer walks the main job with real vLLM and a real model: nothing but the GPU
// and the size of the model is simulated.
func TestRealServer(t *testing.T) {
	hubURL(t)
	ns := namespace(t)
	run(t, cpu(ns, "real", "--adapter", "demo=local/smollm2-demo-lora")...).exits(t, 0).
		says(t, `loading the model`)
	run(t, "status", "real", "-n", ns).exits(t, 0).
		prints(t, `^model +HuggingFaceTB/SmolLM2-135M-Instruct, context 2048 tokens, vLLM 0\.32\.0`).
		prints(t, `^adapters +demo$`).
		prints(t, `^KV cache +[0-9]+ tokens$`)

	t.Run("base and adapter answer differently", func(t *testing.T) {
		base := run(t, "query", "--release", "real", "-n", ns, "--max-tokens", "24", dialogue).exits(t, 0)
		adapter := run(t, "query", "--release", "real", "-n", ns, "--max-tokens", "24", "--model", "demo", dialogue).exits(t, 0)
		if base.stdout == adapter.stdout {
			t.Errorf("base and adapter both say %q", base.stdout)
		}
	})
	t.Run("a text too long is refused with the counts", func(t *testing.T) {
		long := strings.Repeat("Amanda: I baked cookies. Do you want some? ", 400)
		run(t, "query", "--release", "real", "-n", ns, long).exits(t, 3).oneError(t).says(t, `2048`)
	})
	t.Run("an unknown model", func(t *testing.T) {
		run(t, "query", "--release", "real", "-n", ns, "--model", "dmo", dialogue).oneError(t).says(t, `demo`)
	})
	t.Run("helm test", func(t *testing.T) {
		out := helper(t, env.helm3, "test", "real", "-n", ns, "--timeout", "3m")
		if !strings.Contains(out, "Succeeded") {
			t.Errorf("helm test: %s", out)
		}
	})
	t.Run("a drained pod finishes its answers", func(t *testing.T) {
		b := start(t, "query", "--release", "real", "-n", ns, "--prompt", "", "--max-tokens", "150", "Tell a long story about a lighthouse.")
		eventually(t, time.Minute, func() string {
			if b.stdout() == "" {
				return "no token came: " + b.stderr()
			}
			return ""
		})
		if err := env.client.CoreV1().Pods(ns).DeleteCollection(t.Context(), metav1.DeleteOptions{}, metav1.ListOptions{LabelSelector: "app.kubernetes.io/instance=real"}); err != nil {
			t.Fatal(err)
		}
		b.wait(t, 2*time.Minute).exits(t, 0)
	})
	t.Run("and the next call works once the new pod does", func(t *testing.T) {
		run(t, "install", "real", "-n", ns, "--timeout", "8m").exits(t, 0)
		run(t, "query", "--release", "real", "-n", ns, "--max-tokens", "8", dialogue).exits(t, 0)
	})
}

// A Hub that is slow, that breaks off and that answers 503 costs time and no more; the wait says how far the
// download is.
func TestDownloadFromABadHub(t *testing.T) {
	hub := hubURL(t)
	ns := namespace(t)
	const model = "HuggingFaceTB/SmolLM2-135M-Instruct"
	for _, fault := range []string{
		`{"repo":"` + model + `","file":"model.safetensors","bytesPerSecond":30000000,"breakAfterBytes":150000000,"times":1}`,
		`{"repo":"` + model + `","file":"model.safetensors","bytesPerSecond":40000000}`,
		`{"repo":"` + model + `","file":"tokenizer.json","status":503,"times":2}`,
	} {
		resp, err := http.Post(hub+"/_faults", "application/json", strings.NewReader(fault))
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		if resp.StatusCode >= 300 {
			t.Fatalf("the Hub stand-in takes no fault: %s", resp.Status)
		}
	}
	t.Cleanup(func() {
		request, err := http.NewRequestWithContext(context.Background(), http.MethodDelete, hub+"/_faults", nil)
		if err != nil {
			t.Fatal(err)
		}
		if resp, err := http.DefaultClient.Do(request); err == nil {
			resp.Body.Close()
		}
	})
	run(t, cpu(ns, "slow")...).exits(t, 0).says(t, `^downloading the model`)
	logs := helper(t, env.kubectl, "logs", "-n", ns, "-l", "app.kubernetes.io/instance=slow", "-c", "download", "--tail=-1")
	for _, want := range []string{"of 0.3 GiB", "again in", "503", "download: done"} {
		if !strings.Contains(logs, want) {
			t.Errorf("the download's log has no %q:\n%s", want, logs)
		}
	}
}

// hubURL is where the local cluster's Hub stand-in answers on this machine. Without one the test is left out.
func hubURL(t *testing.T) string {
	t.Helper()
	if env.hub == "" {
		t.Skip("this cluster is not the local one: it has no stand-in for the Hub to fetch the small model from")
	}
	return env.hub
}

// A model that the token may not read ends the wait at once, with the way out; neither the
// message nor the download's log holds the token.
func TestGatedModel(t *testing.T) {
	hubURL(t)
	ns := namespace(t)
	secret := &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Name: "hf-secret"}, StringData: map[string]string{"hf_api_token": canary}}
	if _, err := env.client.CoreV1().Secrets(ns).Create(t.Context(), secret, metav1.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
	r := run(t, cpu(ns, "gated", "--model", "local/gated-model")...).exits(t, 1).oneError(t)
	r.says(t, `local/gated-model: 40[13]`).says(t, `key hf_api_token of Secret hf-secret`)
	if strings.Contains(r.stderr, "tried again") {
		t.Error("a refusal that no retry mends was tried again")
	}
	if strings.Contains(r.stderr, "Traceback") {
		t.Error("a Python traceback reached the user")
	}
	logs := helper(t, env.kubectl, "logs", "-n", ns, "-l", "app.kubernetes.io/instance=gated", "-c", "download", "--tail=-1")
	if strings.Contains(r.stderr+logs, canary) {
		t.Error("the token is in the message or in the log")
	}
}
