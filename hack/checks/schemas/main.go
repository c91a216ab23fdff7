// Command schemas turns the OpenAPI document of a Kubernetes release into the JSON schemas that kubeconform
// reads, one file per kind, so that manifests can be validated with no access to a schema registry.
//
//	schemas SWAGGER.json DIRECTORY [CRD.yaml...]
//
// The schemas are strict: a field that Kubernetes does not know is an error.
package main

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
)

func main() {
	if len(os.Args) < 3 {
		fmt.Fprintln(os.Stderr, "usage: schemas SWAGGER.json DIRECTORY [CRD.yaml...]")
		os.Exit(2)
	}
	n, err := generate(os.Args[1], os.Args[2])
	for _, file := range os.Args[3:] {
		if err == nil {
			err = generateCRD(file, os.Args[2])
		}
	}
	if err != nil {
		fmt.Fprintf(os.Stderr, "schemas: %v\n", err)
		os.Exit(1)
	}
	fmt.Fprintf(os.Stderr, "schemas: %d kinds written to %s\n", n, os.Args[2])
}

// generate writes the schema of every kind in the OpenAPI document and returns how many there are.
func generate(swagger, dir string) (int, error) {
	data, err := os.ReadFile(swagger)
	if err != nil {
		return 0, err
	}
	var doc document
	if err := json.Unmarshal(data, &doc); err != nil {
		return 0, fmt.Errorf("reading %s: %w", swagger, err)
	}
	kinds, err := doc.kinds()
	if err != nil {
		return 0, fmt.Errorf("reading %s: %w", swagger, err)
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return 0, err
	}
	for _, k := range kinds {
		out, err := json.Marshal(doc.schemaOf(k))
		if err != nil {
			return 0, fmt.Errorf("writing the schema of %s: %w", k.definition, err)
		}
		if err := os.WriteFile(filepath.Join(dir, k.fileName()), out, 0o644); err != nil {
			return 0, err
		}
	}
	return len(kinds), nil
}
