//go:build e2e

package e2e

import (
	"context"
	"net"
	"net/http"
	"regexp"
	"strings"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// slow makes the simulator say the text again, one token every 300 ms: its own answers are
// drawn by chance, and may be a few words.
func slow(ns, release string) []string {
	return install(ns, release, played("VLLM_SIM_ITL_MS=300", "VLLM_SIM_ARGS=--mode=echo")...)
}

// The pod is deleted in the middle of an answer: one clear message, and the next call works.
func TestPodGoneMidStream(t *testing.T) {
	ns := namespace(t)
	run(t, slow(ns, "cut")...).exits(t, 0)
	b := start(t, "query", "--release", "cut", "-n", ns, "--max-tokens", "200", "Amanda: I baked cookies. Do you want some? Jerry: Sure! Amanda: I will bring you some tomorrow, and some for the others too.")
	eventually(t, 30*time.Second, func() string {
		if b.stdout() == "" {
			return "no token came: " + b.stderr()
		}
		return ""
	})
	now := int64(0)
	pods := metav1.ListOptions{LabelSelector: "app.kubernetes.io/instance=cut"}
	if err := env.client.CoreV1().Pods(ns).DeleteCollection(t.Context(), metav1.DeleteOptions{GracePeriodSeconds: &now}, pods); err != nil {
		t.Fatal(err)
	}
	b.wait(t, 30*time.Second).exits(t, 1).oneError(t).says(t, `broke off|was cut`)
	run(t, "install", "cut", "-n", ns, "--timeout", "3m").exits(t, 0)
	run(t, "query", "--release", "cut", "-n", ns, "--max-tokens", "3", "again").exits(t, 0)
}

// The local URL stays, whatever happens to the pod behind it.
func TestPortForwardSurvives(t *testing.T) {
	ns := namespace(t)
	run(t, install(ns, "pf")...).exits(t, 0)
	b := start(t, "port-forward", "pf", "-n", ns, "--port", "0")
	var url string
	eventually(t, 20*time.Second, func() string {
		url = regexp.MustCompile(`http://127\.0\.0\.1:\d+`).FindString(b.stdout() + b.stderr())
		if url == "" {
			return "no URL was printed"
		}
		return ""
	})
	answers := func() string {
		ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
		defer cancel()
		req, err := http.NewRequestWithContext(ctx, http.MethodGet, url+"/v1/models", nil)
		if err != nil {
			t.Fatal(err)
		}
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			return err.Error()
		}
		defer resp.Body.Close()
		if resp.StatusCode != http.StatusOK {
			return resp.Status
		}
		return ""
	}
	eventually(t, 10*time.Second, answers)
	now := int64(0)
	if err := env.client.CoreV1().Pods(ns).DeleteCollection(t.Context(), metav1.DeleteOptions{GracePeriodSeconds: &now}, metav1.ListOptions{}); err != nil {
		t.Fatal(err)
	}
	run(t, "install", "pf", "-n", ns, "--timeout", "3m").exits(t, 0)
	eventually(t, 20*time.Second, answers)

	address := strings.TrimPrefix(url, "http://127.0.0.1:")
	run(t, "port-forward", "pf", "-n", ns, "--port", address).exits(t, 1).oneError(t).says(t, `in use`)
	if _, err := net.DialTimeout("tcp", "127.0.0.1:"+address, time.Second); err != nil {
		t.Errorf("the first port-forward no longer listens: %v", err)
	}
}
