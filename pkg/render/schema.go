package render

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"github.com/santhosh-tekuri/jsonschema/v6/kind"
	"golang.org/x/text/language"
	"golang.org/x/text/message"
)

const schemaURL = "file:///values.schema.json"

// schema is a chart's values.schema.json, ready to validate; nil when the chart has none.
type schema struct {
	document  map[string]any
	validator *jsonschema.Schema
}

// compileSchema uses the validator that Helm uses, so that both agree on what is valid, but
// resolves no reference outside the schema: a render must not need the network.
func compileSchema(data []byte) (*schema, error) {
	if len(data) == 0 {
		return nil, nil
	}
	document, err := jsonschema.UnmarshalJSON(bytes.NewReader(data))
	if err != nil {
		return nil, fmt.Errorf("the chart's values.schema.json is not JSON: %w", err)
	}
	compiler := jsonschema.NewCompiler()
	compiler.UseLoader(jsonschema.SchemeURLLoader{})
	if err := compiler.AddResource(schemaURL, document); err != nil {
		return nil, fmt.Errorf("the chart's values.schema.json cannot be used: %w", err)
	}
	validator, err := compiler.Compile(schemaURL)
	if err != nil {
		return nil, fmt.Errorf("the chart's values.schema.json cannot be used: %w", err)
	}
	root, _ := document.(map[string]any)
	return &schema{document: root, validator: validator}, nil
}

// check validates merged values; all that is wrong is one *ValuesError.
func (s *schema) check(values map[string]any) error {
	if s == nil {
		return nil
	}
	var invalid *jsonschema.ValidationError
	if err := s.validator.Validate(values); !errors.As(err, &invalid) {
		return err
	}
	x := explainer{values: values, names: schemaNames(s.document), printer: message.NewPrinter(language.English)}
	x.explain(invalid)
	// The validator walks Go maps, whose order changes from run to run.
	slices.SortStableFunc(x.problems, func(a, b *ValueError) int { return strings.Compare(a.Path, b.Path) })
	return &ValuesError{Problems: x.problems}
}

// explainer turns the validator's tree of errors into a flat list for people.
type explainer struct {
	values   map[string]any
	names    *names
	printer  *message.Printer
	problems []*ValueError
}

func (x *explainer) explain(e *jsonschema.ValidationError) {
	at := e.InstanceLocation
	switch k := e.ErrorKind.(type) {
	case *kind.AdditionalProperties:
		for _, name := range k.Properties {
			x.unknown(at, name)
		}
	case *kind.Type:
		x.wrongType(at, k.Want)
	case *kind.Enum:
		x.notInEnum(at, k.Want)
	case *kind.Required:
		for _, name := range k.Missing {
			x.add(slices.Concat(at, []string{name}), "is missing", "")
		}
	case *kind.Minimum:
		x.outOfRange(at, "at least", k.Want.RatString())
	case *kind.Maximum:
		x.outOfRange(at, "at most", k.Want.RatString())
	case *kind.ExclusiveMinimum:
		x.outOfRange(at, "more than", k.Want.RatString())
	case *kind.ExclusiveMaximum:
		x.outOfRange(at, "less than", k.Want.RatString())
	case *kind.Pattern:
		x.add(at, fmt.Sprintf("is %s, which is not of the form %s", show(valueAt(x.values, at)), k.Want), x.names.about(at))
	case *kind.AnyOf, *kind.OneOf:
		x.alternatives(e)
	default:
		if len(e.Causes) == 0 {
			x.add(at, e.ErrorKind.LocalizedString(x.printer), "")
		}
		for _, cause := range e.Causes {
			x.explain(cause)
		}
	}
}

// alternatives explains a value that fits none of several schemas: by all types that are
// allowed when the type is wrong everywhere, else by what the nearest schema says.
func (x *explainer) alternatives(e *jsonschema.ValidationError) {
	var want []string
	deepest := (*jsonschema.ValidationError)(nil)
	for _, cause := range e.Causes {
		if k, ok := cause.ErrorKind.(*kind.Type); ok && len(cause.InstanceLocation) == len(e.InstanceLocation) {
			want = append(want, k.Want...)
			continue
		}
		if deepest == nil || depth(cause) > depth(deepest) {
			deepest = cause
		}
	}
	switch {
	case deepest != nil:
		x.explain(deepest)
	case len(want) > 0:
		x.wrongType(e.InstanceLocation, want)
	default:
		x.add(e.InstanceLocation, e.ErrorKind.LocalizedString(x.printer), "")
	}
}

func depth(e *jsonschema.ValidationError) int {
	deepest := len(e.InstanceLocation)
	for _, cause := range e.Causes {
		deepest = max(deepest, depth(cause))
	}
	return deepest
}

func (x *explainer) add(at []string, problem, suggestion string) {
	x.problems = append(x.problems, &ValueError{
		Path: location(x.values, at), Problem: problem, Suggestion: suggestion,
	})
}

func (x *explainer) unknown(at []string, name string) {
	suggestion := ""
	if near := x.names.nearest(at, location(x.values, at), name); near != "" {
		suggestion = "did you mean " + near + "?"
	}
	x.add(slices.Concat(at, []string{name}), "there is no such value", suggestion)
}

func (x *explainer) wrongType(at, want []string) {
	given := valueAt(x.values, at)
	suggestion := ""
	if text, ok := given.(string); ok && looksLike(text, want) {
		suggestion = "write it without quotes, and with --set instead of --set-string"
	}
	x.add(at, fmt.Sprintf("must be %s, but is %s", typeNames(want), show(given)), suggestion)
}

func (x *explainer) notInEnum(at []string, want []any) {
	given := valueAt(x.values, at)
	allowed := make([]string, len(want))
	for i, w := range want {
		allowed[i] = show(w)
	}
	suggestion := ""
	if text, ok := given.(string); ok {
		if near := nearestOf(text, want); near != "" {
			suggestion = "did you mean " + near + "?"
		}
	}
	x.add(at, fmt.Sprintf("must be one of %s, but is %s", strings.Join(allowed, ", "), show(given)), suggestion)
}

func (x *explainer) outOfRange(at []string, relation, limit string) {
	x.add(at, fmt.Sprintf("must be %s %s, but is %s", relation, limit, show(valueAt(x.values, at))), "")
}
