package train_test

import (
	"bytes"
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"sigs.k8s.io/yaml"

	"github.com/kubectl-summarizer/kubectl-summarizer/pkg/train"
)

var update = flag.Bool("update", false, "write what is made to testdata instead of comparing")

func formats(t *testing.T, name string) []byte {
	t.Helper()
	data, err := os.ReadFile(filepath.Join("testdata", "formats", name))
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// golden compares with a file of testdata, or writes it.
func golden(t *testing.T, path string, got []byte) {
	t.Helper()
	if *update {
		if err := os.WriteFile(path, got, 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), string(got)); diff != "" {
		t.Errorf("%s is not what is made (- file, + made); look at it, then run: go test ./pkg/train -update\n%s", path, diff)
	}
}

func TestDefaultIsTheFullFile(t *testing.T) {
	want := train.Default()
	want.Name, want.Model.ID, want.Volume = "cookies", "HuggingFaceTB/SmolLM2-135M-Instruct", "/workspace"
	for _, file := range []string{"full.yaml", "minimal.yaml"} {
		got, err := train.ParseSpec(formats(t, file))
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s (- Default, + file):\n%s", file, diff)
		}
	}
}

// The training program reads written.yaml too, with another YAML reader.
func TestYAMLIsReadByBothSides(t *testing.T) {
	s := train.Default()
	s.Name, s.Model.ID, s.Volume = "cookies", "o/m", "/workspace"
	s.Model.Revision, s.Data.Revision = "1e10", "0123456"
	s.Training.LearningRate, s.Training.WeightDecay = 1e-5, 1e-7
	s.Training.GradientCheckpointing, s.Training.Packing = "on", "off"
	s.Prompt.Instruction = "Summarize: \"yes\",\nin 1e-05 words \U0001F389"
	s.Cluster = &train.Cluster{Namespace: "ml", Record: "train-cookies", Start: &train.Start{
		Path:  "/apis/batch/v1/namespaces/ml/jobs/train-cookies",
		Patch: map[string]any{"spec": map[string]any{"suspend": false}},
	}}
	data, err := s.YAML()
	if err != nil {
		t.Fatal(err)
	}
	golden(t, filepath.Join("testdata", "formats", "written.yaml"), data)
	again, err := train.ParseSpec(data)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(s, again); diff != "" {
		t.Errorf("(- written, + read):\n%s", diff)
	}
}

func TestInvalidIsRefusedWithEveryField(t *testing.T) {
	files, err := filepath.Glob(filepath.Join("testdata", "formats", "invalid", "*.yaml"))
	if err != nil || len(files) < 20 {
		t.Fatalf("%d files, %v", len(files), err)
	}
	for _, file := range files {
		t.Run(filepath.Base(file), func(t *testing.T) {
			data, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			heading, _, _ := strings.Cut(string(data), "\n")
			_, err = train.ParseSpec(data)
			if err == nil {
				t.Fatal("accepted")
			}
			for field := range strings.SplitSeq(strings.TrimPrefix(heading, "# wrong:"), ",") {
				if !strings.Contains(err.Error(), strings.TrimSpace(field)) {
					t.Errorf("%q does not name %s", err, field)
				}
			}
		})
	}
}

func TestParseSpecRefusesAFieldThatIsThereTwice(t *testing.T) {
	if _, err := train.ParseSpec(append(formats(t, "minimal.yaml"), "name: other\n"...)); err == nil {
		t.Error("accepted")
	}
}

// Each event of the shared file, written again, says the same: no field is unknown here.
func TestEventsHaveEveryField(t *testing.T) {
	lines := bytes.Split(bytes.TrimSpace(formats(t, "events.jsonl")), []byte("\n"))
	seen := map[string]bool{}
	for _, line := range lines {
		event, ok := train.ParseEvent(line)
		if !ok {
			t.Fatalf("%s is no event", line)
		}
		seen[event.Event] = true
		sameFields(t, line, event)
	}
	for _, kind := range []string{"start", "phase", "progress", "data", "resume", "step", "eval", "checkpoint", "warning", "error", "interrupted", "published", "probe"} {
		if !seen[kind] {
			t.Errorf("events.jsonl has no %s", kind)
		}
	}
}

func TestResultHasEveryField(t *testing.T) {
	data := formats(t, "result.json")
	result, err := train.ParseResult(data)
	if err != nil {
		t.Fatal(err)
	}
	sameFields(t, data, result)
	line, err := json.Marshal(map[string]any{"event": "result", "time": "2026-11-25T10:05:00Z", "result": result})
	if err != nil {
		t.Fatal(err)
	}
	event, ok := train.ParseEvent(line)
	if !ok || event.Result == nil || !reflect.DeepEqual(*event.Result, result) {
		t.Errorf("the event has %+v", event.Result)
	}
}

// sameFields fails when a document has a field that value, written as JSON, lacks or has otherwise.
func sameFields(t *testing.T, document []byte, value any) {
	t.Helper()
	written, err := json.Marshal(value)
	if err != nil {
		t.Fatal(err)
	}
	var want, got map[string]any
	if err := json.Unmarshal(document, &want); err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(written, &got); err != nil {
		t.Fatal(err)
	}
	// What is empty may be left out.
	if diff := cmp.Diff(withoutEmpty(want), withoutEmpty(got)); diff != "" {
		t.Errorf("%s (- document, + read):\n%s", document, diff)
	}
}

func withoutEmpty(value any) any {
	object, ok := value.(map[string]any)
	if !ok {
		return value
	}
	kept := map[string]any{}
	for key, item := range object {
		item = withoutEmpty(item)
		if empty, is := item.(map[string]any); item == nil || is && len(empty) == 0 || !is && reflect.ValueOf(item).IsZero() {
			continue
		}
		kept[key] = item
	}
	return kept
}

// The orders of the stages that take a second file, with every field; the training program reads the same files.
func TestOrdersAreReadByBothSides(t *testing.T) {
	for file, orders := range map[string]any{
		"publish.yaml": train.Publish{Repo: "team/cookies", Public: true, Merged: true, Revision: "v1", Message: "First", AcceptDataLicence: true},
		"probe.yaml":   train.Probe{URL: "http://summarizer.ml:8000", Adapter: "cookies", Base: "HuggingFaceTB/SmolLM2-135M-Instruct", Dialogues: []string{"Amanda: I baked cookies.\nJerry: Sure!"}, Examples: 8},
	} {
		data, err := yaml.Marshal(orders)
		if err != nil {
			t.Fatal(err)
		}
		golden(t, filepath.Join("testdata", "formats", file), data)
	}
}
