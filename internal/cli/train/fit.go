package train

import (
	"fmt"
	"strings"

	"github.com/kubectl-summarizer/kubectl-summarizer/internal/failure"
	"github.com/kubectl-summarizer/kubectl-summarizer/internal/runs"
	"github.com/kubectl-summarizer/kubectl-summarizer/pkg/catalog"
	"github.com/kubectl-summarizer/kubectl-summarizer/pkg/train"
)

// weights fills in the size of a model that is not known but whose name tells it: memory and
// volume follow from it.
func weights(spec *train.Spec, options *train.Options) {
	shape := runs.ModelShape(spec.Model.ID)
	if !shape.Known && runs.ParamsOf(spec.Model.ID) > 0 && options.WeightsGiB == 0 {
		options.WeightsGiB = shape.WeightsGiB()
	}
}

// fits says whether a run fits its GPU: with a line to be told, or a refusal. What is only
// guessed is never refused.
func fits(spec *train.Spec, accelerator string) (line string, refused *failure.Error) {
	gpu, err := catalog.FindAccelerator(accelerator)
	if spec.Training.Device != "cuda" || err != nil {
		return "", nil //nolint:nilerr // whether it fits a GPU that is not known is not known either
	}
	params := runs.ParamsOf(spec.Model.ID)
	fit := train.EstimateFit(*spec, runs.ModelShape(spec.Model.ID), gpu.MemoryGiB)
	sum := fmt.Sprintf("%.1f of %.1f GiB of a %s", fit.TotalGiB, fit.DeviceGiB, accelerator)
	switch {
	case fit.Guessed && params == 0:
		return fmt.Sprintf("%s: whether it fits the GPU is not known: its size is not", spec.Model.ID), nil
	case fit.Verdict == train.Fits:
		return fmt.Sprintf("%s takes about %s", spec.Model.ID, sum), nil
	case fit.Verdict == train.Tight, fit.Guessed:
		return fmt.Sprintf("warning: %s takes about %s, which is tight%s", spec.Model.ID, sum, insteadText(fit.Next)), nil
	}
	next := fit.Next
	if next == "" {
		next = "shorter examples: --max-length N, or a larger GPU: --gpu-accelerator NAME"
	}
	return "", &failure.Error{
		Kind: failure.Refused, Next: next,
		Err: fmt.Errorf("%s does not fit: it takes about %s:\n%s", spec.Model.ID, sum, partsText(fit)),
	}
}

func insteadText(next string) string {
	if next == "" {
		return ""
	}
	return "; surely with " + next
}

// partsText is the arithmetic, a line for each part.
func partsText(fit train.Fit) string {
	var lines []string
	for _, part := range fit.Lines {
		lines = append(lines, fmt.Sprintf("   %5.1f GiB  %s: %s", part.GiB, part.Name, part.How))
	}
	return strings.Join(lines, "\n")
}
