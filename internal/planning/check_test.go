package planning_test

import (
	"io/fs"
	"strings"
	"testing"

	"github.com/kubectl-summarizer/kubectl-summarizer/charts"
	"github.com/kubectl-summarizer/kubectl-summarizer/internal/failure"
	"github.com/kubectl-summarizer/kubectl-summarizer/internal/planning"
	"github.com/kubectl-summarizer/kubectl-summarizer/pkg/render"
)

// An installation is refused when it surely does not fit, told when it may not, and never kept from what is not known.
func TestCheck(t *testing.T) {
	chart, err := fs.Sub(charts.FS, charts.Name)
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		set          []string
		told, refuse string
	}{
		"the default":       {nil, "fits: ", ""},
		"another model":     {[]string{"model.id=Qwen/Qwen3-14B", "model.revision=main", "model.weightsGiB=28"}, "", "leaves no memory for the KV cache"},
		"in the band":       {[]string{"model.id=Qwen/Qwen3-8B", "model.revision=main", "engine.maxModelLen=22900"}, "it just fits", ""},
		"above by a bit":    {[]string{"model.id=Qwen/Qwen3-8B", "model.revision=main", "engine.maxModelLen=23500"}, "it may not fit", ""},
		"an unknown model":  {[]string{"model.id=team/model", "model.revision=main"}, "whether it fits the GPU is not known", ""},
		"an unknown GPU":    {[]string{"gpu.accelerator=nvidia-quantum"}, "whether it fits the GPU is not known", ""},
		"another image":     {[]string{"image.repository=localhost/vllm-cpu", "model.id=Qwen/Qwen3-14B", "model.revision=main"}, "whether it fits the GPU is not known: localhost/vllm-cpu is not vLLM's own image", ""},
		"a mirror":          {[]string{"image.repository=registry.local/mirror/vllm-openai"}, "fits: ", ""},
		"an unknown format": {[]string{"engine.kvCacheDtype=turboquant_4bit_nc"}, `whether it fits the GPU is not known: the size of KV cache dtype "turboquant_4bit_nc" is not known`, ""},
		"nodes unknown":     {[]string{"platform=custom", "model.id=Qwen/Qwen3-14B", "model.revision=main"}, "", ""},
	} {
		values, err := render.MergeValues(render.Sources{Set: c.set})
		if err != nil {
			t.Fatal(err)
		}
		told, err := planning.Check(t.Context(), chart, values, "r", "--force")
		switch {
		case c.refuse == "" && err != nil, c.refuse != "" && (failure.KindOf(err) != failure.Refused || !strings.Contains(err.Error(), c.refuse) || !strings.Contains(failure.NextOf(err), "--force")):
			t.Errorf("%s: %v\nnext: %s", name, err, failure.NextOf(err))
		case !strings.HasPrefix(told.Text, c.told), c.told == "" && told.Text != "", told.Warning != strings.HasPrefix(c.told, "it "):
			t.Errorf("%s: told %+v", name, told)
		}
	}
}
