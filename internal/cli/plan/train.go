package plan

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"

	"github.com/spf13/pflag"

	"github.com/kubectl-summarizer/kubectl-summarizer/internal/failure"
	"github.com/kubectl-summarizer/kubectl-summarizer/internal/planning"
	"github.com/kubectl-summarizer/kubectl-summarizer/internal/product"
	"github.com/kubectl-summarizer/kubectl-summarizer/pkg/catalog"
	"github.com/kubectl-summarizer/kubectl-summarizer/pkg/plan"
	"github.com/kubectl-summarizer/kubectl-summarizer/pkg/train"
)

// training are the settings that the memory of a training depends on, by train's own names.
type training struct {
	asked                      bool
	rank, batch, length        int
	checkpointing              string
	model, quantization, accel string
}

func (t *training) addTo(flags *pflag.FlagSet) {
	d := train.Default()
	flags.BoolVar(&t.asked, "train", false, "plan a training instead: whether it fits the GPU (-o table or json)")
	flags.IntVar(&t.rank, "lora-rank", d.LoRA.Rank, "with --train: rank of the adapter")
	flags.IntVar(&t.batch, "batch-size", d.Training.BatchSize, "with --train: examples on a GPU at once")
	flags.IntVar(&t.length, "max-length", d.Training.MaxLength, "with --train: longest example in tokens")
	flags.StringVar(&t.checkpointing, "gradient-checkpointing", d.Training.GradientCheckpointing, "with --train: auto, on or off")
}

func (t *training) validate(output string) error {
	if err := failure.OneOf("--gradient-checkpointing", t.checkpointing, "auto", "on", "off"); err != nil {
		return err
	}
	if t.asked {
		if err := failure.OneOf("output format of --train", output, "table", "json"); err != nil {
			return err
		}
	}
	for name, value := range map[string]int{"--lora-rank": t.rank, "--batch-size": t.batch, "--max-length": t.length} {
		if value < 1 || value > 1<<20 {
			return failure.Usagef("%s must be from 1 to %d, but is %d", name, 1<<20, value)
		}
	}
	return nil
}

// run plans a training on GPUs of gib, 0 for the catalog's figure. Exit code 3: it does not fit.
func (t *training) run(w io.Writer, output string, gib float64) error {
	if t.quantization != "" && t.quantization != "nf4" {
		return failure.New(failure.Usage, fmt.Errorf("--quantization %s is none of training's", t.quantization), "QLoRA is: --quantization nf4")
	}
	if gib == 0 {
		gpu, err := catalog.FindAccelerator(t.accel)
		if err != nil {
			return planning.Explain(&plan.Unknown{What: "accelerator", Err: err})
		}
		gib = gpu.MemoryGiB
	}
	model, err := catalog.FindModel(t.model)
	if err != nil {
		return planning.Explain(&plan.Unknown{What: "model", Err: err})
	}
	spec := train.Default()
	spec.LoRA.Rank, spec.Training.BatchSize, spec.Training.MaxLength = t.rank, t.batch, t.length
	spec.Training.GradientCheckpointing, spec.Training.Quantization = t.checkpointing, t.quantization
	fit := train.EstimateFit(spec, train.ShapeOf(t.model, model.Params()), gib)
	if output == "json" {
		encoder := json.NewEncoder(w)
		encoder.SetIndent("", "  ")
		if err := encoder.Encode(fit); err != nil {
			return err
		}
	} else {
		printTraining(w, t, fit)
	}
	if fit.Verdict != train.TooLarge {
		return nil
	}
	next := fit.Next
	if next == "" {
		next = "shorter examples: --max-length N, or a larger GPU: --accelerator NAME"
	}
	return failure.New(failure.Refused, errors.New(t.model+" cannot be trained so on this GPU"), next)
}

func printTraining(w io.Writer, t *training, fit train.Fit) {
	fmt.Fprintf(w, "training %s on one %s: %s\n\n", t.model, t.accel, fit.Verdict)
	var pieces []piece
	for i, line := range fit.Lines {
		pieces = append(pieces, piece{rune('a' + i), line.GiB})
	}
	fmt.Fprintln(w, bar(append(pieces, piece{'.', math.Max(0, fit.DeviceGiB-fit.TotalGiB)}), fit.DeviceGiB))
	for i, line := range fit.Lines {
		fmt.Fprintf(w, "  %c %-22s %6.2f GiB  %s\n", 'a'+i, line.Name, line.GiB, line.How)
	}
	fmt.Fprintf(w, "    %-22s %6.2f GiB  of %.2f GiB; the estimate may be too low by %.2f\n", "together", fit.TotalGiB, fit.DeviceGiB, fit.MarginGiB)
	if fit.Verdict == train.Tight && fit.Next != "" {
		fmt.Fprintf(w, "\nsurely with %s train %s\n", product.Command, fit.Next)
	}
}
