// Package plan is the `plan` verb: whether a release will serve, before a GPU is paid for.
package plan

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"math"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/kubectl-summarizer/kubectl-summarizer/charts"
	"github.com/kubectl-summarizer/kubectl-summarizer/internal/cli/chartflags"
	"github.com/kubectl-summarizer/kubectl-summarizer/internal/cli/factory"
	"github.com/kubectl-summarizer/kubectl-summarizer/internal/failure"
	"github.com/kubectl-summarizer/kubectl-summarizer/internal/modelconfig"
	"github.com/kubectl-summarizer/kubectl-summarizer/internal/planning"
	"github.com/kubectl-summarizer/kubectl-summarizer/internal/product"
	"github.com/kubectl-summarizer/kubectl-summarizer/pkg/catalog"
	"github.com/kubectl-summarizer/kubectl-summarizer/pkg/fit"
	"github.com/kubectl-summarizer/kubectl-summarizer/pkg/plan"
	"github.com/kubectl-summarizer/kubectl-summarizer/pkg/prepare"
	"github.com/kubectl-summarizer/kubectl-summarizer/pkg/render"
)

const long = `Say whether a model will serve on a GPU, shared in a given way, and how well.

The memory of the GPU is worked out as vLLM does it at start: weights, what CUDA
takes, the peak of a step, CUDA graphs; what is left of the budget is the KV cache.
When it does not fit, the changes that would make it fit are named, the one that
costs least first. Exit code 0: it fits, 3: it does not.

Needs no cluster, and no network for the models of the catalog. Of others the
config.json is read from --config, from the local cache of Hugging Face's libraries
or from the Hub (HF_TOKEN, HF_ENDPOINT). install asks the same question by itself.`

const example = `  # Mistral-7B, two tenants on one L4: why not, and what would work
  kubectl summarizer plan --sharing time-sharing --clients 2

  # What an L4 holds of a model, and what a million tokens would cost
  kubectl summarizer plan --model Qwen/Qwen3-8B --max-model-len auto --price-per-hour 0.71

  # Whether a LoRA training of it fits
  kubectl summarizer plan --train --model Qwen/Qwen3-8B --batch-size 2

  # The plan as values for install, or for helm install -f
  kubectl summarizer plan --model meta-llama/Llama-3.2-3B-Instruct -o values >values.yaml

  # The steps that prepare nodes for two tenants on each L4
  kubectl summarizer plan --platform gke-standard --sharing time-sharing --clients 2 --model meta-llama/Llama-3.2-3B-Instruct --commands

  # A model of your own
  kubectl summarizer plan --model team/model --config ./config.json`

type options struct {
	f      *factory.Factory
	values chartflags.Flags

	config   string
	memory   float64
	version  string
	cache    string
	price    float64
	prompt   int
	answer   int
	output   string
	live     bool
	commands bool
	capacity string
	training training
	release  string
}

// NewCmd returns the plan command.
func NewCmd(f *factory.Factory) *cobra.Command {
	o := &options{f: f}
	cmd := &cobra.Command{
		Use:     "plan [RELEASE]",
		Short:   "Say whether a model will serve on a GPU, and what would make it",
		Long:    long,
		Example: example,
		Args:    cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			o.release = product.DefaultRelease
			if len(args) > 0 {
				o.release = args[0]
			}
			if err := o.validate(); err != nil {
				return err
			}
			return o.run(cmd.Context())
		},
	}
	flags := cmd.Flags()
	o.values.AddTo(flags)
	o.training.addTo(flags)
	flags.StringVar(&o.config, "config", "", "the model's config.json, for a model that is not in the catalog")
	flags.Float64Var(&o.memory, "accelerator-memory", 0, "memory of the GPU in GiB, as CUDA reports it; the catalog's when not given")
	flags.StringVar(&o.version, "vllm-version", "", "release of vLLM, such as 0.32.0; that of the image when not given")
	flags.StringVar(&o.cache, "compile-cache", "cold", "cold (a first start) or warm (a start that finds its compiled kernels on a volume)")
	flags.Float64Var(&o.price, "price-per-hour", 0, "price of one GPU for an hour, for the cost of a million tokens")
	flags.IntVar(&o.prompt, "prompt-tokens", 800, "tokens of a document with its prompt, for the speed")
	flags.IntVar(&o.answer, "answer-tokens", 100, "tokens of a summary, for the speed")
	flags.BoolVar(&o.live, "live", false, "also look at the cluster's nodes: where it would land, or why nowhere")
	flags.BoolVar(&o.commands, "commands", false, "print the steps that prepare the nodes instead, to be pasted")
	flags.StringVar(&o.capacity, "capacity", prepare.OnDemand, "with --commands: on-demand, spot or flex-start nodes")
	flags.StringVarP(&o.output, "output", "o", "table", "table, json, or values (for install -f and helm install -f)")
	return cmd
}

func (o *options) validate() error {
	if err := failure.OneOf("output format", o.output, "table", "json", "values"); err != nil {
		return err
	}
	if err := o.training.validate(o.output); err != nil {
		return err
	}
	if err := failure.OneOf("--capacity", o.capacity, prepare.OnDemand, prepare.Spot, prepare.FlexStart); err != nil {
		return err
	}
	if err := failure.OneOf("--compile-cache", o.cache, "cold", "warm"); err != nil {
		return err
	}
	for name, value := range map[string]float64{"--accelerator-memory": o.memory, "--price-per-hour": o.price, "--prompt-tokens": float64(o.prompt), "--answer-tokens": float64(o.answer)} {
		if math.IsNaN(value) || value < 0 || value > 1e9 {
			return failure.Usagef("%s must be a number above 0, but is %v", name, value)
		}
	}
	return nil
}

func (o *options) run(ctx context.Context) error {
	chart, err := fs.Sub(charts.FS, charts.Name)
	if err != nil {
		return err
	}
	given, err := o.values.Values(chart, o.f.Streams.In, discard{})
	if err != nil {
		return err
	}
	if o.training.asked {
		return o.train(chart, given)
	}
	config, err := o.findConfig(ctx, chart, given)
	if err != nil {
		return err
	}
	planned, err := planning.Make(ctx, chart, given, planning.Request{
		Release: o.release, Options: plan.Options{
			Config: config, AcceleratorGiB: o.memory, VLLM: o.version, WarmCache: o.cache == "warm",
			Profile: fit.Profile{PromptTokens: o.prompt, AnswerTokens: o.answer}, PricePerHour: o.price,
		},
	})
	if err != nil {
		return o.explain(err)
	}
	if o.commands {
		return o.printCommands(planned, given)
	}
	if err := o.print(planned, given); err != nil {
		return err
	}
	if o.live {
		if err := o.look(ctx, chart, given); err != nil {
			return err
		}
	}
	if planned.Fits {
		return nil
	}
	return planning.Refusal(planned)
}

// train plans a training of the model and on the GPU that the values name.
func (o *options) train(chart fs.FS, given map[string]any) error {
	complete, err := render.Complete(chart, given)
	if err != nil {
		return err
	}
	text := func(group, key string) string {
		values, _ := complete[group].(map[string]any)
		found, _ := values[key].(string)
		return found
	}
	if gpu, _ := complete["gpu"].(map[string]any); gpu["sharing"] != nil {
		sharing, _ := gpu["sharing"].(map[string]any)
		if strategy := sharing["strategy"]; strategy == "time-sharing" || strategy == "mps" {
			return failure.Refusedf("train on a GPU of its own: --sharing none", "a training takes all of a GPU's memory, up to its last GiB: it cannot share one by %v", strategy)
		}
	}
	o.training.model, o.training.accel, o.training.quantization = text("model", "id"), text("gpu", "accelerator"), text("engine", "quantization")
	return o.training.run(o.f.Streams.Out, o.output, o.memory)
}

// discard drops chartflags' reminder of the weights' size: plan knows it.
type discard struct{}

// Write takes all.
func (discard) Write(p []byte) (int, error) { return len(p), nil }

func (o *options) explain(err error) error {
	var unknown *plan.Unknown
	if errors.As(err, &unknown) && unknown.What == "model" {
		return failure.New(failure.Usage, err, "give its config.json: --config FILE, from https://huggingface.co/MODEL/resolve/main/config.json")
	}
	return chartflags.Explain(planning.Explain(err))
}

// hubTimeout bounds the only question that goes over a network.
const hubTimeout = 10 * time.Second

// findConfig returns the config.json of a model that is not in the catalog: the file that was given, the one that is cached
// on this machine, or the Hub's. A fine-tune whose name says what it was made of needs none.
func (o *options) findConfig(ctx context.Context, chart fs.FS, given map[string]any) ([]byte, error) {
	if o.config != "" {
		return o.readConfig()
	}
	complete, err := render.Complete(chart, given)
	if err != nil {
		return nil, err
	}
	values, _ := complete["model"].(map[string]any)
	id, _ := values["id"].(string)
	revision, _ := values["revision"].(string)
	known, err := catalog.FindModel(id)
	if err == nil && known.Like == "" || chartflags.CheckHubID(id) != nil {
		return nil, nil // the catalog's, or a path that only the container sees
	}
	if cached := modelconfig.Cached(os.Getenv, id); cached != nil || err == nil {
		return cached, nil
	}
	ctx, cancel := context.WithTimeout(ctx, hubTimeout)
	defer cancel()
	fmt.Fprintf(o.f.Streams.ErrOut, "%s is not in the catalog: asking the Hub for its config.json\n", id)
	data, fetchErr := modelconfig.Fetch(ctx, os.Getenv, id, revision)
	if fetchErr != nil && failure.KindOf(fetchErr) != failure.Usage {
		return nil, failure.New(failure.Usage, fmt.Errorf("%w; %w", err, fetchErr), failure.NextOf(fetchErr))
	}
	return data, fetchErr
}

// largestConfig is above what the parser takes, so that it says what is wrong.
const largestConfig = 8 << 20

func (o *options) readConfig() ([]byte, error) {
	info, err := os.Stat(o.config)
	switch {
	case err != nil:
		return nil, failure.Usagef("--config: %w", err)
	case info.IsDir():
		return nil, failure.Usagef("--config %s: is a directory; give the file %s/config.json", o.config, strings.TrimSuffix(o.config, "/"))
	case info.Size() > largestConfig:
		return nil, failure.Usagef("--config %s: has %d MiB: this is no model's config.json", o.config, info.Size()>>20)
	}
	data, err := os.ReadFile(o.config)
	if err != nil {
		return nil, failure.Usagef("--config: %w", err)
	}
	return data, nil
}

func (o *options) print(p *plan.Plan, given map[string]any) error {
	switch o.output {
	case "json":
		return printJSON(o.f.Streams.Out, p)
	case "values":
		return printValues(o.f.Streams.Out, render.Over(given, p.Values()), p)
	}
	printTable(o.f.Streams.Out, p)
	return nil
}
