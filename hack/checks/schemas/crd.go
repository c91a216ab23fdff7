package main

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"sigs.k8s.io/yaml"
)

// crd is what is read of a CustomResourceDefinition.
type crd struct {
	Spec struct {
		Group string `json:"group"`
		Names struct {
			Kind string `json:"kind"`
		} `json:"names"`
		Versions []struct {
			Name   string `json:"name"`
			Schema struct {
				OpenAPIV3Schema map[string]any `json:"openAPIV3Schema"`
			} `json:"schema"`
		} `json:"versions"`
	} `json:"spec"`
}

// generateCRD writes the schemas of a CustomResourceDefinition's versions beside those of Kubernetes.
func generateCRD(file, dir string) error {
	data, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	var c crd
	if err := yaml.Unmarshal(data, &c); err != nil {
		return fmt.Errorf("reading %s: %w", file, err)
	}
	for _, version := range c.Spec.Versions {
		schema := version.Schema.OpenAPIV3Schema
		if schema == nil {
			return fmt.Errorf("%s: version %s of %s has no schema", file, version.Name, c.Spec.Names.Kind)
		}
		seal(schema)
		// What every object has, and a CRD's schema leaves to Kubernetes.
		if properties, ok := schema["properties"].(map[string]any); ok {
			properties["metadata"] = map[string]any{"type": "object"}
		}
		out, err := json.Marshal(schema)
		if err != nil {
			return err
		}
		group, _, _ := strings.Cut(c.Spec.Group, ".")
		name := strings.ToLower(fmt.Sprintf("%s-%s-%s.json", c.Spec.Names.Kind, group, version.Name))
		if err := os.WriteFile(filepath.Join(dir, name), out, 0o644); err != nil {
			return err
		}
	}
	return nil
}

// seal makes a field that the CRD does not name an error, and says of its own keywords what JSON schema's are.
func seal(node any) {
	switch n := node.(type) {
	case map[string]any:
		if n["x-kubernetes-int-or-string"] == true {
			n["type"] = []any{"integer", "string"}
			delete(n, "anyOf")
		}
		if _, object := n["properties"].(map[string]any); object && n["additionalProperties"] == nil && n["x-kubernetes-preserve-unknown-fields"] != true {
			n["additionalProperties"] = false
		}
		for _, child := range n {
			seal(child)
		}
	case []any:
		for _, child := range n {
			seal(child)
		}
	}
}
