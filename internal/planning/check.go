package planning

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"strings"

	"github.com/kubectl-summarizer/kubectl-summarizer/internal/failure"
	"github.com/kubectl-summarizer/kubectl-summarizer/pkg/fit"
	"github.com/kubectl-summarizer/kubectl-summarizer/pkg/plan"
)

// Word is what a plan has to say to whoever installs, "" when that is nothing.
type Word struct {
	Text string
	// Warning says that it may go wrong.
	Warning bool
}

// Check plans a release before it is installed: told is what is worth a line, the error a refusal of what cannot fit. What
// is not known (a model, a GPU, nodes that the chart does not choose) is never refused. override is the flag that installs
// it all the same.
func Check(ctx context.Context, chart fs.FS, values map[string]any, release, override string) (told Word, err error) {
	if known, why := Known(values); !known {
		return Word{Text: why}, nil
	}
	p, err := Make(ctx, chart, values, Request{Release: release})
	var unknown *plan.Unknown
	switch {
	case errors.As(err, &unknown):
		return Word{Text: fmt.Sprintf("whether it fits the GPU is not known: %s", unknown)}, nil
	case err != nil:
		return Word{}, Explain(err)
	case p.Verdict == fit.Tight && p.Fits:
		return Word{fmt.Sprintf("it just fits: %.2f GiB of KV cache are expected beside one request of %d tokens, and the estimate may be off by %.2f", p.HeadroomGiB, p.MaxModelLen, p.Band.GiB), true}, nil
	case p.Verdict == fit.Tight:
		return Word{fmt.Sprintf("it may not fit: by the estimate, which may be off by %.2f GiB, %s", p.Band.GiB, p.Reasons[0]), true}, nil
	case p.Fits:
		return Word{Text: fmt.Sprintf("fits: about %d tokens of KV cache", p.KVCacheTokens)}, nil
	}
	refusal := Refusal(p)
	next := failure.NextOf(refusal)
	if next != "" {
		next += "\n"
	}
	return Word{}, failure.New(failure.Refused, refusal, next+"to install it all the same: "+override)
}

// Known says whether values say what runs on which GPU: on nodes that the chart does not choose, somebody has to name the
// GPU, and of an image that is not vLLM's own or a mirror of it nobody knows what it takes. why is worth a line.
func Known(values map[string]any) (known bool, why string) {
	gpu, _ := values["gpu"].(map[string]any)
	if values["platform"] == "custom" && gpu["accelerator"] == nil {
		return false, ""
	}
	image, _ := values["image"].(map[string]any)
	if repository, named := image["repository"].(string); named && !strings.HasPrefix(path.Base(repository), "vllm-openai") {
		return false, fmt.Sprintf("whether it fits the GPU is not known: %s is not vLLM's own image", repository)
	}
	return true, ""
}
