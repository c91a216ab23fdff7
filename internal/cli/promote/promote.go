// Package promote is the `promote` verb: it serves a run's adapter with a release, and goes back
// when it is not what it should be.
package promote

import (
	"time"

	"github.com/spf13/cobra"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/kubernetes"

	"github.com/kubectl-summarizer/kubectl-summarizer/internal/cli/factory"
	"github.com/kubectl-summarizer/kubectl-summarizer/internal/cluster"
	"github.com/kubectl-summarizer/kubectl-summarizer/internal/failure"
	"github.com/kubectl-summarizer/kubectl-summarizer/internal/product"
	"github.com/kubectl-summarizer/kubectl-summarizer/internal/ui"
)

const long = `Serve a run's adapter with a release, beside what it serves already.

The adapter comes from the Hub at the commit that was published, or from the run's
volume. The release must serve the model that was tuned. It is upgraded, and once it is
ready a probe in the cluster asks it: the adapter must be listed and answer otherwise
than the model it tunes. If anything of this fails, the release goes back to what it was.

With --canary N the probe compares on N examples of the test split with what is served
now, in pairs, and the release goes back when the new adapter is worse.`

const example = `  # The release "summarizer", from the Hub if the run is published, else from its volume
  kubectl summarizer promote support-mistral-7b

  # Under a name of its own, and only if it is no worse than the adapter "support"
  kubectl summarizer promote support-v2 --name support-v2 --canary 100 --against support`

// The longest wait: the model is loaded again, on a node that may have to be made first.
const defaultTimeout = 45 * time.Minute

// fewestCompared is the program's own limit for a verdict.
const fewestCompared = 20

// Where the adapter comes from.
const (
	fromHub    = "hub"
	fromVolume = "volume"
)

type options struct {
	f         *factory.Factory
	name      string
	namespace string
	steps     *ui.Steps

	// served is the name that clients ask for.
	release, from, served, against string
	canary                         int
	timeout                        time.Duration
	skipChecks                     bool
	dryRun                         string

	client  kubernetes.Interface
	dynamic dynamic.Interface
}

// NewCmd returns the promote command.
func NewCmd(f *factory.Factory) *cobra.Command {
	o := &options{f: f, steps: &ui.Steps{W: f.Streams.ErrOut, Now: f.Now}}
	cmd := &cobra.Command{
		Use:     "promote RUN",
		Short:   "Serve a run's adapter with a release, after it has proved itself",
		Long:    long,
		Example: example,
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			o.name = args[0]
			if err := o.validate(); err != nil {
				return err
			}
			return cluster.ExplainFor(f.Target(), o.run(cmd.Context()))
		},
	}
	flags := cmd.Flags()
	flags.SortFlags = false
	flags.StringVar(&o.release, "release", product.DefaultRelease, "release that shall serve it")
	flags.StringVar(&o.from, "from", "", "hub or volume; the Hub when the run is published, else its volume")
	flags.StringVar(&o.served, "name", "", "name that clients ask for; the run's name when empty. An adapter of that name is replaced")
	flags.IntVar(&o.canary, "canary", 0, "compare with what is served now on so many examples, and go back when it is worse")
	flags.StringVar(&o.against, "against", "", "served model or adapter to compare with; the only adapter when there is one, else the model itself")
	flags.DurationVar(&o.timeout, "timeout", defaultTimeout, "how long the release may take to be ready; then it goes back")
	flags.BoolVar(&o.skipChecks, "skip-checks", false, "do not ask beforehand whether run and release fit together")
	flags.StringVar(&o.dryRun, "dry-run", "none", "none, or server (run the checks, change nothing)")
	return cmd
}

func (o *options) validate() error {
	if err := failure.OneOf("--from", o.from, "", fromHub, fromVolume); err != nil {
		return err
	}
	if err := failure.OneOf("--dry-run", o.dryRun, "none", "server"); err != nil {
		return err
	}
	switch {
	case o.canary < 0, o.canary > 0 && o.canary < fewestCompared:
		return failure.Usagef("--canary is %d: fewer than %d examples show no difference", o.canary, fewestCompared)
	case o.against != "" && o.canary == 0:
		return failure.Usagef("--against says what to compare with: give --canary N too")
	case o.timeout <= 0:
		return failure.Usagef("--timeout must be more than 0")
	}
	if o.served == "" {
		o.served = o.name
	}
	return nil
}

// in ends every command that is printed, so that it means this very cluster and namespace.
func (o *options) in() string { return " -n " + o.namespace + o.f.Target() }
