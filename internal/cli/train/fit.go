package train

import (
	"fmt"
	"strings"

	"github.com/kubectl-summarizer/kubectl-summarizer/internal/failure"
	"github.com/kubectl-summarizer/kubectl-summarizer/internal/runs"
	"github.com/kubectl-summarizer/kubectl-summarizer/pkg/train"
)

// deviceGiB is the memory that CUDA reports of GPUs by GKE's names, which is less than they are
// sold with.
var deviceGiB = map[string]float64{
	"nvidia-tesla-t4":   14.56,
	"nvidia-tesla-v100": 15.77,
	"nvidia-l4":         22.03,
	"nvidia-tesla-a100": 39.38,
	"nvidia-a100-80gb":  79.14,
	"nvidia-h100-80gb":  79.10,
	"nvidia-h200-141gb": 139.72,
}

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
	device, known := deviceGiB[accelerator]
	if spec.Training.Device != "cuda" || !known {
		return "", nil
	}
	params := runs.ParamsOf(spec.Model.ID)
	fit := train.EstimateFit(*spec, runs.ModelShape(spec.Model.ID), device)
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
