package render

import (
	"fmt"
	"strings"
)

// OptionError says that something given besides the values is not valid.
type OptionError struct {
	// What names it as people do: "release name", "--set", "values.yaml".
	What string
	// Problem says what is wrong with it and what it was.
	Problem string
}

// Error returns what is wrong with what.
func (e *OptionError) Error() string { return e.What + ": " + e.Problem }

// ValueError is one value that the chart does not take.
type ValueError struct {
	// Path is the value's full name, such as "gpu.count" or "adapters[0].repo".
	Path string
	// Problem says what is wrong with it.
	Problem string
	// Suggestion is what was probably meant, "" when that is unknown.
	Suggestion string
}

// Error returns the whole story in one line.
func (e *ValueError) Error() string {
	text := e.Problem
	if e.Path != "" {
		text = e.Path + ": " + e.Problem
	}
	if e.Suggestion != "" {
		text += "; " + e.Suggestion
	}
	return text
}

// ValuesError lists every value that the chart does not take, so that all can be mended at once.
type ValuesError struct {
	Problems []*ValueError
}

// Error returns one line for one problem, else a heading and a line for each.
func (e *ValuesError) Error() string {
	if len(e.Problems) == 1 {
		return "value " + e.Problems[0].Error()
	}
	lines := []string{fmt.Sprintf("%d values are not valid:", len(e.Problems))}
	for _, p := range e.Problems {
		lines = append(lines, "  "+p.Error())
	}
	return strings.Join(lines, "\n")
}

// Unwrap gives each problem to errors.As.
func (e *ValuesError) Unwrap() []error {
	errs := make([]error, len(e.Problems))
	for i, p := range e.Problems {
		errs[i] = p
	}
	return errs
}

// ConflictError says that a flag and --set give one value two meanings.
type ConflictError struct {
	Path string
	Flag string
	// FlagValue and SetValue are the two, as JSON.
	FlagValue, SetValue string
}

// Error names both sides.
func (e *ConflictError) Error() string {
	return fmt.Sprintf("%s says that %s is %s, but --set says %s: give one of them", e.Flag, e.Path, e.FlagValue, e.SetValue)
}

// RefusedError is a combination of values that the chart itself stops, in the chart's words.
type RefusedError struct {
	Reason string
}

// Error returns the chart's sentence.
func (e *RefusedError) Error() string { return e.Reason }

// TemplateError is a fault inside a template: the chart's, not the user's, unless a value
// was set to null that the template counts on.
type TemplateError struct {
	Err error
	// Nulls are the values that the user set to null, which removes the chart's default.
	Nulls []string
}

// Error returns Helm's message, and which nulls may be behind it.
func (e *TemplateError) Error() string {
	text := "the chart cannot be rendered: " + e.Err.Error()
	if len(e.Nulls) > 0 {
		text += "; null removes the chart's default of " + strings.Join(e.Nulls, ", ")
	}
	return text
}

// Unwrap gives Helm's error to errors.Is and errors.As.
func (e *TemplateError) Unwrap() error { return e.Err }
