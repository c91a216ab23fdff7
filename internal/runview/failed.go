package runview

import (
	"errors"
	"fmt"
	"strings"

	"github.com/kubectl-summarizer/kubectl-summarizer/internal/failure"
	"github.com/kubectl-summarizer/kubectl-summarizer/internal/runs"
)

// Failures is the error for runs that did not end well (exit code 4): each with the reason, and
// what to do.
func Failures(bad []*runs.Run) error {
	var what, next []string
	for _, run := range bad {
		what = append(what, failedText(run))
		if run.Next != "" {
			next = append(next, asFlags.Replace(run.Next))
		}
	}
	return failure.New(failure.Unhealthy, errors.New(strings.Join(what, "\n")), strings.Join(next, "\n"))
}

func failedText(run *runs.Run) string {
	why := run.Message
	switch {
	case why == "":
		why = run.Reason
	case run.Reason != "" && run.Reason != "refused" && run.Reason != "failed" && !strings.Contains(why, run.Reason):
		why = run.Reason + ": " + why
	}
	switch {
	case run.State == runs.Stopped:
		return fmt.Sprintf("run %s is stopped", run.Name)
	case run.Stuck:
		return fmt.Sprintf("run %s cannot go on: %s", run.Name, why)
	}
	text := fmt.Sprintf("run %s failed", run.Name)
	if run.Result != nil {
		text += " after the training"
	} else if done, total := run.Steps(); total > 0 {
		text += fmt.Sprintf(" at step %d of %d", done, total)
	}
	return text + ": " + asFlags.Replace(why)
}
