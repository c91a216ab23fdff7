// Package doctor is the `doctor` verb: it checks the cluster and the accounts before any GPU is
// paid for.
package doctor

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/kubectl-summarizer/kubectl-summarizer/internal/cli/chartflags"
	"github.com/kubectl-summarizer/kubectl-summarizer/internal/cli/factory"
	"github.com/kubectl-summarizer/kubectl-summarizer/internal/cluster"
	"github.com/kubectl-summarizer/kubectl-summarizer/internal/doctor"
	"github.com/kubectl-summarizer/kubectl-summarizer/internal/failure"
	"github.com/kubectl-summarizer/kubectl-summarizer/internal/ui"
)

const long = `Check the cluster and the accounts before any GPU is paid for: nodes, GPUs and
drivers, quota, storage, metrics, rights, the Hugging Face token and whether it may
read the model, and what leads out to the internet. Nothing is changed.

It takes the flags of install, and checks what install would do with them. Without
a cluster the accounts are checked alone, with HF_TOKEN and WANDB_API_KEY of the
environment. HF_ENDPOINT and WANDB_BASE_URL name other servers.

The exit code is 0 when no check failed, and 4 when one did; warnings are 0. What
each check means and how it is mended: docs/doctor.md.`

const example = `  kubectl summarizer doctor -n ml

  # A gated model, a tracked training and a place to publish
  kubectl summarizer doctor -n ml --model meta-llama/Llama-3.1-8B-Instruct \
    --wandb-secret wandb --publish-repo my-org/support-summaries

  # In a pipeline: what failed
  kubectl summarizer doctor -o json | jq -r '.checks[] | select(.result == "fail") | .id'`

// wandbKey is the key of the Secret that train reads too when --wandb-secret names none.
const wandbKey = "wandb_api_key"

type options struct {
	f      *factory.Factory
	values chartflags.Flags

	wandbSecret, publishRepo, hub string
	offline                       bool
	timeout                       time.Duration
	output                        string
}

// NewCmd returns the doctor command.
func NewCmd(f *factory.Factory) *cobra.Command {
	o := &options{f: f}
	cmd := &cobra.Command{
		Use:     "doctor",
		Short:   "Check the cluster and the accounts before any GPU is paid for",
		Long:    long,
		Example: example,
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return cluster.ExplainFor(f.Target(), o.run(cmd.Context()))
		},
	}
	flags := cmd.Flags()
	flags.SortFlags = false
	o.values.AddTo(flags)
	flags.StringVar(&o.wandbSecret, "wandb-secret", "", "Secret with the key of Weights & Biases, as NAME or NAME:KEY")
	flags.StringVar(&o.publishRepo, "publish-repo", "", "repository on the Hub that runs will be published to, as ORG/NAME")
	flags.StringVar(&o.hub, "hub-endpoint", "", "another Hugging Face Hub; model.hubEndpoint of the values, then HF_ENDPOINT when empty")
	flags.BoolVar(&o.offline, "offline", false, "leave the cluster alone: check the accounts and this machine's way out")
	flags.DurationVar(&o.timeout, "timeout", 10*time.Second, "how long each check may take; all run at once")
	flags.StringVarP(&o.output, "output", "o", "table", "table, wide (with every part that was looked at) or json")
	return cmd
}

func (o *options) run(ctx context.Context) error {
	subject, err := o.subject(ctx)
	if err != nil {
		return err
	}
	var found []doctor.Finding
	steps := &ui.Steps{W: o.f.Streams.ErrOut, Now: o.f.Now}
	err = steps.During("checking cluster and accounts", func() error {
		found = doctor.Run(ctx, subject, o.timeout)
		return ctx.Err()
	})
	if err != nil {
		return err
	}
	report := doctor.NewReport(subject, found)
	if err := o.print(report); err != nil {
		return err
	}
	if report.Healthy {
		return nil
	}
	var failed []string
	for _, f := range found {
		if f.Result == doctor.Fail {
			failed = append(failed, f.ID)
		}
	}
	return failure.New(failure.Unhealthy, fmt.Errorf("%d of %d checks failed: %s", len(failed), len(found), strings.Join(failed, ", ")), "")
}
