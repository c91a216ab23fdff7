package train

import (
	"fmt"
	"strings"
)

// Fit is an estimate of the memory that a training takes on each GPU, at its peak: the longest examples that are
// allowed, a batch full of them.
type Fit struct {
	Lines []FitLine `json:"lines"`
	// TotalGiB is the sum of the lines, MarginGiB by how much it may be too low.
	TotalGiB  float64 `json:"totalGiB"`
	MarginGiB float64 `json:"marginGiB"`
	// DeviceGiB is what the device has.
	DeviceGiB float64    `json:"deviceGiB"`
	Verdict   FitVerdict `json:"verdict"`
	// Guessed says that the model's shape is not known.
	Guessed bool `json:"guessed,omitempty"`
	// Next are the flags with which it would surely fit, "" when it does or when none were found.
	Next string `json:"next,omitempty"`
}

// FitLine is one part of the memory.
type FitLine struct {
	Name string  `json:"name"`
	GiB  float64 `json:"gib"`
	// How it was worked out.
	How string `json:"how"`
}

// FitVerdict says whether a training fits.
type FitVerdict string

// Verdicts of a fit.
const (
	Fits     FitVerdict = "fits"
	Tight    FitVerdict = "tight" // it fits if the estimate is right, not with the margin
	TooLarge FitVerdict = "too large"
)

// EstimateFit says whether a training fits into GPUs of gpuGiB, which is what the driver reports (22.03 for an L4)
// and not what it is sold as. It reads the specification's training and lora alone.
func EstimateFit(spec Spec, shape Shape, gpuGiB float64) Fit {
	fit := estimate(spec, shape, gpuGiB)
	if fit.Verdict != Fits {
		fit.Next = smaller(spec, shape, gpuGiB)
	}
	return fit
}

// What the parts cost. That no part is far off shows in fit_test.go, on measurements that others published.
const (
	bytesBF16 = 2
	// bytesNF4: 4 bits, and 0.127 for the doubly quantized constants (QLoRA, arXiv 2305.14314, section 3).
	bytesNF4 = (4 + 0.127) / 8
	// bytesAdapter: PEFT trains the adapter in 32 bits; weight, gradient and Adam's two moments.
	bytesAdapter = 4 + 4 + 8
	// bytesAllReduce: the buckets in which several GPUs exchange gradients.
	bytesAllReduce = 4
	// lossTokens have their logits in memory at once, however long the examples are: the loss is computed in
	// chunks. Of each there are 32 bits before and after the softmax and 16 bits of the gradient.
	lossTokens, bytesLogit = 1024, 4 + 4 + 2
	// contextGiB: CUDA's context, cuBLAS and kernels.
	contextGiB = 0.8
	// allocatorShare is what the caching allocator cannot use of what changes from step to step (activations and logits).
	allocatorShare = 0.25
	// fixedMarginGiB is for what else is on a GPU.
	fixedMarginGiB = 0.5
)

func estimate(spec Spec, shape Shape, gpuGiB float64) Fit {
	t := spec.Training
	fit := Fit{DeviceGiB: gpuGiB, Guessed: !shape.Known}
	add := func(name string, bytes float64, how string, args ...any) {
		fit.Lines = append(fit.Lines, FitLine{Name: name, GiB: bytes / gib, How: fmt.Sprintf(how, args...)})
		fit.TotalGiB += bytes / gib
	}
	linear, other := shape.parts()
	if t.Quantization == "nf4" {
		add("weights", float64(linear)*bytesNF4+float64(other)*bytesBF16, "%.2fB parameters in 4 bits, embeddings in bfloat16", float64(shape.Params())/1e9)
	} else {
		add("weights", float64(linear+other)*bytesBF16, "%.2fB parameters in bfloat16", float64(shape.Params())/1e9)
	}
	adapter := float64(bytesAdapter)
	if t.GPUs > 1 {
		adapter += bytesAllReduce
	}
	lora := float64(shape.LoRAParams(spec.LoRA.Rank))
	add("adapter and optimizer", lora*adapter, "%.1fM parameters of rank %d, %.0f bytes each", lora/1e6, spec.LoRA.Rank, adapter)
	tokens := float64(t.BatchSize * t.MaxLength)
	activations, how := shape.activations(t.GradientCheckpointing)
	add("activations", tokens*activations, "%d x %d tokens, %s", t.BatchSize, t.MaxLength, how)
	add("logits", min(tokens, lossTokens)*float64(shape.Vocab)*bytesLogit, "%.0f tokens at once, a vocabulary of %d", min(tokens, lossTokens), shape.Vocab)
	changing := fit.Lines[2].GiB + fit.Lines[3].GiB
	add("CUDA", contextGiB*gib, "context and kernels")
	fit.MarginGiB = fixedMarginGiB + allocatorShare*changing
	switch {
	case fit.TotalGiB+fit.MarginGiB <= gpuGiB:
		fit.Verdict = Fits
	case fit.TotalGiB <= gpuGiB:
		fit.Verdict = Tight
	default:
		fit.Verdict = TooLarge
	}
	return fit
}

// activations returns the bytes that are kept for each token until the backward pass has used them. With
// checkpointing that is each block's input, and everything of the one block that is being computed again; auto
// counts as on, which it falls back to.
//
// Of a block are kept, in 16 bits, about ten times the hidden width (inputs of norms and linear layers, queries,
// keys, values and the attention's output, whose matrix is never whole) and five times the MLP's: after
// Korthikanti et al., arXiv 2205.05198, section 4.1, for a gated MLP and flash attention. LoRA keeps each linear
// layer's input again in 32 bits, before and after its dropout, and the mask of a byte.
func (s Shape) activations(checkpointing string) (bytes float64, how string) {
	hidden, mlp := float64(s.Hidden), float64(s.Intermediate)
	block := bytesBF16*(10*hidden+5*mlp) + 9*(5*hidden+float64(s.QWidth)+mlp)
	if checkpointing == "off" {
		return float64(s.Layers) * block, fmt.Sprintf("of all %d blocks", s.Layers)
	}
	return float64(s.Layers)*hidden*bytesBF16 + block, fmt.Sprintf("%d checkpoints and one block", s.Layers)
}

// smaller looks for the settings that change least of what is learned: checkpointing and smaller batches give the
// same result, only later; quantized weights do not.
func smaller(spec Spec, shape Shape, gpuGiB float64) string {
	var flags []string
	fits := func() bool { return estimate(spec, shape, gpuGiB).Verdict == Fits }
	if spec.Training.GradientCheckpointing == "off" {
		spec.Training.GradientCheckpointing = "on"
		flags = append(flags, "--gradient-checkpointing on")
	}
	batch := spec.Training.BatchSize
	for _, quantization := range []string{spec.Training.Quantization, "nf4"} {
		if quantization != spec.Training.Quantization {
			flags = append(flags, "--quantization "+quantization)
		}
		spec.Training.Quantization = quantization
		for spec.Training.BatchSize = batch; spec.Training.BatchSize >= 1; spec.Training.BatchSize /= 2 {
			if !fits() {
				continue
			}
			if spec.Training.BatchSize < batch {
				flags = append(flags, fmt.Sprintf("--batch-size %d", spec.Training.BatchSize))
			}
			return strings.Join(flags, " ")
		}
	}
	return ""
}
