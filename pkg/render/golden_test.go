package render_test

import (
	"context"
	"flag"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/kubectl-summarizer/kubectl-summarizer/charts"
	"github.com/kubectl-summarizer/kubectl-summarizer/pkg/render"
)

var update = flag.Bool("update", false, "write what is rendered to testdata instead of comparing")

// variants are the ways to use the chart that people depend on; each has a golden file
// that shows in a review what a change of the chart does to them.
var variants = map[string][]string{
	"default":                nil,
	"adapters":               {"adapters[0].name=tuned", "adapters[0].repo=team/tuned-lora", "adapters[0].revision=v1", "adapters[1].name=other", "adapters[1].repo=team/other-lora"},
	"pvc":                    {"cache.persistence.enabled=true", "cache.persistence.storageClassName=premium-rwo"},
	"chat-template":          {`model.chatTemplate=\{% for m in messages %\}\{\{ m.content \}\}\{% endfor %\}`},
	"two-gpus":               {"gpu.count=2", "gpu.accelerator=nvidia-h100-80gb"},
	"digest":                 {"image.digest=sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"},
	"custom":                 {"platform=custom", "nodeSelector.gpu=big", "gpu.resourceName=nvidia.com/gpu.shared"},
	"no-download":            {"model.download=false"},
	"bucket":                 {"model.id=gs://bucket/model", "model.servedName=ours", "model.revision="},
	"time-sharing-autopilot": {"model.id=meta-llama/Llama-3.2-3B-Instruct", "model.revision=main", "model.weightsGiB=6", "gpu.sharing.strategy=time-sharing", "gpu.sharing.clients=2"},
	"time-sharing-standard":  {"model.id=meta-llama/Llama-3.2-3B-Instruct", "model.revision=main", "model.weightsGiB=6", "gpu.sharing.strategy=time-sharing", "gpu.sharing.clients=2", "platform=gke-standard"},
	"time-sharing-nvidia":    {"model.id=meta-llama/Llama-3.2-3B-Instruct", "model.revision=main", "model.weightsGiB=6", "gpu.sharing.strategy=time-sharing", "gpu.sharing.clients=2", "platform=nvidia"},
	"time-sharing-eks":       {"model.id=meta-llama/Llama-3.2-3B-Instruct", "model.revision=main", "model.weightsGiB=6", "gpu.sharing.strategy=time-sharing", "gpu.sharing.clients=2", "platform=eks"},
	"mps-standard":           {"model.id=meta-llama/Llama-3.2-3B-Instruct", "model.revision=main", "model.weightsGiB=6", "gpu.sharing.strategy=mps", "gpu.sharing.clients=2", "platform=gke-standard"},
	"mps-nvidia":             {"model.id=meta-llama/Llama-3.2-3B-Instruct", "model.revision=main", "model.weightsGiB=6", "gpu.sharing.strategy=mps", "gpu.sharing.clients=2", "platform=nvidia"},
	"mps-eks":                {"model.id=meta-llama/Llama-3.2-3B-Instruct", "model.revision=main", "model.weightsGiB=6", "gpu.sharing.strategy=mps", "gpu.sharing.clients=2", "platform=eks"},
	"mig-autopilot":          {"model.id=meta-llama/Llama-3.2-3B-Instruct", "model.revision=main", "model.weightsGiB=6", "gpu.sharing.strategy=mig", "gpu.sharing.partition=2g.10gb", "gpu.accelerator=nvidia-tesla-a100"},
	"mig-nvidia":             {"model.id=meta-llama/Llama-3.2-3B-Instruct", "model.revision=main", "model.weightsGiB=6", "gpu.sharing.strategy=mig", "gpu.sharing.partition=2g.10gb", "gpu.accelerator=nvidia-tesla-a100", "platform=nvidia"},
	"mig-eks":                {"model.id=meta-llama/Llama-3.2-3B-Instruct", "model.revision=main", "model.weightsGiB=6", "gpu.sharing.strategy=mig", "gpu.sharing.partition=2g.10gb", "gpu.accelerator=nvidia-tesla-a100", "platform=eks"},
	"nvidia":                 {"platform=nvidia"},
	"eks":                    {"platform=eks"},
	"two-nodes":              {"gpu.nodes=2", "gpu.count=4", "platform=gke-standard"},
	"open":                   {"service.type=LoadBalancer", "networkPolicy.enabled=false", "replicas=3", "podDisruptionBudget.enabled=true"},
}

func TestGolden(t *testing.T) {
	for name, set := range variants {
		t.Run(name, func(t *testing.T) {
			result, err := rendered(t, sets(t, set...))
			if err != nil {
				t.Fatal(err)
			}
			got := []byte(elide(string(result.Manifests) + string(result.Hooks)))
			path := filepath.Join("testdata", "golden", name+".yaml")
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
				t.Errorf("%s is not what is rendered (- file, + rendered); look at it, then run: go test ./pkg/render -update\n%s", path, diff)
			}
		})
	}
}

// elide leaves out the programs that the chart carries and what is computed from them: the
// golden files show manifests, and would all change with every line of a program.
func elide(manifests string) string {
	program := regexp.MustCompile(`(?m)^(  [a-z_]+\.py: \|)\n(?:(?:    .*)?\n)+`)
	checksum := regexp.MustCompile(`(checksum/[a-z]+: )[0-9a-f]{64}`)
	return checksum.ReplaceAllString(program.ReplaceAllString(manifests, "$1\n    (program)\n"), "$1(checksum)")
}

// chartDir is the chart on disk, from which the program's copy is embedded.
var chartDir = filepath.Join("..", "..", "charts", charts.Name)

// A file that the embed patterns forget would be missing from the program alone.
func TestEmbeddedChartIsTheChartOnDisk(t *testing.T) {
	for name, set := range variants {
		embedded, err := rendered(t, sets(t, set...))
		if err != nil {
			t.Fatal(err)
		}
		onDisk, err := render.Render(context.Background(), os.DirFS(chartDir), render.Options{
			Release: "summarizer", Namespace: "ml", Values: sets(t, set...),
		})
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(string(onDisk.Manifests)+string(onDisk.Hooks), string(embedded.Manifests)+string(embedded.Hooks)); diff != "" {
			t.Errorf("%s: on disk -, embedded +\n%s", name, diff)
		}
	}
}

// TestEqualsHelmTemplate compares with a real Helm 3, which HELM3 names.
func TestEqualsHelmTemplate(t *testing.T) {
	helm := os.Getenv("HELM3")
	if helm == "" {
		t.Skip("HELM3 names no Helm 3: HELM3=$(hack/tool helm3) go test ./pkg/render")
	}
	for name, set := range variants {
		t.Run(name, func(t *testing.T) {
			ours, err := rendered(t, sets(t, set...))
			if err != nil {
				t.Fatal(err)
			}
			args := []string{"template", "summarizer", chartDir, "-n", "ml"}
			for _, s := range set {
				args = append(args, "--set", s)
			}
			cmd := exec.Command(helm, args...)
			// Nothing of whoever runs this may change what Helm does.
			cmd.Env = []string{"HOME=" + t.TempDir(), "PATH=" + os.Getenv("PATH")}
			theirs, err := cmd.Output()
			if err != nil {
				t.Fatalf("%v: %v", cmd, err)
			}
			if diff := cmp.Diff(string(theirs), string(ours.Manifests)+string(ours.Hooks)); diff != "" {
				t.Errorf("helm template -, ours +\n%s", diff)
			}
		})
	}
}

func BenchmarkRender(b *testing.B) {
	chart := embedded(b)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := render.Render(context.Background(), chart, render.Options{Release: "summarizer", Namespace: "ml"}); err != nil {
			b.Fatal(err)
		}
	}
}
