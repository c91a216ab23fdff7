package chartflags

import (
	"fmt"
	"io"
	"io/fs"

	"github.com/kubectl-summarizer/kubectl-summarizer/pkg/plan"
	"github.com/kubectl-summarizer/kubectl-summarizer/pkg/render"
)

// tenantCache states the KV cache of a tenant of a shared GPU, which the chart alone can only guess: vLLM then measures
// nothing while its neighbours start. It is worked out anew each time, since it follows from everything else; what the
// last install stated is used only where nothing can be worked out.
func (f *Flags) tenantCache(chart fs.FS, values map[string]any, w io.Writer) (map[string]any, error) {
	strategy := text(values, "gpu", "sharing", "strategy")
	if strategy != "time-sharing" && strategy != "mps" || at(f.given, "engine", "kvCacheMemoryGiB") != nil {
		return values, nil
	}
	stated := at(values, "engine", "kvCacheMemoryGiB")
	bare := render.Over(values, map[string]any{"engine": map[string]any{"kvCacheMemoryGiB": nil}})
	complete, err := render.Complete(chart, bare)
	if err != nil {
		return nil, err
	}
	planned, err := plan.Make(complete, plan.Options{})
	if err != nil || !planned.Fits || planned.Tenants < 2 {
		return values, nil //nolint:nilerr // a model or GPU that is not known; what does not fit is for the plan to refuse
	}
	cache := planned.StatedKVGiB()
	if stated != nil && fmt.Sprint(stated) != fmt.Sprint(cache) {
		fmt.Fprintf(w, "note: the KV cache of this tenant is %v GiB, worked out anew; before it was %v (to keep that: --kv-cache-memory %v)\n", cache, stated, stated)
	}
	return render.Over(bare, map[string]any{"engine": map[string]any{"kvCacheMemoryGiB": cache}}), nil
}
