package tunnel_test

import (
	"fmt"
	"net/http"
	"os"
	"slices"
	"testing"
	"time"

	"github.com/kubectl-summarizer/kubectl-summarizer/internal/tunnel"
	"github.com/kubectl-summarizer/kubectl-summarizer/internal/vllm"
	"github.com/kubectl-summarizer/kubectl-summarizer/internal/vllm/vllmtest"
)

// figures are what TestFirstTokenBudget measured. They are printed when the tests have ended:
// what a test that passed has printed is shown to nobody.
var figures []string

func TestMain(m *testing.M) {
	code := m.Run()
	for _, figure := range figures {
		fmt.Println(figure)
	}
	os.Exit(code)
}

// TestFirstTokenBudget: what is added to the first token on loopback by the tunnel's two ends,
// as query has it, and by these with the local server before them, as port-forward has it.
func TestFirstTokenBudget(t *testing.T) {
	const (
		rounds = 101
		budget = 2 * time.Millisecond
	)
	n, server := startNode(t), vllmtest.Start(t)
	direct, err := vllm.New(server.URL, &http.Transport{})
	if err != nil {
		t.Fatal(err)
	}
	a := n.pod("a", server.URL)
	query := clientOf(t, tunnel.NewTransport(n.dialer(t), fixed{a}))
	forward := startLocal(t, n, 0, pod("a")).client(t)
	var took [3][]time.Duration
	for range rounds {
		for i, client := range []*vllm.Client{direct, query, forward} {
			took[i] = append(took[i], firstToken(t, client))
		}
	}
	for i, name := range []string{"a tunnel", "a port-forward"} {
		bare, through := median(took[0]), median(took[i+1])
		added := through - bare
		figure := fmt.Sprintf("first token: direct %s, through %s %s: %s added (median of %d)", bare, name, through, added, rounds)
		figures = append(figures, figure)
		if added > budget {
			t.Errorf("%s; the budget is %s", figure, budget)
		}
	}
}

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
