package runs

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"strconv"
	"time"

	"github.com/spf13/cobra"
	"sigs.k8s.io/yaml"

	"github.com/kubectl-summarizer/kubectl-summarizer/internal/cli/factory"
	"github.com/kubectl-summarizer/kubectl-summarizer/internal/failure"
	"github.com/kubectl-summarizer/kubectl-summarizer/internal/runs"
	"github.com/kubectl-summarizer/kubectl-summarizer/internal/runview"
	"github.com/kubectl-summarizer/kubectl-summarizer/internal/ui"
)

func newList(f *factory.Factory) *cobra.Command {
	output := ""
	cmd := &cobra.Command{
		Use:   "list",
		Short: "List training runs, the newest first",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return with(f, func(o *runs.Observer) error { return list(cmd.Context(), f, o, output) })
		},
	}
	cmd.Flags().StringVarP(&output, "output", "o", "", "wide, json, yaml or name")
	return cmd
}

func list(ctx context.Context, f *factory.Factory, o *runs.Observer, output string) error {
	if err := failure.OneOf("output format", output, "", "wide", "json", "yaml", "name"); err != nil {
		return err
	}
	var found []*runs.Run
	steps := &ui.Steps{W: f.Streams.ErrOut, Now: f.Now}
	err := steps.During("looking at the runs", func() (err error) {
		found, err = o.List(ctx)
		return err
	})
	if err != nil {
		return err
	}
	switch output {
	case "json", "yaml":
		if found == nil {
			found = []*runs.Run{}
		}
		return encode(f.Streams.Out, output, map[string]any{"runs": found})
	case "name":
		for _, run := range found {
			fmt.Fprintf(f.Streams.Out, "run/%s\n", run.Name)
		}
		return nil
	}
	if len(found) == 0 {
		steps.Say("no runs in namespace %s", o.Namespace)
		return nil
	}
	return table(f.Streams.Out, found, output == "wide", f.Now())
}

// encode writes JSON, or the same as YAML.
func encode(w io.Writer, output string, value any) error {
	if output == "yaml" {
		text, err := yaml.Marshal(value)
		if err == nil {
			_, err = w.Write(text)
		}
		return err
	}
	encoder := json.NewEncoder(w)
	encoder.SetIndent("", "  ")
	encoder.SetEscapeHTML(false)
	return encoder.Encode(value)
}

func table(w io.Writer, found []*runs.Run, wide bool, now time.Time) error {
	header := []string{"NAME", "MODEL", "STATE", "STEP", "LOSS", "ROUGE-1", "AGE"}
	if wide {
		header = append(header, "DATA", "GPUS", "NODE", "PREEMPTED", "PUBLISHED")
	}
	rows := make([][]string, len(found))
	for i, run := range found {
		rows[i] = []string{run.Name, run.Spec.Model.ID, string(run.State), stepCell(run), lossCell(run), rougeCell(run), ui.Duration(now.Sub(run.Created))}
		if wide {
			rows[i] = append(rows[i], run.DataFrom(), gpusCell(run), nodeCell(run), strconv.Itoa(run.Disruptions()), publishedCell(run))
		}
	}
	return ui.Table(w, header, rows)
}

func stepCell(run *runs.Run) string {
	done, total := run.Steps()
	if total == 0 {
		return ""
	}
	return fmt.Sprintf("%d/%d", done, total)
}

func lossCell(run *runs.Run) string {
	if loss := run.Loss(); loss != nil {
		return fmt.Sprintf("%.3f", *loss)
	}
	return ""
}

func rougeCell(run *runs.Run) string {
	if scores := run.Scores(); scores != nil {
		return runview.Percent(scores.Rouge1[0])
	}
	return ""
}

func gpusCell(run *runs.Run) string {
	if run.Spec.Training.Device != "cuda" {
		return "0"
	}
	return strconv.Itoa(run.Spec.Training.GPUs)
}

func nodeCell(run *runs.Run) string {
	if pod := run.Active(); pod != nil {
		return pod.Node
	}
	return ""
}

func publishedCell(run *runs.Run) string {
	switch {
	case run.Published != nil:
		return run.Published.Repo
	case run.Merged != nil:
		return run.Merged.Repo
	}
	return ""
}
