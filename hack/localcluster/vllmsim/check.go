package main

import (
	"encoding/json"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

var (
	pythonInt   = regexp.MustCompile(`^\s*[+-]?\d+(_\d+)*\s*$`)
	humanInt    = regexp.MustCompile(`^\s*\d+(\.\d+)?[kKmMgGtT]\s*$`)
	binaryPoint = regexp.MustCompile(`^\s*(\d+\.\d+)([KMGT])\s*$`)
	object      = regexp.MustCompile(`(?s)^\s*{.*}\s*$`)
)

// check refuses a value that does not fit the option's type or choices, in argparse's words. The
// values inside a JSON configuration are not checked, only the names of its fields.
func (o *option) check(value string) error {
	kind, optional := strings.CutPrefix(o.kind, "optional ")
	if optional && (value == "" || value == "None") {
		if len(o.choices) > 0 && !slices.Contains(o.choices, "None") {
			return o.wrongChoice("None")
		}
		return nil
	}
	if m := binaryPoint.FindStringSubmatch(value); m != nil && strings.HasPrefix(kind, "human_readable_int") {
		return fmt.Errorf("Decimals are not allowed with binary suffixes like %s. Did you mean to use %s%s instead?", m[2], m[1], strings.ToLower(m[2])) //nolint:staticcheck // vLLM's words
	}
	if !fits(kind, value) {
		switch {
		case kind == "parse_dataclass" || kind == "_parse_type":
			return fmt.Errorf("%s is not valid JSON", pyQuote(value))
		case optional || strings.HasPrefix(kind, "parsed "):
			return fmt.Errorf("Value %s cannot be converted to %s.", value, pythonType(strings.TrimPrefix(kind, "parsed "))) //nolint:revive,staticcheck // vLLM's words
		case kind == "union_dict_and_str":
			return fmt.Errorf("Value %s cannot be converted to <function loads>.", value) //nolint:revive,staticcheck // vLLM's words
		}
		return fmt.Errorf("invalid %s value: %s", kind, pyQuote(value))
	}
	if o.class != "" {
		return o.checkFields(value)
	}
	if len(o.choices) > 0 && !slices.Contains(o.choices, canonical(kind, value)) {
		return o.wrongChoice(value)
	}
	return nil
}

// checkFields refuses a field that the configuration's class does not have, in pydantic's words.
func (o *option) checkFields(value string) error {
	var given map[string]json.RawMessage
	if json.Unmarshal([]byte(value), &given) != nil {
		return fmt.Errorf("%s is not a JSON object", pyQuote(value))
	}
	for _, name := range slices.Sorted(maps.Keys(given)) {
		if slices.Contains(o.fields, name) {
			continue
		}
		return fmt.Errorf("1 validation error for %s\n%s\n  Unexpected keyword argument [type=unexpected_keyword_argument, input_value=%s]", o.class, name, given[name])
	}
	return nil
}

func (o *option) wrongChoice(value string) error {
	quoted := make([]string, len(o.choices))
	for i, c := range o.choices {
		quoted[i] = pyQuote(c)
		if c == "None" || o.kind == "int" {
			quoted[i] = c
		}
	}
	shown := pyQuote(value)
	if o.kind == "int" {
		shown = canonical("int", value)
	}
	return fmt.Errorf("invalid choice: %s (choose from %s)", shown, strings.Join(quoted, ", "))
}

func fits(kind, value string) bool {
	switch kind {
	case "int":
		return pythonInt.MatchString(value)
	case "float":
		_, err := strconv.ParseFloat(strings.TrimSpace(value), 64)
		return err == nil
	case "human_readable_int":
		return pythonInt.MatchString(value) || humanInt.MatchString(value)
	case "human_readable_int_or_auto":
		return strings.EqualFold(strings.TrimSpace(value), "auto") || pythonInt.MatchString(value) || humanInt.MatchString(value)
	case "loads", "parsed loads", "parse_dataclass", "_parse_type":
		return json.Valid([]byte(value))
	case "union_dict_and_str":
		return !object.MatchString(value) || json.Valid([]byte(value))
	}
	return true
}

// canonical is how Python shows the converted value.
func canonical(kind, value string) string {
	if kind == "int" {
		if n, err := strconv.ParseInt(strings.ReplaceAll(strings.TrimSpace(value), "_", ""), 10, 64); err == nil {
			return strconv.FormatInt(n, 10)
		}
	}
	return value
}

func pythonType(kind string) string {
	switch kind {
	case "int", "float":
		return "<class '" + kind + "'>"
	}
	return "<function " + kind + ">"
}

// pyQuote is Python's repr of a string without unprintable characters.
func pyQuote(s string) string {
	s = strings.NewReplacer(`\`, `\\`, "\n", `\n`, "\t", `\t`).Replace(s)
	if strings.Contains(s, "'") && !strings.Contains(s, `"`) {
		return `"` + s + `"`
	}
	return "'" + strings.ReplaceAll(s, "'", `\'`) + "'"
}
