package explain

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"sigs.k8s.io/yaml"

	"github.com/kubectl-summarizer/kubectl-summarizer/charts"
	"github.com/kubectl-summarizer/kubectl-summarizer/pkg/render"
)

// variants set what the chart can render, beside its defaults and the files in its ci directory.
var variants = map[string]string{
	"default": "",
	"everything": `
adapters: [{name: tuned, repo: team/tuned-lora, revision: v1}, {name: other, repo: team/other-lora}]
image: {digest: "sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"}
imagePullSecrets: [{name: registry}]
model: {servedName: ours, chatTemplate: "{{ x }}", hubEndpoint: http://hub}
engine: {gpuMemoryUtilization: 0.8, maxNumSeqs: 64, dtype: bfloat16, quantization: fp8, kvCacheDtype: fp8, enforceEager: true, maxLoraRank: 16, extraArgs: [--seed, "7", --api-server-count=1]}
service: {type: LoadBalancer, loadBalancerSourceRanges: [10.0.0.0/8], annotations: {a.b/c: d}}
strategy: {type: RollingUpdate}
networkPolicy: {ingressFrom: [{ipBlock: {cidr: 10.0.0.0/8}}], egress: {restrict: true, rules: [{ports: [{port: 443}]}]}}
podDisruptionBudget: {enabled: true}
cache: {persistence: {enabled: true, storageClassName: fast}}
serviceAccount: {annotations: {iam/x: y}}
resources: {requests: {cpu: 8}, limits: {cpu: 8}}
extraEnv: [{name: EXTRA, value: 1}, {name: HOME, value: /elsewhere}, {name: VLLM_API_KEY, valueFrom: {secretKeyRef: {name: key, key: key}}}]
extraDownloadEnv: [{name: HTTPS_PROXY, value: http://proxy}]
extraVolumes: [{name: more, emptyDir: {}}]
extraVolumeMounts: [{name: more, mountPath: /more}]
nodeSelector: {pool: gpu}
tolerations: [{key: dedicated, operator: Exists}]
affinity: {nodeAffinity: {requiredDuringSchedulingIgnoredDuringExecution: {nodeSelectorTerms: [{matchExpressions: [{key: a, operator: Exists}]}]}}}
topologySpreadConstraints: [{maxSkew: 1, topologyKey: zone, whenUnsatisfiable: DoNotSchedule}]
priorityClassName: high
runtimeClassName: nvidia
podAnnotations: {note: "1"}
podLabels: {team: calls}
`,
	"rank-from-adapters": "adapters: [{name: tuned, repo: team/tuned-lora}]",
	"two-gpus":           "{gpu: {count: 2, accelerator: nvidia-h100-80gb}, replicas: 3, podDisruptionBudget: {enabled: true, minAvailable: 1}}",
	"custom":             "{platform: custom, gpu: {resourceName: nvidia.com/gpu.shared}, cache: {persistence: {enabled: true, existingClaim: mine}}}",
	"mig":                "{platform: custom, gpu: {resourceName: nvidia.com/mig-1g.10gb}}",
	"no-download":        "{model: {download: false}, serviceAccount: {create: false, name: mine}}",
	"bucket":             "{model: {id: 'gs://bucket/model', servedName: ours, revision: ''}, networkPolicy: {allowSameNamespace: false}}",
	"time-sharing":       "{gpu: {sharing: {strategy: time-sharing, clients: 2}}, model: {weightsGiB: 6}, engine: {maxNumBatchedTokens: 1024}}",
	"mps":                "{platform: gke-standard, gpu: {sharing: {strategy: mps, clients: 2}}, model: {weightsGiB: 6}}",
	"mig-gke":            "{gpu: {accelerator: nvidia-tesla-a100, sharing: {strategy: mig, partition: 3g.20gb}}}",
	"mig-nvidia":         "{platform: nvidia, gpu: {accelerator: nvidia-tesla-a100, sharing: {strategy: mig, partition: 3g.20gb}}}",
	"eks":                "{platform: eks}",
	"two-nodes":          "{platform: gke-standard, gpu: {nodes: 2, count: 4}}",
	"node-port":          "{service: {type: NodePort}, networkPolicy: {enabled: false}, hfToken: {secretName: ''}}",
}

// old is a cluster before Kubernetes 1.30, for which one field is another.
const old = "v1.29.0"

func rendered(t *testing.T, values, kubeVersion string) render.Result {
	t.Helper()
	chart, err := fs.Sub(charts.FS, charts.Name)
	if err != nil {
		t.Fatal(err)
	}
	given, err := render.MergeFiles([]render.ValuesFile{{Name: "values", Data: []byte(values)}})
	if err != nil {
		t.Fatal(err)
	}
	result, err := render.Render(t.Context(), chart, render.Options{Release: "summarizer", Namespace: "ml", Values: given, KubeVersion: kubeVersion})
	if err != nil {
		t.Fatal(err)
	}
	return result
}

// results are all variants rendered, by name.
func results(t *testing.T) map[string]render.Result {
	t.Helper()
	all := map[string]render.Result{"old": rendered(t, "", old)}
	for name, values := range variants {
		all[name] = rendered(t, values, "")
	}
	files, err := filepath.Glob(filepath.Join("..", "..", "charts", charts.Name, "ci", "*.yaml"))
	if err != nil || len(files) == 0 {
		t.Fatalf("the chart has no ci values: %v", err)
	}
	for _, file := range files {
		data, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		all[filepath.Base(file)] = rendered(t, string(data), "")
	}
	return all
}

// TestCommentsChangeNothing: what is explained is what is applied, line by line.
func TestCommentsChangeNothing(t *testing.T) {
	comment := regexp.MustCompile(`^ *# \S`)
	for name, result := range results(t) {
		for _, d := range append(result.Documents, result.HookDocuments...) {
			explained, err := Manifest(d.Body, result.Values)
			if err != nil {
				t.Fatal(err)
			}
			left := strings.Split(d.Body, "\n")
			added := 0
			for _, line := range strings.Split(explained, "\n") {
				switch {
				case len(left) > 0 && line == left[0]:
					left = left[1:]
				case comment.MatchString(line):
					added++
				default:
					t.Fatalf("%s: %s: the line %q is neither the manifest's nor a comment", name, d.Template, line)
				}
			}
			if len(left) > 0 || added == 0 {
				t.Errorf("%s: %s: %d lines are left over, %d comments", name, d.Template, len(left), added)
			}
			if diff := cmp.Diff(parsed(t, d.Body), parsed(t, explained)); diff != "" {
				t.Errorf("%s: %s: %s", name, d.Template, diff)
			}
		}
	}
}

func parsed(t *testing.T, document string) (object map[string]any) {
	t.Helper()
	if err := yaml.UnmarshalStrict([]byte(document), &object); err != nil {
		t.Fatal(err)
	}
	return object
}

// TestEveryFieldIsExplained, in every variant, and every explanation is needed.
func TestEveryFieldIsExplained(t *testing.T) {
	known := newTable()
	used := map[string]bool{}
	for name, result := range results(t) {
		for _, d := range append(result.Documents, result.HookDocuments...) {
			fields, err := read(d.Body, result.Values)
			if err != nil {
				t.Fatal(err)
			}
			for _, f := range fields {
				e, text, found := known.explain(f)
				if !found && !f.group {
					t.Errorf("%s: %s: nothing explains %s: %s", name, d.Kind, f, f.value)
				}
				if text != "" {
					used[e.id()] = true
				}
				if text != strings.TrimSpace(text) || strings.Contains(text, "<nil>") {
					t.Errorf("%s: %s: %q", name, f, text)
				}
			}
		}
	}
	for _, r := range known {
		if !used[r.id()] {
			t.Errorf("%s: nothing is explained by %s", r.kind, r.path)
		}
	}
}

// id tells entries apart: those of pods stand below several paths.
func (e entry) id() string {
	return fmt.Sprintf("%s: %s %d", e.path, e.text, reflect.ValueOf(e.derive).Pointer())
}

// TestWhy: the reason follows the values that the manifest was rendered with.
func TestWhy(t *testing.T) {
	for _, test := range []struct{ values, line, want string }{
		{"", "replicas: 1", "each with a GPU of its own (gpu.count)"},
		{"gpu: {count: 4}", "replicas: 1", "each with 4 GPUs of its own (gpu.count)"},
		{"", "progressDeadlineSeconds: 2180", "grow with model.weightsGiB"},
		{"progressDeadlineSeconds: 5000", "progressDeadlineSeconds: 5000", "failed (progressDeadlineSeconds)"},
		{"", "image: \"vllm/vllm-openai:v0.32.0\"", "By tag"},
		{"", "cloud.google.com/gke-accelerator: nvidia-l4", "Autopilot makes one"},
		{"platform: gke-standard", "cloud.google.com/gke-accelerator: nvidia-l4", "the label of a node pool"},
		{"nodeSelector: {cloud.google.com/gke-accelerator: nvidia-a100-80gb}", "cloud.google.com/gke-accelerator: nvidia-a100-80gb", "From nodeSelector."},
		{"resources: {requests: {memory: 64Gi}}", "memory: 64Gi", "From resources.requests."},
		{"engine: {extraArgs: [--block-size=32]}", "- --block-size=32", "From engine.extraArgs"},
		{"model: {servedName: calls}", "- --served-model-name=calls", "(model.servedName)"},
		{"extraEnv: [{name: HOME, value: /x}]", "- name: HOME", "From extraEnv."},
		{"model: {download: false}", "- mistralai/Mistral-7B-Instruct-v0.3", "vLLM fetches or reads itself"},
		{"podLabels: {team: calls}", "team: calls", "From podLabels."},
		{variants["mps"], "hostIPC: true", "MPS server"},
		{variants["mps"], `nvidia.com/gpu: "1"`, "Kubernetes allows no other request"},
		{variants["mps"], "podAntiAffinity:", "a second one would add nothing"},
		{variants["mig-nvidia"], `nvidia.com/mig-3g.20gb: "1"`, "One part of a GPU"},
		{variants["two-nodes"], "nodeAffinity:", "No node whose GPUs are shared"},
	} {
		result := rendered(t, test.values, "")
		text := ""
		for _, d := range result.Documents {
			explained, err := Manifest(d.Body, result.Values)
			if err != nil {
				t.Fatal(err)
			}
			text += explained
		}
		if !slices.ContainsFunc(comments(text, test.line), func(c string) bool { return strings.Contains(c, test.want) }) {
			t.Errorf("%s: %s: got %q, want %q", test.values, test.line, comments(text, test.line), test.want)
		}
	}
}

// comments are those above each line, in words without breaks.
func comments(text, line string) (all []string) {
	above := ""
	for l := range strings.Lines(text) {
		l = strings.TrimSpace(l)
		if comment, ok := strings.CutPrefix(l, "# "); ok {
			above += " " + comment
			continue
		}
		if l == line {
			all = append(all, above)
		}
		above = ""
	}
	return all
}
