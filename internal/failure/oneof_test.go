package failure_test

import (
	"testing"

	"github.com/kubectl-summarizer/kubectl-summarizer/internal/failure"
)

func TestOneOf(t *testing.T) {
	if err := failure.OneOf("output format", "", "", "wide", "json"); err != nil {
		t.Error(err)
	}
	err := failure.OneOf("output format", "xml", "", "wide", "json", "yaml")
	if err == nil || err.Error() != `unknown output format "xml": use wide, json or yaml` || failure.KindOf(err) != failure.Usage {
		t.Error(err)
	}
}
