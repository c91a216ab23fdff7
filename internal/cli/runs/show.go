package runs

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/kubectl-summarizer/kubectl-summarizer/internal/cli/factory"
	"github.com/kubectl-summarizer/kubectl-summarizer/internal/cluster"
	"github.com/kubectl-summarizer/kubectl-summarizer/internal/failure"
	"github.com/kubectl-summarizer/kubectl-summarizer/internal/runs"
	"github.com/kubectl-summarizer/kubectl-summarizer/internal/runview"
	"github.com/kubectl-summarizer/kubectl-summarizer/internal/ui"
	"github.com/kubectl-summarizer/kubectl-summarizer/pkg/train"
)

const longShow = `Show one run: what it was told, how far it is, its pods, and what it came to.

The exit code is 0 unless the run failed or cannot go on without help, which is 4.`

func newShow(f *factory.Factory) *cobra.Command {
	output := ""
	cmd := &cobra.Command{
		Use:   "show NAME",
		Short: "Show one run: how far it is and what it came to",
		Long:  longShow,
		Args:  cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return with(f, func(o *runs.Observer) error { return show(cmd.Context(), f, o, args[0], output) })
		},
	}
	cmd.Flags().StringVarP(&output, "output", "o", "text", "text, json or yaml")
	return cmd
}

func show(ctx context.Context, f *factory.Factory, o *runs.Observer, name, output string) error {
	if err := failure.OneOf("output format", output, "text", "json", "yaml"); err != nil {
		return err
	}
	var run *runs.Run
	steps := &ui.Steps{W: f.Streams.ErrOut, Now: f.Now}
	err := steps.During("looking at the run", func() (err error) {
		run, err = find(ctx, o, name)
		return err
	})
	if err != nil {
		return err
	}
	if output == "text" {
		err = text(f.Streams.Out, run, f.Now())
	} else {
		err = encode(f.Streams.Out, output, run)
	}
	switch {
	case err != nil:
		return err
	case run.State == runs.Failed, run.Stuck && output != "text":
		return runview.Failures([]*runs.Run{run})
	case run.Stuck:
		return failure.New(failure.Unhealthy, errors.New("the run cannot go on without help"), run.Next)
	}
	return nil
}

func text(w io.Writer, run *runs.Run, now time.Time) error {
	line := func(what, format string, args ...any) {
		fmt.Fprintf(w, "%-11s%s\n", what, fmt.Sprintf(format, args...))
	}
	line("run", "%s in %s, created %s ago", run.Name, run.Namespace, ui.Duration(now.Sub(run.Created)))
	line("state", "%s", stateText(run))
	line("model", "%s, %s", run.Spec.Model.ID, revisionOf(run))
	line("data", "%s", dataText(run))
	line("training", "%s", settings(&run.Spec))
	line("volume", "persistentvolumeclaim/%s", run.Claim())
	line("image", "%s", run.Image())
	if run.Result != nil {
		line("trained", "%s", runview.TrainingText(run.Result))
		line("adapter", "%s, rank %d, %s, sha256 %s", run.Result.Adapter.Path, run.Result.Adapter.Rank, ui.Bytes(run.Result.Adapter.Bytes), run.Result.Adapter.SHA256)
		if wandb := run.Result.WandB; wandb != nil {
			line("tracked", "%s", strings.TrimSpace("Weights & Biases, run "+wandb.ID+", "+wandb.Mode+" "+wandb.URL))
		}
	}
	if run.Published != nil {
		line("published", "%s at %s", run.Published.Repo, run.Published.Revision)
	}
	if run.Merged != nil {
		line("merged", "%s at %s", run.Merged.Repo, run.Merged.Revision)
	}
	if run.Result != nil && run.Result.Evaluation != nil {
		line("judged", "%s\n", runview.JudgedText(run.Result.Evaluation))
		if err := runview.ScoreTable(w, []*runs.Run{run}); err != nil {
			return err
		}
	}
	return pods(w, run, now)
}

func stateText(run *runs.Run) string {
	parts := []string{string(run.State)}
	if done, total := run.Steps(); total > 0 && run.State != runs.Succeeded {
		parts = append(parts, fmt.Sprintf("step %d of %d", done, total))
	}
	if doing := runview.PhaseName(run.Phase); !run.State.Over() && doing != "" && !strings.EqualFold(doing, parts[0]) {
		parts = append(parts, doing)
	}
	if run.Message != "" && run.State != runs.Failed {
		parts = append(parts, run.Message)
	}
	return strings.Join(parts, ", ")
}

// revisionOf is the commit that was loaded, or what was asked for.
func revisionOf(run *runs.Run) string {
	switch {
	case run.Result != nil && run.Result.Model.Revision != "":
		return "commit " + run.Result.Model.Revision
	case run.Prepared != nil && run.Prepared.ModelRevision != "":
		return "commit " + run.Prepared.ModelRevision
	}
	return "revision " + run.Spec.Model.Revision
}

func dataText(run *runs.Run) string {
	text := run.DataFrom()
	if r := run.Result; r != nil {
		text += fmt.Sprintf(": %d examples to train, %d to validate, %d to judge, %d left out", r.Data.Train, r.Data.Validation, r.Data.Test, r.Data.Dropped)
		if r.Data.License != "" {
			text += ", licence " + r.Data.License
		}
	}
	return text
}

// settings are the hyper-parameters by which runs differ most.
func settings(s *train.Spec) string {
	t := &s.Training
	text := fmt.Sprintf("LoRA rank %d, alpha %d, learning rate %g, %g epochs, batches of %d, at most %d tokens, seed %d",
		s.LoRA.Rank, s.LoRA.Alpha, t.LearningRate, t.Epochs, t.EffectiveBatchSize, t.MaxLength, t.Seed)
	if t.MaxSteps > 0 {
		text += fmt.Sprintf(", at most %d steps", t.MaxSteps)
	}
	if t.Quantization != "" {
		text += ", " + t.Quantization
	}
	return text
}

func pods(w io.Writer, run *runs.Run, now time.Time) error {
	if len(run.Pods) == 0 {
		return nil
	}
	fmt.Fprintln(w)
	rows := make([][]string, len(run.Pods))
	for i := range run.Pods {
		p := &run.Pods[i]
		phase := string(p.Phase)
		if p.Disrupted != "" {
			phase = "Preempted"
		}
		rows[i] = []string{p.Name, p.Component, phase, p.Node, fmt.Sprint(p.GPUs), p.LastExit, ui.Duration(now.Sub(p.Created))}
	}
	if err := ui.Table(w, []string{"POD", "PART", "PHASE", "NODE", "GPUS", "ENDED WITH", "AGE"}, rows); err != nil {
		return err
	}
	if p := run.Active(); p != nil && p.Message != "" && p.Phase != cluster.Running {
		fmt.Fprintf(w, "\n%s: %s\n", p.Name, strings.TrimPrefix(p.Reason+": "+p.Message, ": "))
		if p.Next != "" {
			fmt.Fprintf(w, "  next: %s\n", strings.ReplaceAll(p.Next, "\n", "\n        "))
		}
	}
	return nil
}
