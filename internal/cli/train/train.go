// Package train is the `train` verb: it starts LoRA runs in the cluster and follows them.
package train

import (
	"context"
	"time"

	"github.com/spf13/cobra"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/kubernetes"

	"github.com/kubectl-summarizer/kubectl-summarizer/internal/cli/factory"
	"github.com/kubectl-summarizer/kubectl-summarizer/internal/cluster"
	"github.com/kubectl-summarizer/kubectl-summarizer/internal/failure"
	"github.com/kubectl-summarizer/kubectl-summarizer/internal/runs"
	"github.com/kubectl-summarizer/kubectl-summarizer/internal/ui"
)

const long = `Fine-tune models with LoRA in the cluster, judge them, and follow them.

Each model is a run of its own: a preparation on CPU checks the access and brings
packages, weights and data to the run's volume, and only then a GPU is asked for.
The run trains, writes checkpoints, goes on after a preemption, and is judged with
vLLM as it will be served. Before anything is created the cluster is asked whether
it would take it, and whether it fits the GPU.

Ctrl-C ends only the following; the run goes on. See: runs follow.`

const example = `  # SAMSum, on one NVIDIA L4 of GKE Autopilot, on Spot
  kubectl summarizer train --model mistralai/Mistral-7B-Instruct-v0.3 --spot --hf-secret hf-secret

  # Two models on the same dialogues of your own, to be compared
  kubectl summarizer train support --data ./dialogues --model mistralai/Mistral-7B-Instruct-v0.3 \
    --model meta-llama/Llama-3.2-3B-Instruct

  # Go on with a run that failed or was stopped, with a smaller batch
  kubectl summarizer train --resume support-mistral-7b --batch-size 2

  # Every object that would be created
  kubectl summarizer train --model Qwen/Qwen2.5-1.5B-Instruct --dry-run=client`

type options struct {
	f         *factory.Factory
	name      string
	namespace string
	flags     flags
	steps     *ui.Steps
	said      map[string]bool

	// Clients are built when they are needed, unless a test has put its own here.
	client  kubernetes.Interface
	dynamic dynamic.Interface
}

// NewCmd returns the train command.
func NewCmd(f *factory.Factory) *cobra.Command {
	o := &options{f: f, steps: &ui.Steps{W: f.Streams.ErrOut, Now: f.Now}}
	cmd := &cobra.Command{
		Use:     "train [NAME] --model ORG/NAME [--model ...]",
		Short:   "Fine-tune models with LoRA in the cluster, judge them and follow them",
		Long:    long,
		Example: example,
		Args:    cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := o.complete(args); err != nil {
				return err
			}
			if err := o.validate(); err != nil {
				return err
			}
			return cluster.ExplainFor(f.Target(), o.run(cmd.Context()))
		},
	}
	o.flags.addTo(cmd)
	return cmd
}

func (o *options) complete(args []string) error {
	if len(args) > 0 {
		o.name = args[0]
	}
	var err error
	o.namespace, err = o.f.Namespace()
	return err
}

func (o *options) validate() error {
	if err := failure.OneOf("--dry-run", o.flags.dryRun, "none", "client", "server"); err != nil {
		return err
	}
	if err := failure.OneOf("output format", o.flags.output, "yaml", "json", "name"); err != nil {
		return err
	}
	if o.flags.timeout < 0 {
		return failure.Usagef("--timeout must not be negative")
	}
	return o.flags.check()
}

func (o *options) run(ctx context.Context) error {
	if o.flags.resume {
		return o.goOn(ctx)
	}
	return o.start(ctx)
}

// observer connects to the cluster.
func (o *options) observer() (*runs.Observer, error) {
	observer, err := o.f.Runs(o.client, o.dynamic)
	if err != nil {
		return nil, err
	}
	o.namespace, o.client, o.dynamic = observer.Namespace, observer.Client, observer.Dynamic
	return observer, nil
}

// stamp is the date in the name of a run that was given none.
func (o *options) stamp() string { return o.f.Now().Format("20060102-1504") }

// seconds of a duration that was given, nil when it was not.
func seconds(d time.Duration) *int64 {
	if d <= 0 {
		return nil
	}
	return new(int64(d.Seconds()))
}
