package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// openAPI has what makes Kubernetes' document hard: a type that contains itself, a free-form map, a quantity, and
// a kind that belongs to several groups.
const openAPI = `{"definitions": {
  "io.k8s.api.apps.v1.Thing": {
    "description": "long", "type": "object", "required": ["spec"],
    "properties": {"apiVersion": {"type": "string"}, "kind": {"type": "string"}, "spec": {"$ref": "#/definitions/Node"}},
    "x-kubernetes-group-version-kind": [{"group": "apps.k8s.io", "version": "v1", "kind": "Thing"}]},
  "Node": {"type": "object", "properties": {
    "children": {"type": "array", "items": {"$ref": "#/definitions/Node"}},
    "labels": {"type": "object", "additionalProperties": {"type": "string"}},
    "size": {"$ref": "#/definitions/io.k8s.apimachinery.pkg.api.resource.Quantity"}}},
  "io.k8s.apimachinery.pkg.api.resource.Quantity": {"type": "string"},
  "Unrelated": {"type": "object"},
  "DeleteOptions": {"type": "object", "x-kubernetes-group-version-kind": [
    {"group": "", "version": "v1", "kind": "DeleteOptions"}, {"group": "apps", "version": "v1", "kind": "DeleteOptions"}]}
}}`

func TestGenerateWritesOneStrictSchemaPerKind(t *testing.T) {
	dir := t.TempDir()
	swagger := filepath.Join(dir, "swagger.json")
	if err := os.WriteFile(swagger, []byte(openAPI), 0o600); err != nil {
		t.Fatal(err)
	}
	out := filepath.Join(dir, "out")
	if n, err := generate(swagger, out); err != nil || n != 1 {
		t.Fatalf("generate: %d kinds, %v", n, err)
	}
	// kubeconform looks for the kind and the group's first label.
	data, err := os.ReadFile(filepath.Join(out, "thing-apps-v1.json"))
	if err != nil {
		t.Fatal(err)
	}
	var got struct {
		Ref         string `json:"$ref"`
		Definitions map[string]struct {
			Required             []string
			AdditionalProperties any
			Properties           map[string]struct {
				Enum                 []string
				AdditionalProperties any
			}
			OneOf []map[string]string
		}
	}
	if err := json.Unmarshal(data, &got); err != nil {
		t.Fatal(err)
	}
	thing, node := got.Definitions["io.k8s.api.apps.v1.Thing"], got.Definitions["Node"]
	switch {
	case got.Ref != "#/definitions/io.k8s.api.apps.v1.Thing":
		t.Errorf("$ref is %q", got.Ref)
	case len(got.Definitions) != 3:
		t.Errorf("%d definitions, want the kind and the two that it needs", len(got.Definitions))
	case strings.Join(thing.Required, " ") != "spec apiVersion kind":
		t.Errorf("required: %v", thing.Required)
	case thing.Properties["apiVersion"].Enum[0] != "apps.k8s.io/v1" || thing.Properties["kind"].Enum[0] != "Thing":
		t.Errorf("apiVersion and kind are not fixed: %v", thing.Properties)
	case thing.AdditionalProperties != false || node.AdditionalProperties != false:
		t.Error("an unknown field would pass")
	case node.Properties["labels"].AdditionalProperties == false:
		t.Error("a free-form map was closed")
	case len(got.Definitions[quantity].OneOf) != 2:
		t.Error("a quantity is not a string or a number")
	}
}

func TestGenerateRefusesWhatIsNoOpenAPIDocument(t *testing.T) {
	path := filepath.Join(t.TempDir(), "x.json")
	if err := os.WriteFile(path, []byte(`{"definitions": {}}`), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := generate(path, t.TempDir()); err == nil || !strings.Contains(err.Error(), "no kinds") {
		t.Errorf("error: %v", err)
	}
}
