package chartflags

import (
	"errors"
	"strconv"
	"strings"

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

// Explain explains an error of a render of these values. What is wrong may be none of what
// was typed now, but of what the last install set.
func (f *Flags) Explain(err error) error {
	err = Explain(err)
	var values *render.ValuesError
	if !errors.As(err, &values) {
		return err
	}
	var old []string
	for _, problem := range values.Problems {
		if reach(f.last, problem.Path) > reach(f.given, problem.Path) {
			old = append(old, problem.Path)
		}
	}
	if len(old) == 0 {
		return err
	}
	return failure.New(failure.Usage, err, "from the values of the last install: "+strings.Join(old, ", ")+
		"; set it anew, or start from the chart's defaults: --reset-values")
}

// reach counts the steps of a value's path, such as "adapters[0].repo", that lead to something.
func reach(values any, path string) int {
	steps := strings.FieldsFunc(path, func(r rune) bool { return strings.ContainsRune(".[]", r) })
	for n, step := range steps {
		there := false
		switch v := values.(type) {
		case map[string]any:
			values, there = v[step]
		case []any:
			if i, err := strconv.Atoi(step); err == nil && i < len(v) {
				values, there = v[i], true
			}
		}
		if !there {
			return n
		}
	}
	return len(steps)
}
