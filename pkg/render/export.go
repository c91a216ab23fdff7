package render

import (
	"bytes"
	"fmt"
	"io/fs"
	"maps"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"
	sigsyaml "sigs.k8s.io/yaml"
)

// PlanFile is the file of values that Export writes beside the chart's own values.yaml.
const PlanFile = "values-plan.yaml"

const planHeader = "# What differs from values.yaml, which holds the chart's own values and explains all of them.\n"

// Export returns the chart as files, and in PlanFile the values that the user gave, each with what values.yaml says of
// it: helm install NAME DIR -f DIR/values-plan.yaml then gives what Render does.
func Export(chart fs.FS, values map[string]any) ([]File, error) {
	files, err := ChartFiles(chart)
	if err != nil {
		return nil, err
	}
	defaults, err := fs.ReadFile(chart, "values.yaml")
	if err != nil {
		return nil, fmt.Errorf("cannot read the chart: %w", err)
	}
	plan, err := commented(defaults, values)
	if err != nil {
		return nil, err
	}
	return append(files,
		// Helm would else keep the plan in every release record, as a file of the chart.
		File{Name: ".helmignore", Data: []byte("/" + PlanFile + "\n")},
		File{Name: PlanFile, Data: plan}), nil
}

// commented writes values in the order of the chart's values.yaml, with its comments.
func commented(defaults []byte, values map[string]any) ([]byte, error) {
	var document yaml.Node
	if err := yaml.Unmarshal(defaults, &document); err != nil || len(document.Content) == 0 {
		return nil, fmt.Errorf("the chart's values.yaml cannot be read: %w", err)
	}
	var b bytes.Buffer
	b.WriteString(planHeader)
	if len(values) == 0 {
		b.WriteString("{}\n")
		return b.Bytes(), nil
	}
	err := writeCommented(&b, document.Content[0], values, "")
	return b.Bytes(), err
}

// writeCommented writes what values has of the map defaults.
func writeCommented(b *bytes.Buffer, defaults *yaml.Node, values map[string]any, indent string) error {
	written := 0
	for i := 0; i+1 < len(defaults.Content); i += 2 {
		key, below := defaults.Content[i], defaults.Content[i+1]
		value, given := values[key.Value]
		if !given {
			continue
		}
		written++
		for _, line := range description(key.HeadComment) {
			b.WriteString(indent + "# " + line + "\n")
		}
		inner, isMap := value.(map[string]any)
		// A map that is empty in values.yaml has whatever keys the user likes.
		if isMap && len(inner) > 0 && below.Kind == yaml.MappingNode && len(below.Content) > 0 {
			b.WriteString(indent + key.Value + ":\n")
			if err := writeCommented(b, below, inner, indent+"  "); err != nil {
				return err
			}
			continue
		}
		data, err := sigsyaml.Marshal(map[string]any{key.Value: value})
		if err != nil {
			return fmt.Errorf("the value %s cannot be written: %w", key.Value, err)
		}
		for line := range strings.Lines(string(data)) {
			if strings.TrimSpace(line) != "" {
				b.WriteString(indent)
			}
			b.WriteString(line)
		}
	}
	if written < len(values) {
		return fmt.Errorf("the chart's values.yaml does not have all of %v", slices.Sorted(maps.Keys(values)))
	}
	return nil
}

// description is what values.yaml says after "# --", without what is for its tools.
func description(comment string) []string {
	var lines []string
	for line := range strings.Lines(comment) {
		if text, ok := strings.CutPrefix(strings.TrimSpace(line), "# -- "); ok {
			lines = append(lines, text)
		}
	}
	return lines
}
