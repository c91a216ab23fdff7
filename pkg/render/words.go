package render

import (
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// typeNames writes JSON Schema types as people say them.
func typeNames(types []string) string {
	var words []string
	for _, t := range types {
		word := map[string]string{
			"integer": "a whole number", "number": "a number", "string": "a text",
			"boolean": "true or false", "object": "a map", "array": "a list", "null": "null",
		}[t]
		if word == "" {
			word = t
		}
		if !slices.Contains(words, word) {
			words = append(words, word)
		}
	}
	return strings.Join(words, " or ")
}

// show writes a value for an error message, with its type where that is not plain.
func show(value any) string {
	switch v := value.(type) {
	case nil:
		return "null"
	case string:
		return strconv.Quote(shorten(v))
	case map[string]any:
		return "a map"
	case []any:
		return fmt.Sprintf("a list of %d", len(v))
	}
	data, err := json.Marshal(value)
	if err != nil {
		return fmt.Sprint(value)
	}
	return string(data)
}

// shorten keeps a pasted file out of an error message.
func shorten(text string) string {
	const longest = 60
	if letters := []rune(text); len(letters) > longest {
		return string(letters[:longest]) + "..."
	}
	return text
}

// looksLike says whether text would be of one of the types if it were not quoted.
func looksLike(text string, types []string) bool {
	var value any
	if json.Unmarshal([]byte(text), &value) != nil {
		return false
	}
	switch v := value.(type) {
	case float64:
		return slices.Contains(types, "number") || (slices.Contains(types, "integer") && v == float64(int64(v)))
	case bool:
		return slices.Contains(types, "boolean")
	}
	return false
}
