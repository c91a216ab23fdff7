package render_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/kubectl-summarizer/kubectl-summarizer/pkg/render"
)

func TestInvalidValues(t *testing.T) {
	for _, test := range []struct{ set, want string }{
		{"replica=2", "value replica: there is no such value; did you mean replicas?"},
		{"gpu.cuont=2", "value gpu.cuont: there is no such value; did you mean gpu.count?"},
		{"maxModelLen=4096", "value maxModelLen: there is no such value; did you mean engine.maxModelLen?"},
		{"zzzzzzzz=1", "value zzzzzzzz: there is no such value"},
		{"replicas=two", `value replicas: must be a whole number, but is "two"`},
		{"replicas=-1", "value replicas: must be at least 0, but is -1"},
		{"gpu=3", "value gpu: must be a map, but is 3"},
		{"model.download=maybe", `value model.download: must be true or false, but is "maybe"`},
		{"platform=gke-autopilt", `value platform: must be one of "gke-autopilot", "gke-standard", "nvidia", "eks", "custom", but is "gke-autopilt"; did you mean "gke-autopilot"?`},
		{"adapters[0].nam=x,adapters[0].name=x,adapters[0].repo=a/b", "value adapters[0].nam: there is no such value; did you mean adapters[0].name?"},
		{"adapters[0].name=x", "value adapters[0].repo: is missing"},
	} {
		_, err := rendered(t, sets(t, test.set))
		var values *render.ValuesError
		if !errors.As(err, &values) {
			t.Errorf("%s: got %v, want a ValuesError", test.set, err)
			continue
		}
		if err.Error() != test.want {
			t.Errorf("%s:\n got %s\nwant %s", test.set, err, test.want)
		}
	}
}

func TestAQuotedNumberIsExplained(t *testing.T) {
	values, err := render.MergeValues(render.Sources{String: []string{"replicas=2"}})
	if err != nil {
		t.Fatal(err)
	}
	_, err = rendered(t, values)
	if err == nil || !strings.Contains(err.Error(), "without quotes") {
		t.Errorf("got %v", err)
	}
}

func TestAPatternComesWithTheChartsWords(t *testing.T) {
	_, err := rendered(t, sets(t, "image.digest=abc"))
	if err == nil || !strings.Contains(err.Error(), `"abc"`) || !strings.Contains(err.Error(), "sha256:...") {
		t.Errorf("got %v", err)
	}
}

func TestEveryProblemIsListedInOrder(t *testing.T) {
	values := sets(t, "replicas=two", "gpu.cuont=3", "engine.gpuMemoryUtilization=2", "platform=x")
	want := []string{"engine.gpuMemoryUtilization", "gpu.cuont", "platform", "replicas"}
	for range 10 {
		_, err := rendered(t, values)
		var invalid *render.ValuesError
		if !errors.As(err, &invalid) {
			t.Fatalf("got %v", err)
		}
		var got []string
		for _, p := range invalid.Problems {
			got = append(got, p.Path)
		}
		if strings.Join(got, " ") != strings.Join(want, " ") {
			t.Fatalf("got %v, want %v", got, want)
		}
		if !strings.HasPrefix(err.Error(), "4 values are not valid:\n  engine.") {
			t.Fatalf("heading: %v", err)
		}
	}
}

func TestLongValuesAreNotPrintedWhole(t *testing.T) {
	_, err := rendered(t, sets(t, "replicas="+strings.Repeat("x", 5000)))
	if err == nil || len(err.Error()) > 200 {
		t.Errorf("the message has %d characters", len(err.Error()))
	}
}
