// Package install is the `install` verb: it installs or upgrades a release, waits until it
// answers, and explains what stands in the way.
package install

import (
	"errors"
	"time"

	"github.com/spf13/cobra"

	"github.com/kubectl-summarizer/kubectl-summarizer/internal/cli/chartflags"
	"github.com/kubectl-summarizer/kubectl-summarizer/internal/cli/factory"
	"github.com/kubectl-summarizer/kubectl-summarizer/internal/failure"
	"github.com/kubectl-summarizer/kubectl-summarizer/internal/product"
	"github.com/kubectl-summarizer/kubectl-summarizer/internal/ui"
)

const long = `Install or upgrade a release: the model server, its Service and what they need.

Before anything is changed the plan is made (see: plan --help): what cannot fit its
GPU is refused, with what would. Then the cluster is asked whether it would take it:
rights, quota, admission policies, the Secret with the token, a node with the GPU.
Then the chart is applied and the wait begins; Ctrl-C ends only the wait.

On a release that is there already, what you give is laid over the values of the
last install; --reset-values starts from the chart's defaults instead.`

const example = `  # The default model, Mistral-7B-Instruct-v0.3, on one NVIDIA L4 of GKE Autopilot
  kubectl summarizer install

  # Another model, with the Secret that holds the Hugging Face token
  kubectl summarizer install --model meta-llama/Llama-3.2-3B-Instruct --hf-secret hf-secret

  # See what would be done
  kubectl summarizer install --dry-run=server`

// The longest wait: a new node, an image of ten gigabytes, a model, a cold start.
const defaultTimeout = 45 * time.Minute

type options struct {
	f         *factory.Factory
	values    chartflags.Flags
	release   string
	namespace string

	createNamespace bool
	resetValues     bool
	skipChecks      bool
	force           bool
	wait            bool
	timeout         time.Duration
	dryRun          string

	checked bool // the cluster was asked, and would take it
	steps   *ui.Steps
}

// NewCmd returns the install command.
func NewCmd(f *factory.Factory) *cobra.Command {
	o := &options{f: f, steps: &ui.Steps{W: f.Streams.ErrOut, Now: f.Now}}
	cmd := &cobra.Command{
		Use:     "install [RELEASE]",
		Aliases: []string{"upgrade"},
		Short:   "Install or upgrade a model server, and wait until it answers",
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
			return o.run(cmd.Context())
		},
	}
	flags := cmd.Flags()
	o.values.AddTo(flags)
	flags.BoolVar(&o.createNamespace, "create-namespace", false, "create the namespace if it does not exist")
	flags.BoolVar(&o.resetValues, "reset-values", false, "on an upgrade, start from the chart's defaults instead of the last install's values")
	flags.BoolVar(&o.skipChecks, "skip-checks", false, "apply without asking the cluster first")
	flags.BoolVar(&o.force, "force", false, "install also what does not fit the GPU by the plan")
	flags.BoolVar(&o.wait, "wait", true, "wait until the model answers")
	flags.DurationVar(&o.timeout, "timeout", defaultTimeout, "how long to wait; the installation goes on when the time is over")
	flags.StringVar(&o.dryRun, "dry-run", "none", "none, client (print the manifests of what is given; the last install's values are not read) or server (run the checks, change nothing)")
	return cmd
}

func (o *options) complete(args []string) error {
	o.release = product.DefaultRelease
	if len(args) > 0 {
		o.release = args[0]
	}
	var err error
	o.namespace, err = o.f.Namespace()
	return err
}

func (o *options) validate() error {
	if err := failure.OneOf("--dry-run", o.dryRun, "none", "client", "server"); err != nil {
		return err
	}
	if o.timeout <= 0 {
		return failure.New(failure.Usage, errors.New("--timeout must be more than 0"), "to not wait at all: --wait=false")
	}
	return nil
}
