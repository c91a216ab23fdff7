package catalog

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"strings"
)

// maxConfig is far above any model's config.json.
const maxConfig = 4 << 20

// ConfigError says which field of a config.json is missing or cannot be.
type ConfigError struct {
	// Field is the path of the field, "" for the file as a whole.
	Field string
	Why   string
}

// Error names the field and what is wrong with it.
func (e *ConfigError) Error() string {
	if e.Field == "" {
		return "config.json " + e.Why
	}
	return fmt.Sprintf("config.json: %s %s", e.Field, e.Why)
}

// fields reads the values of one JSON object and keeps the first error.
type fields struct {
	object map[string]any
	prefix string
	err    *error
}

func decode(data []byte) (fields, error) {
	if len(data) > maxConfig {
		return fields{}, &ConfigError{Why: fmt.Sprintf("has more than %d MiB: this is no model's configuration", maxConfig>>20)}
	}
	decoder := json.NewDecoder(bytes.NewReader(data))
	decoder.UseNumber()
	object := map[string]any{}
	if err := decoder.Decode(&object); err != nil {
		var kind *json.UnmarshalTypeError
		if errors.As(err, &kind) {
			return fields{}, &ConfigError{Why: "is no JSON object, but a " + kind.Value}
		}
		return fields{}, &ConfigError{Why: "is no whole JSON object, is it cut off? " + err.Error()}
	}
	if object == nil {
		return fields{}, &ConfigError{Why: "is no JSON object, but null"}
	}
	if decoder.More() {
		return fields{}, &ConfigError{Why: "goes on after its JSON object"}
	}
	var first error
	return fields{object: object, err: &first}, nil
}

func (f fields) fail(name, why string, args ...any) {
	if *f.err == nil {
		*f.err = &ConfigError{Field: f.prefix + name, Why: fmt.Sprintf(why, args...)}
	}
}

// first returns the first of the names that the object has, with its value.
func (f fields) first(names []string) (string, any) {
	for _, name := range names {
		if value := f.object[name]; value != nil {
			return name, value
		}
	}
	return names[0], nil
}

// number returns a whole number between least and most, or otherwise when the field is not there.
func (f fields) number(otherwise, least, most int, names ...string) int {
	name, value := f.first(names)
	if value == nil {
		return otherwise
	}
	number, ok := value.(json.Number)
	if !ok {
		f.fail(name, "must be a whole number, but is %s", kindOf(value))
		return otherwise
	}
	n, err := number.Float64()
	if err != nil || n != math.Trunc(n) {
		f.fail(name, "must be a whole number, but is %.40s", number)
		return otherwise
	}
	if n < float64(least) || n > float64(most) {
		f.fail(name, "must be from %d to %d, but is %.40s", least, most, number)
		return otherwise
	}
	return int(n)
}

// need is number of a field that must be there.
func (f fields) need(most int, names ...string) int {
	if _, value := f.first(names); value == nil {
		f.fail(names[0], "is missing")
	}
	return f.number(1, 1, most, names...)
}

func (f fields) flag(otherwise bool, name string) bool {
	switch value := f.object[name].(type) {
	case nil:
		return otherwise
	case bool:
		return value
	default:
		f.fail(name, "must be true or false, but is %s", kindOf(value))
		return otherwise
	}
}

func (f fields) text(names ...string) string {
	name, value := f.first(names)
	text, ok := value.(string)
	if value != nil && !ok {
		f.fail(name, "must be a text, but is %s", kindOf(value))
	}
	return strings.ToLower(text)
}

// texts returns a list of texts, nil when the field is not there.
func (f fields) texts(name string) []string {
	value := f.object[name]
	if value == nil {
		return nil
	}
	list, ok := value.([]any)
	if !ok {
		f.fail(name, "must be a list, but is %s", kindOf(value))
		return nil
	}
	var texts []string
	for i, item := range list {
		text, ok := item.(string)
		if !ok {
			f.fail(fmt.Sprintf("%s[%d]", name, i), "must be a text, but is %s", kindOf(item))
			return nil
		}
		texts = append(texts, text)
	}
	return texts
}

// fill sets fields that are not there.
func (f fields) fill(defaults map[string]any) {
	for name, value := range defaults {
		if f.object[name] == nil {
			f.object[name] = value
		}
	}
}

// inner returns the fields of an object inside this one; ok is false when it is not there.
func (f fields) inner(name string) (inner fields, ok bool) {
	value := f.object[name]
	if value == nil {
		return fields{}, false
	}
	object, ok := value.(map[string]any)
	if !ok {
		f.fail(name, "must be an object, but is %s", kindOf(value))
		return fields{}, false
	}
	return fields{object: object, prefix: f.prefix + name + ".", err: f.err}, true
}

func kindOf(value any) string {
	switch v := value.(type) {
	case bool:
		return fmt.Sprint(v)
	case json.Number:
		return fmt.Sprintf("the number %.40s", v)
	case string:
		return fmt.Sprintf("the text %.40q", v)
	case []any:
		return "a list"
	case map[string]any:
		return "an object"
	}
	return "null"
}
