package vllm_test

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/kubectl-summarizer/kubectl-summarizer/internal/vllm"
	"github.com/kubectl-summarizer/kubectl-summarizer/internal/vllm/vllmtest"
)

// figure is what TestFirstTokenBudget measured. It is printed when the tests have ended: what a
// test that passed has printed is shown to nobody.
var figure string

func TestMain(m *testing.M) {
	code := m.Run()
	if figure != "" {
		fmt.Println(figure)
	}
	os.Exit(code)
}

// budget is what the client may add to the time to the first token over a direct connection.
const budget = 2 * time.Millisecond

// TestFirstTokenBudget compares the client with the barest one: write the request, read
// until the first text is there.
func TestFirstTokenBudget(t *testing.T) {
	server := vllmtest.Start(t)
	transport := &http.Transport{}
	c, err := vllm.New(server.URL, &vllm.Retrying{Base: transport, Attempts: 6, Backoff: time.Millisecond})
	if err != nil {
		t.Fatal(err)
	}
	const rounds = 101
	var ours, bare []time.Duration
	for range rounds {
		bare = append(bare, bareFirstToken(t, transport, server.URL))
		answer, err := c.ChatStream(t.Context(), request, ignore)
		if err != nil {
			t.Fatal(err)
		}
		ours = append(ours, answer.FirstToken)
	}
	added := median(ours) - median(bare)
	figure = fmt.Sprintf("first token: a bare connection %s, this client %s: %s added (median of %d)", median(bare), median(ours), added, rounds)
	if added > budget {
		t.Errorf("%s; the budget is %s", figure, budget)
	}
}

func bareFirstToken(t *testing.T, transport http.RoundTripper, url string) time.Duration {
	t.Helper()
	body := `{"model":"smol","stream":true,"max_tokens":32,"messages":[{"role":"user","content":"A: hi"}]}`
	start := time.Now()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, url+"/v1/chat/completions", strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	resp, err := transport.RoundTrip(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	var seen []byte
	buffer := make([]byte, 4096)
	for !bytes.Contains(seen, []byte("Amanda")) {
		n, err := resp.Body.Read(buffer)
		seen = append(seen, buffer[:n]...)
		if err != nil && !bytes.Contains(seen, []byte("Amanda")) {
			t.Fatal(err)
		}
	}
	first := time.Since(start)
	_, _ = io.Copy(io.Discard, resp.Body)
	return first
}

func median(d []time.Duration) time.Duration {
	sorted := slices.Sorted(slices.Values(d))
	return sorted[len(sorted)/2]
}
