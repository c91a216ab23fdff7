// Package compare is the `compare` verb: which of two runs is better, and how sure that is.
package compare

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"
	"sigs.k8s.io/yaml"

	"github.com/kubectl-summarizer/kubectl-summarizer/internal/cli/factory"
	"github.com/kubectl-summarizer/kubectl-summarizer/internal/cluster"
	"github.com/kubectl-summarizer/kubectl-summarizer/internal/failure"
	"github.com/kubectl-summarizer/kubectl-summarizer/internal/product"
	"github.com/kubectl-summarizer/kubectl-summarizer/internal/runs"
	"github.com/kubectl-summarizer/kubectl-summarizer/internal/ui"
	"github.com/kubectl-summarizer/kubectl-summarizer/pkg/train"
)

const long = `Say which of two runs is better, example by example, with confidence.

Both must have been judged on the same examples with the same instruction. The
differences are drawn again and again in pairs (paired bootstrap): a difference whose
interval includes zero is none, and then the smaller model is the one to take.

The exit code is 0 whatever the verdict, unless --require better is given and the
first run is not: then it is 4.`

const example = `  kubectl summarizer compare support-mistral-7b support-llama-3-2-3b

  # In a pipeline: go on only when the new run is better than the one that is served
  kubectl summarizer compare new old --require better && kubectl summarizer promote new`

// seed makes the verdict the same each time that it is asked for.
const seed = 42

type options struct {
	f       *factory.Factory
	a, b    string
	output  string
	require string
	samples int
}

// NewCmd returns the compare command.
func NewCmd(f *factory.Factory) *cobra.Command {
	o := &options{f: f}
	cmd := &cobra.Command{
		Use:     "compare RUN OTHER",
		Short:   "Say which of two runs is better, with confidence",
		Long:    long,
		Example: example,
		Args:    cobra.ExactArgs(2),
		RunE: func(cmd *cobra.Command, args []string) error {
			o.a, o.b = args[0], args[1]
			if err := o.validate(); err != nil {
				return err
			}
			return cluster.ExplainFor(f.Target(), o.run(cmd.Context()))
		},
	}
	cmd.Flags().StringVarP(&o.output, "output", "o", "text", "text, json or yaml")
	cmd.Flags().StringVar(&o.require, "require", "", "better: exit with 4 unless the first run is better")
	cmd.Flags().IntVar(&o.samples, "samples", 10000, "how often the examples are drawn")
	return cmd
}

func (o *options) validate() error {
	if err := failure.OneOf("output format", o.output, "text", "json", "yaml"); err != nil {
		return err
	}
	if o.require != "" && o.require != string(train.Better) {
		return failure.Usagef("unknown --require %q: it takes better", o.require)
	}
	if o.a == o.b {
		return failure.Usagef("%s is compared with itself: name two runs", o.a)
	}
	if o.samples < 100 {
		return failure.Usagef("--samples is %d: fewer than 100 say nothing", o.samples)
	}
	return nil
}

func (o *options) run(ctx context.Context) error {
	observer, err := o.f.Runs(nil, nil)
	if err != nil {
		return err
	}
	var report *report
	steps := &ui.Steps{W: o.f.Streams.ErrOut, Now: o.f.Now}
	err = steps.During("comparing", func() (err error) {
		report, err = o.compare(ctx, observer)
		return err
	})
	if err != nil {
		return err
	}
	if err := report.print(o.f.Streams.Out, o.output); err != nil {
		return err
	}
	return o.required(report)
}

// required is an error when the verdict is not the one that was asked for.
func (o *options) required(report *report) error {
	if o.require == "" || report.Verdict == train.Better {
		return nil
	}
	return failure.New(failure.Unhealthy, fmt.Errorf("%s is not better than %s: %s", o.a, o.b, report.Reason), "")
}

// compare reads both runs and pairs their scores.
func (o *options) compare(ctx context.Context, observer *runs.Observer) (*report, error) {
	a, scoresA, err := o.judged(ctx, observer, o.a)
	if err != nil {
		return nil, err
	}
	b, scoresB, err := o.judged(ctx, observer, o.b)
	if err != nil {
		return nil, err
	}
	if err := comparable(a, b); err != nil {
		return nil, err
	}
	comparison, err := train.Compare(scoresA, scoresB, o.samples, seed)
	if err != nil {
		return nil, failure.New(failure.Refused, err, "")
	}
	return &report{A: o.a, B: o.b, Comparison: comparison, Take: take(a, b, comparison.Verdict)}, nil
}

// judged returns a run with its scores, or why it has none.
func (o *options) judged(ctx context.Context, observer *runs.Observer, name string) (*runs.Run, train.ExampleScores, error) {
	run, err := observer.Look(ctx, name)
	if errors.Is(err, runs.ErrNotFound) {
		return nil, train.ExampleScores{}, observer.Missing(ctx, name)
	}
	if err != nil {
		return nil, train.ExampleScores{}, err
	}
	scores, found, err := observer.Scores(ctx, name)
	switch {
	case err != nil:
		return nil, scores, fmt.Errorf("run %s: %w", name, err)
	case found:
		return run, scores, nil
	}
	next := fmt.Sprintf("see how far it is: %s runs show %s -n %s%s", product.Command, name, observer.Namespace, o.f.Target())
	if run.Spec.Evaluation.Engine == "none" {
		next = "it was started with --eval-engine none: start one that is judged"
	}
	return nil, scores, failure.Refusedf(next, "run %s has not been judged; it is %s", name, strings.ToLower(string(run.State)))
}

// comparable refuses runs whose scores do not mean the same.
func comparable(a, b *runs.Run) error {
	if a.Spec.Prompt.Instruction != b.Spec.Prompt.Instruction {
		return failure.Refusedf("judge both with the same instruction", "the runs were asked different things: %s %q, %s %q",
			a.Name, a.Spec.Prompt.Instruction, b.Name, b.Spec.Prompt.Instruction)
	}
	if a.Result == nil || b.Result == nil || a.Result.Evaluation == nil || b.Result.Evaluation == nil {
		return nil // the scores are there, and say themselves of what they are
	}
	if one, other := a.Result.Evaluation.Scorer, b.Result.Evaluation.Scorer; one != other {
		return failure.Refusedf("judge both with the same version of the program", "the runs were scored differently: %s by %s, %s by %s", a.Name, one, b.Name, other)
	}
	return nil
}

// take is the run to go on with: the better one, or without a difference the one with the
// smaller model.
func take(a, b *runs.Run, verdict train.Verdict) string {
	switch verdict {
	case train.Better:
		return a.Name
	case train.Worse:
		return b.Name
	}
	if sizeOf(b) < sizeOf(a) {
		return b.Name
	}
	return a.Name
}

// sizeOf is the number of parameters of the run's model, as far as it is known.
func sizeOf(run *runs.Run) int64 { return runs.ModelShape(run.Spec.Model.ID).Params() }

// report is a comparison; its JSON form is stable.
type report struct {
	A string `json:"a"`
	B string `json:"b"`
	train.Comparison
	// Take is the run to go on with.
	Take string `json:"take"`
}

func (r *report) print(w io.Writer, output string) error {
	switch output {
	case "json":
		encoder := json.NewEncoder(w)
		encoder.SetIndent("", "  ")
		return encoder.Encode(r)
	case "yaml":
		text, err := yaml.Marshal(r)
		if err == nil {
			_, err = w.Write(text)
		}
		return err
	}
	return r.text(w)
}

// metricNames are how ROUGE is written.
var metricNames = map[string]string{"rouge1": "ROUGE-1", "rouge2": "ROUGE-2", "rougeL": "ROUGE-L", "rougeLsum": "ROUGE-LSUM"}

func (r *report) text(w io.Writer) error {
	rows := make([][]string, len(r.Metrics))
	for i, m := range r.Metrics {
		name := metricNames[m.Metric]
		if name == "" {
			name = m.Metric
		}
		d := m.Difference
		rows[i] = []string{name, points(m.A), points(m.B), fmt.Sprintf("%+.2f", 100*d[0]), fmt.Sprintf("%+.2f to %+.2f", 100*d[1], 100*d[2])}
	}
	header := []string{"METRIC", strings.ToUpper(r.A), strings.ToUpper(r.B), "DIFFERENCE", fmt.Sprintf("%d%% INTERVAL", r.Confidence)}
	if err := ui.Table(w, header, rows); err != nil {
		return err
	}
	verdict := fmt.Sprintf("%s is %s than %s", r.A, r.Verdict, r.B)
	if r.Verdict == train.NoDifference {
		verdict = fmt.Sprintf("no difference: take the smaller, %s", r.Take)
	}
	_, err := fmt.Fprintf(w, "\n%s\n%s (%d examples of the split %s, %d samples)\n", verdict, r.Reason, r.Examples, r.Split, r.Samples)
	return err
}

func points(share float64) string { return fmt.Sprintf("%.2f", 100*share) }
