package cluster

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"sigs.k8s.io/yaml"
)

// A hint that names a value which the chart does not have sends people into an error.
func TestHintsNameRealValues(t *testing.T) {
	data, err := os.ReadFile("../../charts/vllm-summarizer/values.yaml")
	if err != nil {
		t.Fatal(err)
	}
	var chart map[string]any
	if err := yaml.Unmarshal(data, &chart); err != nil {
		t.Fatal(err)
	}
	files, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	named := regexp.MustCompile(`\b(cache|engine|gpu|hfToken|image|model|probes|sharedMemory)(\.[a-z][A-Za-z]+)+\b`)
	count := 0
	for _, file := range files {
		source, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for line := range strings.Lines(string(source)) {
			if strings.HasSuffix(file, "_test.go") || !strings.Contains(line, `"`) {
				continue
			}
			line = strings.ReplaceAll(line, "nvidia.com/gpu.", "") // labels of nodes
			for _, path := range named.FindAllString(line, -1) {
				count++
				if !has(chart, strings.Split(path, ".")) {
					t.Errorf("%s: the chart has no value %s: %s", file, path, strings.TrimSpace(line))
				}
			}
		}
	}
	if count == 0 {
		t.Error("no hint names a value: the test looks in the wrong place")
	}
}

func has(values map[string]any, path []string) bool {
	value, found := values[path[0]]
	if len(path) == 1 || !found {
		return found
	}
	below, isMap := value.(map[string]any)
	return isMap && has(below, path[1:])
}
