package runview

import (
	"fmt"
	"io"
	"time"

	"github.com/kubectl-summarizer/kubectl-summarizer/internal/product"
	"github.com/kubectl-summarizer/kubectl-summarizer/internal/runs"
	"github.com/kubectl-summarizer/kubectl-summarizer/internal/ui"
	"github.com/kubectl-summarizer/kubectl-summarizer/pkg/train"
)

// systems are what is judged, in the order of the table.
var systems = []struct{ key, name string }{{"tuned", "tuned"}, {"base", "base model"}, {"lead3", "first 3 lines"}}

// Percent writes an F1 from 0 to 1 as ROUGE is quoted.
func Percent(share float64) string { return fmt.Sprintf("%.1f", share*100) }

// IntervalText writes a mean with its bounds: "53.0 (52.0 to 54.0)".
func IntervalText(i train.Interval) string {
	return fmt.Sprintf("%s (%s to %s)", Percent(i[0]), Percent(i[1]), Percent(i[2]))
}

// ScoreTable writes the scores of judged runs; with more than one run each row names its own.
func ScoreTable(w io.Writer, judged []*runs.Run) error {
	header := []string{"SUMMARIES OF", "ROUGE-1", "ROUGE-2", "ROUGE-L", "ROUGE-LSUM", "LENGTH", "NAMES", "EMPTY", "CUT OFF"}
	if len(judged) > 1 {
		header = append([]string{"RUN"}, header...)
	}
	var rows [][]string
	for _, run := range judged {
		for _, system := range systems {
			s, found := run.Result.Evaluation.Systems[system.key]
			if !found {
				continue
			}
			row := []string{
				system.name, IntervalText(s.Rouge1), IntervalText(s.Rouge2), IntervalText(s.RougeL), IntervalText(s.RougeLsum),
				fmt.Sprintf("x%.2f", s.LengthRatio), Percent(s.NameRecall) + "%", Percent(s.Empty) + "%", Percent(s.CutOff) + "%",
			}
			if len(judged) > 1 {
				row = append([]string{run.Name}, row...)
			}
			rows = append(rows, row)
		}
	}
	return ui.Table(w, header, rows)
}

// TrainingText says how a training went, in one line.
func TrainingText(r *train.Result) string {
	t := &r.Training
	text := fmt.Sprintf("%d steps in %s on %s, loss %.3f to %.3f", t.Steps, ui.Duration(time.Duration(t.Seconds*float64(time.Second))), t.Device, t.FirstLoss, t.FinalLoss)
	if t.EvalLoss != nil {
		text += fmt.Sprintf(", validation %.3f", *t.EvalLoss)
	}
	if t.TokensPerSecond > 0 {
		text += fmt.Sprintf(", %.0f tokens/s", t.TokensPerSecond)
	}
	if t.PeakMemoryGiB > 0 {
		text += fmt.Sprintf(", %.1f GiB at most", t.PeakMemoryGiB)
	}
	switch {
	case t.Resumed == 1:
		text += ", went on from a checkpoint once"
	case t.Resumed > 1:
		text += fmt.Sprintf(", went on from a checkpoint %d times", t.Resumed)
	}
	return text
}

// JudgedText says what was judged and how, in one line.
func JudgedText(e *train.ResultEvaluation) string {
	return fmt.Sprintf("%d examples of the split %s, %s, %s; intervals hold %d%%", e.Examples, e.Split, e.Engine, e.Scorer, e.Confidence)
}

// end tells what the runs came to: results to Out, the rest to ErrOut.
func (f *Follower) end(ended []*runs.Run) error {
	var good, judged, bad []*runs.Run
	for _, run := range ended {
		if run.State != runs.Succeeded {
			bad = append(bad, run)
			continue
		}
		good = append(good, run)
		fmt.Fprintf(f.ErrOut, "%s: %s\n", run.Name, TrainingText(run.Result))
		if run.Result.Evaluation != nil {
			judged = append(judged, run)
		}
	}
	if len(judged) > 0 {
		fmt.Fprintf(f.ErrOut, "\n%s\n", JudgedText(judged[0].Result.Evaluation))
		if err := ScoreTable(f.Out, judged); err != nil {
			return err
		}
	}
	if len(bad) > 0 {
		return Failures(bad)
	}
	f.next(good)
	return nil
}

// next says what people do with runs that ended well.
func (f *Follower) next(good []*runs.Run) {
	fmt.Fprintf(f.ErrOut, "\nTry:\n")
	if len(good) > 1 {
		fmt.Fprintf(f.ErrOut, "  %s compare %s %s%s\n", product.Command, good[0].Name, good[1].Name, f.in())
	}
	for _, run := range good {
		fmt.Fprintf(f.ErrOut, "  %s promote %s%s\n", product.Command, run.Name, f.in())
		fmt.Fprintf(f.ErrOut, "  %s publish %s --repo ORG/NAME%s\n", product.Command, run.Name, f.in())
	}
}
