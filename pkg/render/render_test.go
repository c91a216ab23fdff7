package render_test

import (
	"context"
	"errors"
	"io/fs"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/kubectl-summarizer/kubectl-summarizer/charts"
	"github.com/kubectl-summarizer/kubectl-summarizer/pkg/render"
)

// embedded is the chart as the program carries it.
func embedded(t testing.TB) fs.FS {
	t.Helper()
	chart, err := fs.Sub(charts.FS, charts.Name)
	if err != nil {
		t.Fatal(err)
	}
	return chart
}

// rendered renders the embedded chart as release "summarizer" in namespace "ml".
func rendered(t testing.TB, values map[string]any) (render.Result, error) {
	t.Helper()
	return render.Render(context.Background(), embedded(t), render.Options{Release: "summarizer", Namespace: "ml", Values: values})
}

func sets(t testing.TB, set ...string) map[string]any {
	t.Helper()
	values, err := render.MergeValues(render.Sources{Set: set})
	if err != nil {
		t.Fatal(err)
	}
	return values
}

// tiny is a chart for what the real one does not do.
func tiny(template string) fs.FS {
	return fstest.MapFS{
		"Chart.yaml":       {Data: []byte("apiVersion: v2\nname: tiny\nversion: 0.1.0\n")},
		"values.yaml":      {Data: []byte("a: {b: 1}\n")},
		"templates/x.yaml": {Data: []byte(template)},
		"templates/_h.tpl": {Data: []byte(`{{- define "tiny.name" -}}from-a-helper{{- end -}}`)},
	}
}

func TestTheSameInputGivesTheSameBytes(t *testing.T) {
	values := sets(t, "gpu.count=2", "podLabels.b=1", "podLabels.a=2", "podLabels.c=3")
	first, err := rendered(t, values)
	if err != nil {
		t.Fatal(err)
	}
	for range 20 {
		again, err := rendered(t, values)
		if err != nil {
			t.Fatal(err)
		}
		if string(again.Manifests) != string(first.Manifests) || string(again.Hooks) != string(first.Hooks) {
			t.Fatal("two renders of the same values differ")
		}
	}
}

// A pod reads its files once: what changes them must start it anew, and nothing else must.
func TestChecksumFollowsTheFiles(t *testing.T) {
	checksum := func(set ...string) string {
		t.Helper()
		result, err := rendered(t, sets(t, set...))
		if err != nil {
			t.Fatal(err)
		}
		_, rest, found := strings.Cut(string(result.Manifests), "checksum/files: ")
		if !found {
			t.Fatal("there is no checksum")
		}
		return strings.SplitN(rest, "\n", 2)[0]
	}
	before := checksum()
	for _, set := range []string{"model.ignorePatterns={*.bin}", "model.chatTemplate=x", "hfToken.secretName=other"} {
		if checksum(set) == before {
			t.Errorf("with %s the checksum stays: pods would go on with the old files", set)
		}
	}
	if checksum("service.port=80") != before {
		t.Error("with another port of the Service the checksum changes: pods would restart for nothing")
	}
}

func TestTheUsersValuesAreNotChanged(t *testing.T) {
	values := map[string]any{"gpu": map[string]any{"count": 2}}
	if _, err := rendered(t, values); err != nil {
		t.Fatal(err)
	}
	if gpu := values["gpu"].(map[string]any); len(values) != 1 || len(gpu) != 1 {
		t.Errorf("rendering added to the values: %v", values)
	}
}

// Helm built as a library believes in Kubernetes 1.20, which the chart refuses.
func TestDefaultKubernetesVersionIsRecent(t *testing.T) {
	chart := tiny("v: {{ .Capabilities.KubeVersion.Version }}")
	result, err := render.Render(context.Background(), chart, render.Options{Release: "r", Namespace: "n"})
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(string(result.Manifests), "v: "+render.DefaultKubeVersion) {
		t.Errorf("rendered for another version than %s:\n%s", render.DefaultKubeVersion, result.Manifests)
	}
}

func TestOldKubernetesIsRefused(t *testing.T) {
	_, err := render.Render(context.Background(), embedded(t), render.Options{Release: "r", Namespace: "n", KubeVersion: "1.20.0"})
	var refused *render.RefusedError
	if !errors.As(err, &refused) || !strings.Contains(err.Error(), "1.29") {
		t.Errorf("got %v, want a refusal that names 1.29", err)
	}
}

// Cloud providers append to the version; the chart's constraint must let that pass.
func TestProviderVersionsAreTaken(t *testing.T) {
	for _, version := range []string{"v1.34.1-gke.1000", "v1.29.0-eks-1234567", "1.33"} {
		if _, err := render.Render(context.Background(), embedded(t), render.Options{Release: "r", Namespace: "n", KubeVersion: version}); err != nil {
			t.Errorf("%s: %v", version, err)
		}
	}
}

// Embedding leaves out files that begin with "_", and then no template finds its helpers.
func TestHelpersAreEmbedded(t *testing.T) {
	files, err := render.ChartFiles(embedded(t))
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		if strings.HasPrefix(f.Name, "templates/_") {
			return
		}
	}
	t.Error("no templates/_*.tpl is embedded")
}

// What is in the chart's Files is stored in every release record.
func TestNothingSuperfluousIsEmbedded(t *testing.T) {
	files, err := render.ChartFiles(embedded(t))
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		for _, dir := range []string{"tests/", "ci/", "README", "."} {
			if strings.HasPrefix(f.Name, dir) {
				t.Errorf("%s is embedded", f.Name)
			}
		}
	}
}

func TestOptionsAreChecked(t *testing.T) {
	for name, o := range map[string]render.Options{
		"upper-case release": {Release: "Summarizer", Namespace: "ml"},
		"long release":       {Release: strings.Repeat("a", 54), Namespace: "ml"},
		"empty release":      {Namespace: "ml"},
		"empty namespace":    {Release: "r"},
		"namespace":          {Release: "r", Namespace: "my_ns"},
		"version":            {Release: "r", Namespace: "n", KubeVersion: "latest"},
	} {
		_, err := render.Render(context.Background(), embedded(t), o)
		var option *render.OptionError
		if !errors.As(err, &option) {
			t.Errorf("%s: got %v, want an OptionError", name, err)
		}
	}
}

func TestFailSentencesComeOutClean(t *testing.T) {
	for name, template := range map[string]string{
		"fail":           `{{ fail "first sentence\nsecond: sentence" }}`,
		"nested include": `{{ define "deep" }}{{ fail "first sentence\nsecond: sentence" }}{{ end }}{{ include "deep" . }}`,
		"required":       `{{ required "first sentence\nsecond: sentence" .Values.none }}`,
	} {
		_, err := render.Render(context.Background(), tiny(template), render.Options{Release: "r", Namespace: "n"})
		var refused *render.RefusedError
		if !errors.As(err, &refused) || err.Error() != "first sentence\nsecond: sentence" {
			t.Errorf("%s: got %q", name, err)
		}
	}
}

func TestFaultsInTemplatesAreTold(t *testing.T) {
	chart := tiny(`{{ .Values.a.b.c.d }}`)
	_, err := render.Render(context.Background(), chart, render.Options{Release: "r", Namespace: "n", Values: map[string]any{"a": nil}})
	var fault *render.TemplateError
	if !errors.As(err, &fault) {
		t.Fatalf("got %v, want a TemplateError", err)
	}
	if !strings.Contains(err.Error(), "templates/x.yaml") || !strings.Contains(err.Error(), "default of a") {
		t.Errorf("the message names neither the file nor the null: %v", err)
	}
}

func TestNotesAndWarnings(t *testing.T) {
	chart := tiny("a: {{ include \"tiny.name\" . }}").(fstest.MapFS)
	chart["templates/NOTES.txt"] = &fstest.MapFile{Data: []byte("Hello.\nWARNING: mind the gap\n")}
	result, err := render.Render(context.Background(), chart, render.Options{Release: "r", Namespace: "n"})
	if err != nil {
		t.Fatal(err)
	}
	if len(result.Warnings) != 1 || result.Warnings[0] != "mind the gap" {
		t.Errorf("warnings: %q", result.Warnings)
	}
	if strings.Contains(string(result.Manifests), "Hello") || !strings.Contains(result.Notes, "Hello") {
		t.Errorf("notes are in the manifests or lost: %q", result.Notes)
	}
}

func TestObjectsAreTheManifests(t *testing.T) {
	result, err := rendered(t, nil)
	if err != nil {
		t.Fatal(err)
	}
	objects, err := result.Objects()
	if err != nil {
		t.Fatal(err)
	}
	if len(objects) != len(result.Documents) {
		t.Fatalf("%d objects in %d documents", len(objects), len(result.Documents))
	}
	for i, object := range objects {
		if d := result.Documents[i]; object.GetKind() != d.Kind || object.GetName() != d.Name {
			t.Errorf("document %d is %s %s, its object %s %s", i, d.Kind, d.Name, object.GetKind(), object.GetName())
		}
		if object.GetNamespace() != "ml" {
			t.Errorf("%s %s names no namespace: it would land in that of the kubeconfig", object.GetKind(), object.GetName())
		}
	}
}

func TestTokensInValuesAreRefusedAndNotRepeated(t *testing.T) {
	const token = "hf_abcdefghijklmnopqrstuvwxyz01234567"
	_, err := rendered(t, sets(t, "extraEnv[0].name=X", "extraEnv[0].value="+token))
	var values *render.ValuesError
	if !errors.As(err, &values) || values.Problems[0].Path != "extraEnv[0].value" {
		t.Fatalf("got %v, want a ValuesError at extraEnv[0].value", err)
	}
	if strings.Contains(err.Error(), token[:10]) {
		t.Errorf("the error repeats the token: %v", err)
	}
}

func TestAnEndedContextEndsIt(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	_, err := render.Render(ctx, embedded(t), render.Options{Release: "r", Namespace: "n"})
	if !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
}
