package render

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
)

// nulls lists the paths that are null, in lexical order.
func nulls(prefix string, values map[string]any) []string {
	var found []string
	walk(prefix, values, func(path string, value any) {
		if value == nil {
			found = append(found, path)
		}
	})
	return found
}

// findTokens finds what looks like a Hugging Face token. Values are stored in the cluster
// in every release record, readable by everybody who may read the release.
func findTokens(values map[string]any) []*ValueError {
	// Tokens are "hf_" and 34 letters or digits; a shortened paste is one too.
	token := regexp.MustCompile(`\bhf_[A-Za-z0-9]{20,}`)
	var found []*ValueError
	walk("", values, func(path string, value any) {
		if text, ok := value.(string); ok && token.MatchString(text) {
			found = append(found, &ValueError{
				Path:       path,
				Problem:    "holds a Hugging Face token, which would be stored in the cluster for everybody to read",
				Suggestion: "put it into a Secret and name that in hfToken.secretName",
			})
		}
	})
	return found
}

// walk calls visit for every scalar and null below values, in lexical order of the keys.
func walk(path string, value any, visit func(path string, value any)) {
	switch v := value.(type) {
	case map[string]any:
		keys := make([]string, 0, len(v))
		for key := range v {
			keys = append(keys, key)
		}
		slices.Sort(keys)
		for _, key := range keys {
			walk(joinPath(path, key), v[key], visit)
		}
	case []any:
		for i, item := range v {
			walk(fmt.Sprintf("%s[%d]", path, i), item, visit)
		}
	default:
		visit(path, value)
	}
}

func joinPath(path, key string) string {
	if path == "" {
		return key
	}
	return path + "." + key
}

// location writes a JSON Schema instance location as people write paths of values.
func location(values any, parts []string) string {
	path := ""
	for _, part := range parts {
		switch v := values.(type) {
		case []any:
			path += "[" + part + "]"
			if i, err := strconv.Atoi(part); err == nil && i < len(v) {
				values = v[i]
			}
		case map[string]any:
			path = joinPath(path, part)
			values = v[part]
		default:
			path = joinPath(path, part)
		}
	}
	return path
}

// valueAt returns what lies at a JSON Schema instance location, nil when nothing does.
func valueAt(values any, parts []string) any {
	for _, part := range parts {
		switch v := values.(type) {
		case []any:
			i, err := strconv.Atoi(part)
			if err != nil || i >= len(v) {
				return nil
			}
			values = v[i]
		case map[string]any:
			values = v[part]
		default:
			return nil
		}
	}
	return values
}

// copyOf copies maps and lists all the way down; scalars of any type stay as they are.
func copyOf(values map[string]any) map[string]any {
	out := make(map[string]any, len(values))
	for key, value := range values {
		out[key] = copyValue(value)
	}
	return out
}

func copyValue(value any) any {
	switch v := value.(type) {
	case map[string]any:
		return copyOf(v)
	case []any:
		out := make([]any, len(v))
		for i, item := range v {
			out[i] = copyValue(item)
		}
		return out
	}
	return value
}
