// Package publish is the `publish` verb: it puts a run's adapter on the Hugging Face Hub.
package publish

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/kubernetes"

	"github.com/kubectl-summarizer/kubectl-summarizer/internal/cli/chartflags"
	"github.com/kubectl-summarizer/kubectl-summarizer/internal/cli/factory"
	"github.com/kubectl-summarizer/kubectl-summarizer/internal/cluster"
	"github.com/kubectl-summarizer/kubectl-summarizer/internal/failure"
	"github.com/kubectl-summarizer/kubectl-summarizer/internal/product"
	"github.com/kubectl-summarizer/kubectl-summarizer/internal/runs"
	"github.com/kubectl-summarizer/kubectl-summarizer/internal/runview"
	"github.com/kubectl-summarizer/kubectl-summarizer/internal/ui"
	"github.com/kubectl-summarizer/kubectl-summarizer/pkg/train"
)

const long = `Put a run's adapter on the Hugging Face Hub, with a card that says how it was trained
and judged. A Job on CPU does it in the cluster, so that weights and token stay there.

A repository that is made is private unless --public is given; data whose licence
restricts what is made of them, as SAMSum's does, need --accept-data-licence too. It can
be repeated: what is there already is not sent again. The commit is printed.`

const example = `  kubectl summarizer publish support-mistral-7b --repo my-org/mistral-7b-support-summaries

  # The whole model with the adapter in it, for everybody
  kubectl summarizer publish support-mistral-7b --repo my-org/mistral-7b-support --merged --public`

type options struct {
	f         *factory.Factory
	name      string
	namespace string

	repo, branch, message, hfSecret string
	public, merged, acceptLicence   bool

	client  kubernetes.Interface
	dynamic dynamic.Interface
}

// NewCmd returns the publish command.
func NewCmd(f *factory.Factory) *cobra.Command {
	o := &options{f: f}
	cmd := &cobra.Command{
		Use:     "publish RUN --repo ORG/NAME",
		Short:   "Put a run's adapter with its card on the Hugging Face Hub",
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
	flags.StringVar(&o.repo, "repo", "", "repository on the Hub, as ORG/NAME; it is made when it is not there")
	flags.BoolVar(&o.public, "public", false, "show it to everybody")
	flags.BoolVar(&o.merged, "merged", false, "publish the whole model with the adapter in it, which can be served alone but not as an adapter")
	flags.BoolVar(&o.acceptLicence, "accept-data-licence", false, "you may make public what was trained on data whose licence restricts it")
	flags.StringVar(&o.branch, "branch", "", "branch that gets the commit; main when empty")
	flags.StringVar(&o.message, "message", "", "message of the commit; one is written when empty")
	flags.StringVar(&o.hfSecret, "hf-secret", "", "Secret with a token that may write, as NAME or NAME:KEY; the run's own when empty")
	return cmd
}

func (o *options) validate() error {
	if o.repo == "" {
		return failure.New(failure.Usage, errors.New("say where to: --repo ORG/NAME"), "")
	}
	if err := chartflags.CheckHubID(o.repo); err != nil {
		return failure.Usagef("--repo: %w", err)
	}
	if o.branch != "" {
		if err := chartflags.CheckRevision(o.branch); err != nil {
			return failure.Usagef("--branch: %w", err)
		}
	}
	if o.hfSecret != "" {
		if _, _, err := chartflags.SplitSecret(o.hfSecret); err != nil {
			return failure.Usagef("--hf-secret: %w", err)
		}
	}
	return nil
}

func (o *options) observer() (*runs.Observer, error) {
	observer, err := o.f.Runs(o.client, o.dynamic)
	if err != nil {
		return nil, err
	}
	o.namespace, o.client, o.dynamic = observer.Namespace, observer.Client, observer.Dynamic
	return observer, nil
}

func (o *options) run(ctx context.Context) error {
	observer, err := o.observer()
	if err != nil {
		return err
	}
	var task runs.Task
	steps := &ui.Steps{W: o.f.Streams.ErrOut, Now: o.f.Now}
	err = steps.During("looking at the run", func() (err error) {
		task, err = o.task(ctx, observer, steps)
		return err
	})
	if err != nil {
		return err
	}
	var published *runs.Published
	tasks := &runview.Tasks{Observer: observer, ErrOut: o.f.Streams.ErrOut, Now: o.f.Now}
	err = tasks.Perform(ctx, task, func(e *train.Event) {
		if e.Event == "published" {
			published = &runs.Published{Repo: e.Repo, Revision: e.Revision, URL: e.URL, Private: e.Private}
		}
	})
	if err != nil {
		return explained(err, o.name)
	}
	if published == nil {
		// Its log may not be read: the record says the same.
		if run, err := observer.Look(ctx, o.name); err == nil {
			published = run.Published
			if o.merged {
				published = run.Merged
			}
		}
	}
	o.print(published)
	return nil
}

// flagsOf has the flags of this command for what the program calls it in its orders.
var flagsOf = strings.NewReplacer("acceptDataLicence: true", "--accept-data-licence", "public: true", "--public")

// explained says what failed, keeping the exit code of an interruption.
func explained(err error, name string) error {
	if failure.KindOf(err) == failure.Interrupted {
		return err
	}
	return failure.New(failure.KindOf(err), fmt.Errorf("run %s could not be published: %s", name, flagsOf.Replace(err.Error())), flagsOf.Replace(failure.NextOf(err)))
}

func (o *options) print(p *runs.Published) {
	in := " -n " + o.namespace + o.f.Target()
	if p == nil {
		fmt.Fprintf(o.f.Streams.ErrOut, "published to %s, at a commit that the run's record does not say\n", o.repo)
		return
	}
	fmt.Fprintln(o.f.Streams.Out, p.URL)
	seen := "public"
	if p.Private {
		seen = "private"
	}
	fmt.Fprintf(o.f.Streams.ErrOut, "\n%s is published, and %s. Try:\n", p.Repo, seen)
	if o.merged {
		fmt.Fprintf(o.f.Streams.ErrOut, "  %s install NAME --model %s --revision %s%s\n", product.Command, p.Repo, p.Revision, in)
		return
	}
	fmt.Fprintf(o.f.Streams.ErrOut, "  %s promote %s --from hub%s\n", product.Command, o.name, in)
}

// task is the Job that publishes the run, or why it cannot be.
func (o *options) task(ctx context.Context, observer *runs.Observer, steps *ui.Steps) (runs.Task, error) {
	run, err := observer.Look(ctx, o.name)
	switch {
	case errors.Is(err, runs.ErrNotFound):
		return runs.Task{}, observer.Missing(ctx, o.name)
	case err != nil:
		return runs.Task{}, err
	case run.Result == nil:
		return runs.Task{}, failure.Refusedf(fmt.Sprintf("see how far it is: %s runs show %s -n %s%s", product.Command, o.name, o.namespace, o.f.Target()),
			"run %s has no result to publish: it is %s", o.name, strings.ToLower(string(run.State)))
	case run.Options == nil:
		return runs.Task{}, failure.Refusedf("", "the record of run %s does not say how its pods were made: it was not started by this program", o.name)
	}
	pods := *run.Options
	pods.Namespace = o.namespace
	// A token that may read is enough to train, and none was asked for by name: here one is needed.
	pods.HFSecret.Optional = false
	if o.hfSecret != "" {
		name, key, err := chartflags.SplitSecret(o.hfSecret)
		if err != nil {
			return runs.Task{}, err
		}
		if key == "" {
			key = pods.HFSecret.Key
		}
		pods.HFSecret.Name, pods.HFSecret.Key = name, key
	}
	if pods.HFSecret.Name == "" {
		return runs.Task{}, failure.Refusedf("name the Secret with a token that may write: --hf-secret NAME", "run %s has no Hugging Face token", o.name)
	}
	objects, err := train.PublishJob(run.Spec, pods, train.Publish{
		Repo: o.repo, Public: o.public, Merged: o.merged, Revision: o.branch, Message: o.message, AcceptDataLicence: o.acceptLicence,
	})
	if err != nil {
		return runs.Task{}, err
	}
	task := runs.Task{Run: o.name, Component: train.ComponentPublish, Job: train.PublishName(o.name), Objects: objects}
	if err := observer.Near(ctx, run, objects); err != nil {
		return task, err
	}
	refusals, err := observer.Needs(ctx, objects, steps.Warn)
	if err != nil {
		return task, err
	}
	return task, failure.Join(refusals)
}
