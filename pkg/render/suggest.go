package render

import (
	"slices"
	"strconv"
	"strings"

	"github.com/kubectl-summarizer/kubectl-summarizer/pkg/nearest"
)

// names are the values that a schema knows, as a tree.
type names struct {
	description string
	children    map[string]*names
	items       *names
}

// schemaNames reads the tree of names from a JSON Schema's properties and items, also
// where an allOf adds them.
func schemaNames(schema map[string]any) *names {
	n := &names{children: map[string]*names{}}
	n.read(schema)
	return n
}

func (n *names) read(schema map[string]any) {
	if text, ok := schema["description"].(string); ok {
		n.description = text
	}
	properties, _ := schema["properties"].(map[string]any)
	for name, child := range properties {
		if child, ok := child.(map[string]any); ok {
			n.children[name] = schemaNames(child)
		}
	}
	if items, ok := schema["items"].(map[string]any); ok {
		n.items = schemaNames(items)
	}
	all, _ := schema["allOf"].([]any)
	for _, part := range all {
		if part, ok := part.(map[string]any); ok {
			n.read(part)
		}
	}
}

// at follows an instance location; nil when the schema has no such place.
func (n *names) at(parts []string) *names {
	for _, part := range parts {
		if n == nil {
			return nil
		}
		if child, ok := n.children[part]; ok {
			n = child
		} else if _, err := strconv.Atoi(part); err == nil {
			n = n.items
		} else {
			return nil
		}
	}
	return n
}

// about returns what the chart says of the value at a location, "" when nothing.
func (n *names) about(parts []string) string {
	if found := n.at(parts); found != nil {
		return found.description
	}
	return ""
}

// nearest returns the full name of the value that unknown, found at a location (parts,
// written path), most likely means: a like name beside it, the same name elsewhere, or a
// like name elsewhere.
func (n *names) nearest(parts []string, path, unknown string) string {
	if here := n.at(parts); here != nil {
		if name, ok := nearest.Name(unknown, here.sorted()); ok {
			return joinPath(path, name)
		}
	}
	byLeaf := map[string]string{}
	n.leaves("", byLeaf)
	if path, ok := byLeaf[unknown]; ok {
		return path
	}
	leaves := make([]string, 0, len(byLeaf))
	for leaf := range byLeaf {
		leaves = append(leaves, leaf)
	}
	slices.Sort(leaves)
	if leaf, ok := nearest.Name(unknown, leaves); ok {
		return byLeaf[leaf]
	}
	return ""
}

// leaves collects every name with its path; of two equal names the shorter path stays.
func (n *names) leaves(path string, byLeaf map[string]string) {
	for _, name := range n.sorted() {
		full := joinPath(path, name)
		if known, ok := byLeaf[name]; !ok || strings.Count(full, ".") < strings.Count(known, ".") {
			byLeaf[name] = full
		}
		n.children[name].leaves(full, byLeaf)
	}
}

func (n *names) sorted() []string {
	list := make([]string, 0, len(n.children))
	for name := range n.children {
		list = append(list, name)
	}
	slices.Sort(list)
	return list
}

// nearestOf returns the text in candidates that given most likely means, quoted.
func nearestOf(given string, candidates []any) string {
	var texts []string
	for _, c := range candidates {
		if text, ok := c.(string); ok && text != "" {
			texts = append(texts, text)
		}
	}
	if name, ok := nearest.Name(given, texts); ok {
		return strconv.Quote(name)
	}
	return ""
}
