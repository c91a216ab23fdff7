package render

import (
	"bytes"
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"

	"helm.sh/helm/v3/pkg/releaseutil"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/yaml"
)

// Result is what a chart renders to.
type Result struct {
	// Manifests are the objects that an install applies, byte for byte what Helm records
	// as the release's manifest.
	Manifests []byte
	// Hooks are the objects that Helm creates at certain moments only, such as `helm test`.
	Hooks []byte
	// Documents are the parts of Manifests, HookDocuments those of Hooks.
	Documents     []Document
	HookDocuments []Document
	// Notes are the chart's words to the user after an install.
	Notes string
	// Values are what it was rendered with: the user's over the chart's own.
	Values map[string]any
	// Warnings are the sentences in Notes after "WARNING:".
	Warnings []string
}

// Document is one rendered object.
type Document struct {
	// Template is the file that it comes from, with the chart's name before it.
	Template string
	Kind     string
	Name     string
	// Body is the YAML, comments included, without a document separator.
	Body string
}

// YAML returns the document as it stands in Result.Manifests.
func (d Document) YAML() []byte {
	return fmt.Appendf(nil, "---\n# Source: %s\n%s\n", d.Template, d.Body)
}

func newDocument(template, body string, head *releaseutil.SimpleHead) Document {
	d := Document{Template: template, Body: body}
	if head != nil {
		d.Kind = head.Kind
		if head.Metadata != nil {
			d.Name = head.Metadata.Name
		}
	}
	return d
}

func join(documents []Document) []byte {
	var b bytes.Buffer
	for _, d := range documents {
		b.Write(d.YAML())
	}
	return b.Bytes()
}

// Objects parses Documents, in their order.
func (r Result) Objects() ([]*unstructured.Unstructured, error) {
	return parse(r.Documents)
}

// HookObjects parses HookDocuments, in their order.
func (r Result) HookObjects() ([]*unstructured.Unstructured, error) {
	return parse(r.HookDocuments)
}

func parse(documents []Document) ([]*unstructured.Unstructured, error) {
	objects := make([]*unstructured.Unstructured, 0, len(documents))
	for _, d := range documents {
		data, err := yaml.YAMLToJSON([]byte(d.Body))
		if err != nil {
			return nil, fmt.Errorf("%s does not render to YAML: %w", d.Template, err)
		}
		if string(data) == "null" {
			continue // a template that holds comments alone
		}
		object := &unstructured.Unstructured{}
		if err := object.UnmarshalJSON(data); err != nil {
			return nil, fmt.Errorf("%s does not render to an object: %w", d.Template, err)
		}
		objects = append(objects, object)
	}
	return objects, nil
}

func warnings(notes string) []string {
	var found []string
	for line := range strings.Lines(notes) {
		if _, text, ok := strings.Cut(line, "WARNING:"); ok {
			found = append(found, strings.TrimSpace(text))
		}
	}
	return found
}

// ParseManifests parses a stream of rendered objects, such as a release's record holds.
func ParseManifests(manifests []byte) ([]*unstructured.Unstructured, error) {
	split := releaseutil.SplitManifests(string(manifests))
	keys := slices.SortedFunc(maps.Keys(split), func(a, b string) int {
		return cmp.Or(cmp.Compare(len(a), len(b)), cmp.Compare(a, b)) // manifest-2 before manifest-10
	})
	documents := make([]Document, len(keys))
	for i, key := range keys {
		documents[i] = Document{Template: key, Body: split[key]}
	}
	return parse(documents)
}
