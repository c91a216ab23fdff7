package tunnel_test

import (
	"slices"
	"testing"
	"time"

	"github.com/kubectl-summarizer/kubectl-summarizer/internal/vllm"
)

func firstToken(t *testing.T, c *vllm.Client) time.Duration {
	t.Helper()
	answer, err := c.ChatStream(t.Context(), request, ignore)
	if err != nil {
		t.Fatal(err)
	}
	return answer.FirstToken
}

func median(d []time.Duration) time.Duration {
	sorted := slices.Sorted(slices.Values(d))
	return sorted[len(sorted)/2]
}
