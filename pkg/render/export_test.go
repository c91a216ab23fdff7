package render_test

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/kubectl-summarizer/kubectl-summarizer/pkg/render"
)

// write puts exported files below a new directory.
func write(t *testing.T, files []render.File) string {
	t.Helper()
	dir := t.TempDir()
	for _, f := range files {
		path := filepath.Join(dir, filepath.FromSlash(f.Name))
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, f.Data, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// TestTheExportedChartRendersTheSame, with the values that lie beside it.
func TestTheExportedChartRendersTheSame(t *testing.T) {
	awkward := []string{
		"replicas=1000000", "nodeSelector.a=1", `podAnnotations.b=line\nother`, "hfToken.secretName=", "image.tag=1.0",
		"tolerations[0].operator=Exists", "strategy.type=RollingUpdate", "engine.maxModelLen=null", "engine.gpuMemoryUtilization=0.5", `fullnameOverride=n`,
	}
	for name, set := range variants {
		sameAsRender(t, name, set)
	}
	sameAsRender(t, "awkward", awkward)
}

func sameAsRender(t *testing.T, name string, set []string) {
	t.Helper()
	want, err := rendered(t, sets(t, set...))
	if err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	files, err := render.Export(embedded(t), sets(t, set...))
	if err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	dir := write(t, files)
	plan, err := os.ReadFile(filepath.Join(dir, render.PlanFile))
	if err != nil {
		t.Fatal(err)
	}
	values, err := render.MergeFiles([]render.ValuesFile{{Name: render.PlanFile, Data: plan}})
	if err != nil {
		t.Fatalf("%s: %v\n%s", name, err, plan)
	}
	got, err := render.Render(context.Background(), os.DirFS(dir), render.Options{Release: "summarizer", Namespace: "ml", Values: values})
	if err != nil {
		t.Fatalf("%s: %v\n%s", name, err, plan)
	}
	if diff := cmp.Diff(string(want.Manifests)+string(want.Hooks), string(got.Manifests)+string(got.Hooks)); diff != "" {
		t.Errorf("%s: render -, exported +\n%s", name, diff)
	}
}

// TestThePlanIsForPeople: only what was given, in the chart's order, with what the chart says of it.
func TestThePlanIsForPeople(t *testing.T) {
	files, err := render.Export(embedded(t), sets(t, "service.port=80", "replicas=2", "nodeSelector.pool=gpu", "shutdown.drainSeconds=30", "shutdown.preStopSeconds=5"))
	if err != nil {
		t.Fatal(err)
	}
	got := string(files[len(files)-1].Data)
	const want = `# What differs from values.yaml, which holds the chart's own values and explains all of them.
# Number of model servers, each with its own GPUs
replicas: 2
service:
  # Port of the Service
  port: 80
shutdown:
  # Seconds that a pod goes on serving after its deletion, until every client has stopped sending to it
  preStopSeconds: 5
  # Seconds that requests in flight then have to finish (` + "`--shutdown-timeout`" + `); 0 cuts them off
  drainSeconds: 30
# More node selectors
nodeSelector:
  pool: gpu
`
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if files, err = render.Export(embedded(t), nil); err != nil || !strings.HasSuffix(string(files[len(files)-1].Data), "\n{}\n") {
		t.Errorf("without values: %v", err)
	}
	if _, err = render.Export(embedded(t), sets(t, "gpu.cuont=2")); err == nil {
		t.Error("a value that the chart does not have is left out without a word")
	}
}
