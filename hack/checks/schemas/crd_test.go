package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"
)

const definition = `
spec:
  group: things.example.io
  names: {kind: Thing}
  versions:
    - name: v1
      schema:
        openAPIV3Schema:
          type: object
          properties:
            metadata: {type: object}
            spec:
              type: object
              properties:
                size: {type: integer}
                port: {anyOf: [{type: integer}, {type: string}], x-kubernetes-int-or-string: true}
`

// What the definition does not name is an error, as it is for the objects of Kubernetes.
func TestGenerateCRD(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "crd.yaml")
	if err := os.WriteFile(file, []byte(definition), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := generateCRD(file, dir); err != nil {
		t.Fatal(err)
	}
	schema, err := jsonschema.NewCompiler().Compile(filepath.Join(dir, "thing-things-v1.json"))
	if err != nil {
		t.Fatal(err)
	}
	for object, good := range map[string]bool{
		`{"metadata":{"name":"x","labels":{"a":"b"}},"spec":{"size":2,"port":"http"}}`: true,
		`{"spec":{"size":"two"}}`: false,
		`{"spec":{"sise":2}}`:     false,
		`{"spec":{"port":true}}`:  false,
	} {
		value, err := jsonschema.UnmarshalJSON(strings.NewReader(object))
		if err != nil {
			t.Fatal(err)
		}
		if err := schema.Validate(value); (err == nil) != good {
			t.Errorf("%s: %v", object, err)
		}
	}
	if err := generateCRD(file+".gone", dir); err == nil {
		t.Error("a file that is not there is no error")
	}
}
