package runview_test

import (
	"strings"
	"testing"

	"github.com/kubectl-summarizer/kubectl-summarizer/internal/failure"
	"github.com/kubectl-summarizer/kubectl-summarizer/internal/runs"
	"github.com/kubectl-summarizer/kubectl-summarizer/internal/runview"
)

// The program knows the fields of run.yaml, and who reads it the flags of train.
func TestFailuresSpeakOfFlags(t *testing.T) {
	err := runview.Failures([]*runs.Run{{
		Name: "a", State: runs.Failed, Message: "1 of 2 examples are longer than 64 tokens (training.maxLength)",
		Next: "set data.columns.dialogue text and data.columns.summary sum, and training.quantization: nf4",
	}})
	if !strings.Contains(err.Error(), "(--max-length)") || failure.NextOf(err) != "set --dialogue-column text and --summary-column sum, and --quantization nf4" {
		t.Errorf("%v\n%s", err, failure.NextOf(err))
	}
}
