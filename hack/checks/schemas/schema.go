package main

import (
	"encoding/json"
	"fmt"
	"sort"
	"strings"
)

// Names of definitions that OpenAPI calls strings and the API server reads as numbers too.
const (
	quantity    = "io.k8s.apimachinery.pkg.api.resource.Quantity"
	intOrString = "io.k8s.apimachinery.pkg.util.intstr.IntOrString"
)

const refPrefix = "#/definitions/"

type schema = map[string]any

// document is the part of an OpenAPI v2 document that schemas are made of.
type document struct {
	Definitions map[string]schema `json:"definitions"`
}

// kind is one API type that a manifest can have at its top.
type kind struct {
	group, version, kind string
	definition           string
}

func (k kind) apiVersion() string {
	if k.group == "" {
		return k.version
	}
	return k.group + "/" + k.version
}

// fileName follows kubeconform's {{.ResourceKind}}{{.KindSuffix}}: of the group, only the first label.
func (k kind) fileName() string {
	parts := []string{k.kind}
	if k.group != "" {
		parts = append(parts, strings.SplitN(k.group, ".", 2)[0])
	}
	return strings.ToLower(strings.Join(append(parts, k.version), "-")) + ".json"
}

// kinds lists the document's kinds in a stable order. Types that belong to every group (DeleteOptions) carry
// many groups and are no manifests.
func (d document) kinds() ([]kind, error) {
	var out []kind
	for name, def := range d.Definitions {
		gvks, _ := def["x-kubernetes-group-version-kind"].([]any)
		if len(gvks) != 1 {
			continue
		}
		gvk, ok := gvks[0].(map[string]any)
		if !ok {
			return nil, fmt.Errorf("definition %s: its group, version and kind cannot be read", name)
		}
		text := func(key string) string { s, _ := gvk[key].(string); return s }
		out = append(out, kind{text("group"), text("version"), text("kind"), name})
	}
	if len(out) == 0 {
		return nil, fmt.Errorf("no kinds in it: is it Kubernetes' swagger.json?")
	}
	sort.Slice(out, func(i, j int) bool { return out[i].definition < out[j].definition })
	return out, nil
}

// schemaOf builds a self-contained schema: the kind's own definition with all that it refers to.
func (d document) schemaOf(k kind) schema {
	used := map[string]any{}
	d.collect(k.definition, used)
	top, _ := used[k.definition].(schema)
	properties, _ := top["properties"].(map[string]any)
	properties["apiVersion"] = schema{"type": "string", "enum": []any{k.apiVersion()}}
	properties["kind"] = schema{"type": "string", "enum": []any{k.kind}}
	required, _ := top["required"].([]any)
	top["required"] = append(append([]any{}, required...), "apiVersion", "kind")
	return schema{
		"$schema":     "http://json-schema.org/draft-07/schema#",
		"$ref":        refPrefix + k.definition,
		"definitions": used,
	}
}

// collect copies a definition, made strict, and those that it refers to, into used.
func (d document) collect(name string, used map[string]any) {
	if _, done := used[name]; done {
		return
	}
	used[name] = nil // Breaks the circle of types that contain themselves.
	switch name {
	case quantity, intOrString:
		used[name] = schema{"oneOf": []any{schema{"type": "string"}, schema{"type": "number"}}}
		return
	}
	def := clone(d.Definitions[name])
	for _, ref := range strict(def) {
		d.collect(ref, used)
	}
	used[name] = def
}

// strict closes every object that lists its properties, in place, and returns the definitions referred to.
func strict(node any) []string {
	var refs []string
	switch n := node.(type) {
	case []any:
		for _, item := range n {
			refs = append(refs, strict(item)...)
		}
	case map[string]any:
		if ref, ok := n["$ref"].(string); ok {
			refs = append(refs, strings.TrimPrefix(ref, refPrefix))
		}
		delete(n, "description")
		properties, _ := n["properties"].(map[string]any)
		if properties != nil && n["additionalProperties"] == nil {
			n["additionalProperties"] = false
		}
		for _, p := range properties {
			refs = append(refs, strict(p)...)
		}
		refs = append(refs, strict(n["items"])...)
		refs = append(refs, strict(n["additionalProperties"])...)
	}
	return refs
}

// clone copies a definition deeply: it comes from JSON, so JSON can carry it.
func clone(def schema) schema {
	data, err := json.Marshal(def)
	if err != nil {
		panic(err) // It was JSON a moment ago.
	}
	out := schema{}
	if err := json.Unmarshal(data, &out); err != nil {
		panic(err)
	}
	return out
}
