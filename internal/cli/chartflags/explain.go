package chartflags

import (
	"errors"

	"github.com/kubectl-summarizer/kubectl-summarizer/internal/failure"
	"github.com/kubectl-summarizer/kubectl-summarizer/pkg/render"
)

// Explain gives an error of package render its exit code: what the user typed is a usage
// error, what the chart refuses is a check that said no.
func Explain(err error) error {
	var (
		option   *render.OptionError
		values   *render.ValuesError
		conflict *render.ConflictError
		refused  *render.RefusedError
		template *render.TemplateError
	)
	switch {
	case errors.As(err, &values), errors.As(err, &option), errors.As(err, &conflict):
		return failure.New(failure.Usage, err, "")
	case errors.As(err, &refused):
		return failure.New(failure.Refused, err, "")
	case errors.As(err, &template):
		return failure.New(failure.Failed, err, "")
	}
	return err
}
