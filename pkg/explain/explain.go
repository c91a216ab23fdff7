// Package explain puts a comment above every field of the chart's manifests: what it is, and why it has the value that
// it has. It inserts lines and changes none, so that what is explained is byte for byte what is applied.
package explain

import (
	"fmt"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"
)

// widest is where a comment's line ends, unless it is indented so far that little would be left.
const widest, narrowest = 100, 56

// Manifest returns one YAML document with its comments. Values are the chart's merged values that it was rendered with.
func Manifest(document string, values map[string]any) (string, error) {
	fields, err := read(document, values)
	if err != nil {
		return "", err
	}
	table := newTable()
	above := map[int][]string{}
	for _, f := range fields {
		_, text, _ := table.explain(f)
		if text != "" {
			above[f.line] = append(above[f.line], text)
		}
	}
	var b strings.Builder
	// The chart's own comments are held back, to stand between ours and the field.
	var own []string
	number := 0
	for line := range strings.Lines(document) {
		number++
		indent := line[:len(line)-len(strings.TrimLeft(line, " "))]
		texts := above[number]
		if len(texts) == 0 && strings.HasPrefix(line[len(indent):], "#") {
			own = append(own, line)
			continue
		}
		// What is indented otherwise is the end of a text before the field, not a comment of it.
		if len(own) > 0 && !strings.HasPrefix(own[0], indent+"#") {
			writeAll(&b, own)
			own = nil
		}
		for _, text := range texts {
			for _, part := range wrap(text, max(narrowest, widest-len(indent)-len("# "))) {
				fmt.Fprintf(&b, "%s# %s\n", indent, part)
			}
		}
		writeAll(&b, append(own, line))
		own = nil
	}
	writeAll(&b, own)
	return b.String(), nil
}

func writeAll(b *strings.Builder, lines []string) {
	for _, line := range lines {
		b.WriteString(line)
	}
}

// wrap breaks text between words into lines of at most width bytes.
func wrap(text string, width int) []string {
	var lines []string
	line := ""
	for _, word := range strings.Fields(text) {
		switch {
		case line == "":
			line = word
		case len(line)+1+len(word) > width:
			lines, line = append(lines, line), word
		default:
			line += " " + word
		}
	}
	return append(lines, line)
}

// field is one key of a map or one item of a list.
type field struct {
	// kind is the object's, path leads to the field: names of keys, and of a list's items what tells them apart.
	kind string
	path []string
	line int
	// value is a scalar's text; siblings is the list that an item belongs to, and index its place there.
	value    string
	siblings []string
	index    int
	// group says that the fields below say what there is to say: an item of a list that is a map.
	group  bool
	values map[string]any
}

// String writes the path for errors: spec.template.spec.containers.vllm.env[HF_TOKEN].
func (f field) String() string {
	var b strings.Builder
	for _, step := range f.path {
		switch {
		case strings.ContainsAny(step, "./_- "):
			b.WriteString("[" + step + "]")
		case b.Len() == 0:
			b.WriteString(step)
		default:
			b.WriteString("." + step)
		}
	}
	return b.String()
}

// read lists the fields of a document in the order of their lines.
func read(document string, values map[string]any) ([]field, error) {
	var root yaml.Node
	if err := yaml.Unmarshal([]byte(document), &root); err != nil {
		return nil, fmt.Errorf("the manifest is not YAML: %w", err)
	}
	if len(root.Content) == 0 {
		return nil, nil
	}
	r := reader{values: values}
	if kind := child(root.Content[0], "kind"); kind != nil {
		r.kind = kind.Value
	}
	r.walk(root.Content[0], nil)
	return r.fields, nil
}

type reader struct {
	kind   string
	values map[string]any
	fields []field
}

func (r *reader) walk(node *yaml.Node, path []string) {
	switch node.Kind {
	case yaml.MappingNode:
		for i := 0; i+1 < len(node.Content); i += 2 {
			key, value := node.Content[i], node.Content[i+1]
			below := append(slices.Clone(path), key.Value)
			r.fields = append(r.fields, field{kind: r.kind, path: below, line: key.Line, value: value.Value, values: r.values})
			r.walk(value, below)
		}
	case yaml.SequenceNode:
		names := itemNames(node)
		for i, item := range node.Content {
			below := append(slices.Clone(path), names[i])
			r.fields = append(r.fields, field{
				kind: r.kind, path: below, line: item.Line, value: item.Value, siblings: names, index: i,
				group: item.Kind == yaml.MappingNode, values: r.values,
			})
			r.walk(item, below)
		}
	}
}

// itemNames names the items of a list. An argument is named by its flag, and what follows a flag that takes
// more arguments by that flag too.
func itemNames(list *yaml.Node) []string {
	names := make([]string, len(list.Content))
	flag := ""
	for i, item := range list.Content {
		names[i] = item.Value
		if item.Kind == yaml.MappingNode {
			names[i] = itemName(item, i)
			continue
		}
		name, _, hasValue := strings.Cut(item.Value, "=")
		switch {
		case strings.HasPrefix(item.Value, "-"):
			names[i], flag = name, name
			if hasValue {
				flag = ""
			}
		case flag != "":
			names[i] = flag + " value"
		}
	}
	return names
}

func itemName(item *yaml.Node, index int) string {
	for _, key := range []string{"mountPath", "name", "key"} {
		if value := child(item, key); value != nil && value.Kind == yaml.ScalarNode {
			return value.Value
		}
	}
	return fmt.Sprint(index)
}

func child(node *yaml.Node, key string) *yaml.Node {
	for i := 0; i+1 < len(node.Content); i += 2 {
		if node.Content[i].Value == key {
			return node.Content[i+1]
		}
	}
	return nil
}
