package render

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"strings"

	"helm.sh/helm/v3/pkg/strvals"
	"sigs.k8s.io/yaml"
)

// ValuesFile is a file of values, with the name by which errors call it.
type ValuesFile struct {
	Name string
	Data []byte
}

// Typed is a value that a flag of its own sets.
type Typed struct {
	// Flag is the flag as it is typed, such as "--gpus".
	Flag string
	// Path leads to the value: "gpu", "count".
	Path  []string
	Value any
	// Default lets --set say otherwise without a conflict: the value follows from the flag
	// but was not given with it.
	Default bool
}

// Sources are all the places that values come from, from the weakest to the strongest:
// the base, files in their order, typed flags, then --set-json, --set, --set-string and
// --set-file in Helm's order.
type Sources struct {
	// Base is what the release had before; it is not changed.
	Base   map[string]any
	Files  []ValuesFile
	Typed  []Typed
	JSON   []string
	Set    []string
	String []string
	File   []string
	// ReadFile reads the files that --set-file names; nil refuses them.
	ReadFile func(name string) ([]byte, error)
}

// MergeValues merges all sources by Helm's rules. A flag and --set that disagree about one
// value are a *ConflictError; what cannot be parsed is an *OptionError.
func MergeValues(s Sources) (map[string]any, error) {
	files, err := MergeFiles(s.Files)
	if err != nil {
		return nil, err
	}
	// strvals writes into the maps that it is given, so they must be nobody else's.
	values := copyOf(overlay(s.Base, files))
	sets := map[string]any{}
	if err := s.applySets(sets); err != nil {
		return nil, err
	}
	for _, t := range s.Typed {
		if err := t.conflict(sets); err != nil {
			return nil, err
		}
		put(values, t.Path, t.Value)
	}
	return values, s.applySets(values)
}

// MergeFiles merges files of values; of two that set one value the later wins.
func MergeFiles(files []ValuesFile) (map[string]any, error) {
	merged := map[string]any{}
	for _, f := range files {
		values, err := parseYAML(f.Data)
		if err != nil {
			return nil, &OptionError{What: f.Name, Problem: err.Error()}
		}
		merged = overlay(merged, values)
	}
	return merged, nil
}

// parseYAML reads a map of values. A key that is there twice is an error: which one Helm
// takes is not what its writer can know.
func parseYAML(data []byte) (map[string]any, error) {
	values := map[string]any{}
	if err := yaml.UnmarshalStrict(data, &values); err != nil {
		var wrongType *json.UnmarshalTypeError
		if errors.As(err, &wrongType) {
			return nil, fmt.Errorf("holds a YAML %s, not a map of values", wrongType.Value)
		}
		text := strings.TrimPrefix(err.Error(), "error converting YAML to JSON: ")
		return nil, fmt.Errorf("is not valid YAML: %s", strings.ReplaceAll(text, "\n", " "))
	}
	if values == nil { // the document "null"
		values = map[string]any{}
	}
	return values, nil
}

// overlay returns base with top over it: maps are merged, all else is replaced.
func overlay(base, top map[string]any) map[string]any {
	out := make(map[string]any, len(base)+len(top))
	maps.Copy(out, base)
	for key, value := range top {
		below, isMap := out[key].(map[string]any)
		if above, ok := value.(map[string]any); ok && isMap {
			out[key] = overlay(below, above)
			continue
		}
		out[key] = value
	}
	return out
}

func (s Sources) applySets(values map[string]any) error {
	read := func(name []rune) (any, error) {
		if s.ReadFile == nil {
			return nil, fs.ErrInvalid
		}
		data, err := s.ReadFile(string(name))
		return string(data), err
	}
	for _, group := range []struct {
		flag  string
		given []string
		parse func(string) error
	}{
		{"--set-json", s.JSON, func(v string) error { return strvals.ParseJSON(v, values) }},
		{"--set", s.Set, func(v string) error { return strvals.ParseInto(v, values) }},
		{"--set-string", s.String, func(v string) error { return strvals.ParseIntoString(v, values) }},
		{"--set-file", s.File, func(v string) error { return strvals.ParseIntoFile(v, values, read) }},
	} {
		for _, v := range group.given {
			if err := parseSet(group.parse, v); err != nil {
				name, _, _ := strings.Cut(v, "=")
				return &OptionError{What: fmt.Sprintf("%s %s", group.flag, name), Problem: err.Error()}
			}
		}
	}
	return nil
}

// parseSet runs Helm's parser, which panics when a path leads through a value that is no map.
func parseSet(parse func(string) error, value string) (err error) {
	defer func() {
		if recover() != nil {
			err = errors.New("the path leads through a value that is not a map")
		}
	}()
	if !strings.Contains(value, "=") {
		return errors.New("has no '=': write NAME=VALUE")
	}
	return parse(value)
}

// conflict says whether what --set sets contradicts the flag.
func (t Typed) conflict(sets map[string]any) error {
	if t.Default {
		return nil
	}
	var at any = sets
	for _, key := range t.Path {
		m, ok := at.(map[string]any)
		if !ok {
			break // --set replaces a map above the value
		}
		if at, ok = m[key]; !ok {
			return nil
		}
	}
	flagValue, setValue := asJSON(t.Value), asJSON(at)
	if flagValue == setValue {
		return nil
	}
	return &ConflictError{Path: strings.Join(t.Path, "."), Flag: t.Flag, FlagValue: flagValue, SetValue: setValue}
}

func asJSON(v any) string {
	data, err := json.Marshal(v)
	if err != nil {
		return fmt.Sprint(v)
	}
	return string(data)
}

// put sets the value at path, making the maps that lead to it.
func put(values map[string]any, path []string, value any) {
	for _, key := range path[:len(path)-1] {
		next, ok := values[key].(map[string]any)
		if !ok {
			next = map[string]any{}
			values[key] = next
		}
		values = next
	}
	values[path[len(path)-1]] = value
}

// Complete lays values over the chart's defaults by Helm's rules: what the templates see.
func Complete(chart fs.FS, values map[string]any) (map[string]any, error) {
	defaults, err := DefaultValues(chart)
	if err != nil {
		return nil, err
	}
	return overlay(defaults, values), nil
}

// Over lays more over values by Helm's rules; neither is changed.
func Over(values, more map[string]any) map[string]any { return copyOf(overlay(values, more)) }
