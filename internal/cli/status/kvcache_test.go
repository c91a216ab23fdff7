package status

import (
	"strings"
	"testing"

	"github.com/kubectl-summarizer/kubectl-summarizer/internal/release"
)

func TestKVCacheIsComparedWithThePlan(t *testing.T) {
	custom := map[string]any{"platform": "custom"}
	for name, c := range map[string]struct {
		tokens int
		values map[string]any
		says   string
	}{
		"as planned": {48064, nil, "48064 tokens, as planned"},
		"far below":  {20000, nil, "20000 tokens, and 4"},
		"far above":  {90000, nil, "were planned: is the GPU another one"},
		"no plan":    {970, custom, "970 tokens"},
		"no GPU":     {970, map[string]any{"image": map[string]any{"repository": "localhost/vllm-cpu"}}, "970 tokens"},
	} {
		k := &kvCache{Tokens: c.tokens}
		k.compare(t.Context(), &release.Info{Name: "r", Values: c.values})
		if got := k.text(); !strings.Contains(got, c.says) || (k.AsPlanned == nil) != strings.HasPrefix(name, "no ") {
			t.Errorf("%s: %s", name, got)
		}
	}
}
