package chartflags

import (
	"bytes"
	"fmt"
	"io/fs"
	"strings"
	"testing"

	"github.com/spf13/pflag"

	"github.com/kubectl-summarizer/kubectl-summarizer/charts"
)

// A tenant's KV cache is stated from the plan, anew on each upgrade, and never over what the user says.
func TestTenantCacheIsStated(t *testing.T) {
	chart, err := fs.Sub(charts.FS, charts.Name)
	if err != nil {
		t.Fatal(err)
	}
	values := func(last map[string]any, args ...string) (cache, said string) {
		t.Helper()
		var f Flags
		flags := pflag.NewFlagSet("t", pflag.ContinueOnError)
		f.AddTo(flags)
		f.Over(last)
		if err := flags.Parse(args); err != nil {
			t.Fatal(err)
		}
		var out bytes.Buffer
		got, err := f.Values(chart, strings.NewReader(""), &out)
		if err != nil {
			t.Fatal(err)
		}
		return fmt.Sprint(at(got, "engine", "kvCacheMemoryGiB")), out.String()
	}
	two := []string{"--model", "meta-llama/Llama-3.2-3B-Instruct", "--sharing", "time-sharing", "--clients", "2"}
	first, said := values(nil, two...)
	if first == "<nil>" || strings.Contains(said, "anew") {
		t.Errorf("stated %s, said %q", first, said)
	}
	last := map[string]any{
		"model":  map[string]any{"id": "meta-llama/Llama-3.2-3B-Instruct", "weightsGiB": 6.0},
		"gpu":    map[string]any{"sharing": map[string]any{"strategy": "time-sharing", "clients": 2}},
		"engine": map[string]any{"kvCacheMemoryGiB": first},
	}
	if again, said := values(last); again != first || strings.Contains(said, "anew") {
		t.Errorf("unchanged: %s after %s, said %q", again, first, said)
	}
	if smaller, said := values(last, "--model", "meta-llama/Llama-3.2-1B-Instruct"); smaller == first || !strings.Contains(said, "to keep that: --kv-cache-memory "+first) {
		t.Errorf("another model: %s after %s, said %q", smaller, first, said)
	}
	if given, _ := values(last, "--kv-cache-memory", "1.5"); given != "1.5" {
		t.Errorf("given 1.5, stated %s", given)
	}
	for _, args := range [][]string{{"--model", "Qwen/Qwen3-4B"}, {"--sharing", "mig", "--partition", "1g.5gb"}, {"--sharing", "time-sharing"}, {"--sharing", "time-sharing", "--clients", "2", "--model", "team/unknown"}, {"--sharing", "time-sharing", "--clients", "2"}} {
		if stated, _ := values(nil, args...); stated != "<nil>" {
			t.Errorf("%v: stated %s", args, stated)
		}
	}
}
