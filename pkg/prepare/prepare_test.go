package prepare_test

import (
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"sigs.k8s.io/yaml"

	"github.com/kubectl-summarizer/kubectl-summarizer/pkg/prepare"
)

var update = flag.Bool("update", false, "write the steps to testdata instead of comparing")

// known says where, so that no variable is left.
func known(r prepare.Request) prepare.Request {
	r.Project, r.Location, r.Cluster, r.Release, r.Namespace = "my-project", "us-central1", "vllm", "summarizer", "ml"
	switch r.Platform {
	case "gke-standard":
		r.Location = "us-central1-a"
	case "eks":
		r.Location = "us-east-1"
	}
	return r
}

var golden = map[string]prepare.Request{
	"autopilot":              known(prepare.Request{Platform: "gke-autopilot", Accelerator: "nvidia-l4"}),
	"autopilot-unknown":      {Platform: "gke-autopilot", Accelerator: "nvidia-l4", GPUs: 2, Capacity: "spot"},
	"autopilot-time-sharing": known(prepare.Request{Platform: "gke-autopilot", Accelerator: "nvidia-l4", Sharing: "time-sharing", Clients: 2, Capacity: "spot"}),
	"autopilot-mig":          known(prepare.Request{Platform: "gke-autopilot", Accelerator: "nvidia-a100-80gb", Sharing: "mig", Partition: "1g.10gb"}),
	"autopilot-flex-start":   known(prepare.Request{Platform: "gke-autopilot", Accelerator: "nvidia-h100-80gb", GPUs: 8, Capacity: "flex-start"}),
	"standard":               known(prepare.Request{Platform: "gke-standard", Accelerator: "nvidia-l4", GPUs: 4, Nodes: 2}),
	"standard-unknown":       {Platform: "gke-standard", Accelerator: "nvidia-tesla-t4", Capacity: "spot"},
	"standard-time-sharing":  known(prepare.Request{Platform: "gke-standard", Accelerator: "nvidia-l4", Sharing: "time-sharing", Clients: 4}),
	"standard-mps":           known(prepare.Request{Platform: "gke-standard", Accelerator: "nvidia-l4", Sharing: "mps", Clients: 2}),
	"standard-mig":           known(prepare.Request{Platform: "gke-standard", Accelerator: "nvidia-tesla-a100", Sharing: "mig", Partition: "3g.20gb", Capacity: "spot"}),
	"standard-h100":          known(prepare.Request{Platform: "gke-standard", Accelerator: "nvidia-h100-80gb"}),
	"standard-flex-start":    known(prepare.Request{Platform: "gke-standard", Accelerator: "nvidia-rtx-pro-6000", GPUs: 2, Capacity: "flex-start"}),
	"nvidia":                 known(prepare.Request{Platform: "nvidia", Accelerator: "nvidia-l4"}),
	"nvidia-time-sharing":    known(prepare.Request{Platform: "nvidia", Accelerator: "nvidia-l4", Sharing: "time-sharing", Clients: 2}),
	"nvidia-mps":             {Platform: "nvidia", Accelerator: "nvidia-l40s", Sharing: "mps", Clients: 3},
	"nvidia-mig":             known(prepare.Request{Platform: "nvidia", Accelerator: "nvidia-h100-80gb", Sharing: "mig", Partition: "1g.10gb"}),
	"eks":                    known(prepare.Request{Platform: "eks", Accelerator: "nvidia-l4"}),
	"eks-spot":               {Platform: "eks", Accelerator: "nvidia-l40s", GPUs: 4, Capacity: "spot"},
	"eks-time-sharing":       known(prepare.Request{Platform: "eks", Accelerator: "nvidia-l4", Sharing: "time-sharing", Clients: 2, Capacity: "spot"}),
	"eks-mps":                known(prepare.Request{Platform: "eks", Accelerator: "nvidia-a10g", Sharing: "mps", Clients: 2}),
	"eks-mig":                known(prepare.Request{Platform: "eks", Accelerator: "nvidia-tesla-a100", GPUs: 8, Sharing: "mig", Partition: "1g.5gb"}),
	"custom":                 {Platform: "custom"},
	"custom-mig":             known(prepare.Request{Platform: "custom", Sharing: "mig", Partition: "2g.20gb"}),
}

// script is what a user sees and may paste as a whole.
func script(t *testing.T, r prepare.Request) string {
	t.Helper()
	steps, err := prepare.Steps(r)
	if err != nil {
		t.Fatal(err)
	}
	var b strings.Builder
	for i, step := range steps {
		fmt.Fprintf(&b, "# %d. %s\n%s\n", i+1, step.Title, step.Text)
	}
	return b.String()
}

func TestGolden(t *testing.T) {
	for name, request := range golden {
		got := script(t, request)
		path := filepath.Join("testdata", name+".golden")
		if *update {
			if err := os.WriteFile(path, []byte(got), 0o600); err != nil {
				t.Fatal(err)
			}
			continue
		}
		want, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(string(want), got); diff != "" {
			t.Errorf("%s (- file, + now); look at it, then run: go test ./pkg/prepare -update\n%s", path, diff)
		}
	}
}

// all are requests for everything that any platform may be asked.
func all(yield func(prepare.Request) bool) {
	accelerators := []string{"nvidia-tesla-t4", "nvidia-l4", "nvidia-a10g", "nvidia-l40s", "nvidia-tesla-a100", "nvidia-a100-80gb", "nvidia-h100-80gb", "nvidia-h200-141gb", "nvidia-b200", "nvidia-rtx-pro-6000"}
	for _, platform := range []string{"gke-autopilot", "gke-standard", "nvidia", "eks", "custom"} {
		for _, accelerator := range accelerators {
			for _, gpus := range []int{1, 2, 4, 8, 16} {
				for _, sharing := range []prepare.Request{{}, {Sharing: "time-sharing", Clients: 2}, {Sharing: "mps", Clients: 48}, {Sharing: "mig", Partition: "1g.10gb"}, {Sharing: "mig", Partition: "1g.24gb"}} {
					for _, capacity := range []string{"on-demand", "spot", "flex-start"} {
						sharing.Platform, sharing.Accelerator, sharing.GPUs, sharing.Capacity = platform, accelerator, gpus, capacity
						if !yield(sharing) {
							return
						}
					}
				}
			}
		}
	}
}

// TestEverythingIsShell: whatever is not refused parses as shell, and no two machines' pools share a name.
func TestEverythingIsShell(t *testing.T) {
	var together strings.Builder
	written, refused := 0, 0
	for request := range all {
		steps, err := prepare.Steps(request)
		var no *prepare.RefusedError
		if errors.As(err, &no) {
			refused++
			continue
		}
		if err != nil {
			t.Fatalf("%+v: %v", request, err)
		}
		written++
		for i, step := range steps {
			fmt.Fprintf(&together, "step%d_%d() {\n:\n%s}\n", written, i, step.Text)
		}
	}
	if written < 200 || refused < 200 {
		t.Errorf("%d requests were answered and %d refused", written, refused)
	}
	cmd := exec.Command("bash", "-n")
	cmd.Stdin = strings.NewReader(together.String())
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Errorf("%v: %s", err, out)
	}
}

// stubs stand for the programs: each prints its arguments, and keeps what comes by standard input or a file.
const stubs = `set -eu
say() { printf '%s' "$1"; shift; printf ' %s' "$@"; echo; case " $* " in *" -f - "*) cat >"$(mktemp -p "$KEPT")" ;; esac; }
gcloud() { say gcloud "$@"; }
kubectl() { case "$*" in "create namespace"*) echo "kind: Namespace" ;; *) say kubectl "$@" ;; esac; }
grep() { cat; }
helm() { say helm "$@"; }
eksctl() { say eksctl "$@"; }
aws() { say aws "$@"; }
`

// run gives a script to bash, with stubs for the programs, and returns what they print and what they are given.
func run(t *testing.T, script string, env ...string) (out string, manifests []map[string]any, err error) {
	t.Helper()
	dir, kept := t.TempDir(), t.TempDir()
	cmd := exec.Command("bash", "-c", stubs+script)
	cmd.Dir = dir
	cmd.Env = append([]string{"PATH=" + os.Getenv("PATH"), "KEPT=" + kept}, env...)
	printed, err := cmd.CombinedOutput()
	for _, path := range slices.Concat(glob(t, kept), glob(t, dir)) {
		data, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		var manifest map[string]any
		if err := yaml.UnmarshalStrict(data, &manifest); err != nil {
			t.Errorf("%v:\n%s", err, data)
		}
		manifests = append(manifests, manifest)
	}
	return string(printed), manifests, err
}

func glob(t *testing.T, dir string) []string {
	t.Helper()
	found, err := filepath.Glob(filepath.Join(dir, "*"))
	if err != nil {
		t.Fatal(err)
	}
	return found
}

// TestTheScriptsRun as far as they can without a cloud: every program gets whole arguments, and YAML that is YAML.
func TestTheScriptsRun(t *testing.T) {
	where := []string{"PROJECT=p-1", "LOCATION=europe-west4", "CLUSTER=c-1", "RELEASE=r-1", "NAMESPACE=n-1"}
	for name, request := range golden {
		text := script(t, request)
		pasted := strings.ReplaceAll(text, "\nexport ", "\n: ") // the user has filled these in
		out, manifests, err := run(t, pasted, where...)
		if err != nil || strings.Contains(out, "${") || !strings.Contains(out, "kubectl summarizer install") {
			t.Errorf("%s: %v\n%s", name, err, out)
		}
		if want := strings.Count(text, "<<EOF"); len(manifests) < want {
			t.Errorf("%s: %d manifests of %d were given to a program", name, len(manifests), want)
		}
		for _, m := range manifests {
			for key, value := range nested(m, "data") {
				if err := yaml.UnmarshalStrict([]byte(fmt.Sprint(value)), &map[string]any{}); err != nil {
					t.Errorf("%s: %s in the ConfigMap: %v", name, key, err)
				}
			}
			if meta := nested(m, "metadata"); m["kind"] == "ClusterConfig" && request.Cluster == "" && (meta["name"] != "c-1" || meta["region"] != "europe-west4") {
				t.Errorf("%s: the cluster is %v", name, meta)
			}
		}
		// Pasted as it is, with nothing filled in, it stops before any program runs.
		if request.Cluster == "" && request.Platform != "nvidia" && request.Platform != "custom" {
			if out, _, err := run(t, text); err == nil || strings.Contains(out, "clusters create") || strings.Contains(out, "node-pools create") {
				t.Errorf("%s runs without PROJECT: %s", name, out)
			}
		}
	}
}

// TestASharedGPUMayHaveNeighbours: one share asks one GPU, and some machines have no fewer than eight.
func TestASharedGPUMayHaveNeighbours(t *testing.T) {
	for _, test := range []struct {
		request prepare.Request
		want    string
		eight   bool
	}{
		{prepare.Request{Platform: "eks", Accelerator: "nvidia-tesla-a100", GPUs: 1, Sharing: "mig", Partition: "3g.20gb"}, "instanceTypes: [p4d.24xlarge]", true},
		{prepare.Request{Platform: "gke-standard", Accelerator: "nvidia-h200-141gb", GPUs: 1, Sharing: "mig", Partition: "1g.18gb"}, "--machine-type=a3-ultragpu-8g --accelerator=type=nvidia-h200-141gb,count=8,", true},
		{prepare.Request{Platform: "gke-standard", Accelerator: "nvidia-l4", GPUs: 1, Sharing: "mps", Clients: 2}, ",count=1,", false},
	} {
		if got := strings.ReplaceAll(script(t, test.request), " \\\n  ", " "); !strings.Contains(got, test.want) || strings.Contains(got, "has 8 of them, and all are paid for") != test.eight {
			t.Errorf("%+v: want %q, and the price said: %t\n%s", test.request, test.want, test.eight, got)
		}
	}
}

// TestTheInstallationIsJudgedOnItsGPU, and not on the chart's own, by whatever the nodes are chosen.
func TestTheInstallationIsJudgedOnItsGPU(t *testing.T) {
	for name, request := range golden {
		if request.Platform == "custom" {
			continue
		}
		installs, with := 0, 0
		for _, step := range strings.Split(script(t, request), "\n\n") {
			if _, command, found := strings.Cut(step, "kubectl summarizer install"); found {
				installs++
				with += strings.Count(command, "--accelerator "+request.Accelerator)
			}
		}
		if installs == 0 || with != installs {
			t.Errorf("%s: %d of %d installations name the GPU", name, with, installs)
		}
	}
}

func nested(m map[string]any, key string) map[string]any {
	inner, _ := m[key].(map[string]any)
	return inner
}

func TestRefused(t *testing.T) {
	for _, test := range []struct {
		request   prepare.Request
		why, next string
	}{
		{prepare.Request{Platform: "gke", Accelerator: "nvidia-l4"}, `the platform "gke" is not known`, "gke-autopilot"},
		{prepare.Request{Platform: "gke-autopilot", Accelerator: "nvidia-l5"}, `"nvidia-l5"`, "nvidia-l4"},
		{prepare.Request{Platform: "gke-autopilot", Accelerator: "nvidia-l4", Sharing: "mps", Clients: 2}, "GKE Autopilot has no MPS", "time-sharing"},
		{prepare.Request{Platform: "gke-standard", Accelerator: "nvidia-l4", Sharing: "mig", Partition: "1g.10gb"}, "the L4 has no MIG", "time-sharing"},
		{prepare.Request{Platform: "nvidia", Accelerator: "nvidia-tesla-t4", Sharing: "mig", Partition: "1g.10gb"}, "the T4 has no MIG", "time-sharing"},
		{prepare.Request{Platform: "nvidia", Accelerator: "nvidia-h100-80gb", Sharing: "mig", Partition: "1g.5gb"}, `no MIG partition "1g.5gb"`, "1g.10gb"},
		{prepare.Request{Platform: "nvidia", Accelerator: "nvidia-l4", Sharing: "time-sharing", Clients: 1}, "2 to 48", "2 to 48"},
		{prepare.Request{Platform: "gke-standard", Accelerator: "nvidia-l4", Sharing: "mps", Clients: 49}, "2 to 48", "2 to 48"},
		{prepare.Request{Platform: "gke-standard", Accelerator: "nvidia-l4", Clients: 2}, "share no GPU by none", "time-sharing"},
		{prepare.Request{Platform: "gke-standard", Accelerator: "nvidia-a100-80gb", Partition: "1g.10gb"}, "is for MIG", "mig"},
		{prepare.Request{Platform: "gke-standard", Accelerator: "nvidia-l4", GPUs: 3}, "no machine with 3 L4", "1, 2, 4 or 8"},
		{prepare.Request{Platform: "gke-autopilot", Accelerator: "nvidia-l40s"}, "Google Cloud has no machines with the L40S", "eks"},
		{prepare.Request{Platform: "eks", Accelerator: "nvidia-tesla-a100"}, "there are some with 8", "8 GPUs"},
		{prepare.Request{Platform: "eks", Accelerator: "nvidia-l4", Capacity: "flex-start"}, "Google Cloud alone", "spot"},
		{prepare.Request{Platform: "nvidia", Accelerator: "nvidia-l4", Capacity: "spot"}, "the nodes are there already", "on-demand"},
		{prepare.Request{Platform: "gke-standard", Accelerator: "nvidia-l4", Project: "x; rm -rf /"}, "is no name", "letters"},
		{prepare.Request{Platform: "gke-standard", Accelerator: "nvidia-l4", Cluster: "$(date)"}, "is no name", "letters"},
		{prepare.Request{Platform: "custom", Sharing: "mig", Partition: "`date`"}, "is no profile", "1g.10gb"},
		{prepare.Request{Platform: "gke-autopilot", Accelerator: "nvidia-l4", Location: "us-central1-a"}, "is a zone", "location us-central1"},
		{prepare.Request{Platform: "eks", Accelerator: "nvidia-l4", Nodes: -1}, "-1 nodes", "1 or more"},
	} {
		steps, err := prepare.Steps(test.request)
		var refused *prepare.RefusedError
		if !errors.As(err, &refused) || !strings.Contains(refused.Why, test.why) || !strings.Contains(refused.Next, test.next) || steps != nil {
			t.Errorf("%+v: %v, want %q and %q", test.request, err, test.why, test.next)
		}
	}
}

func TestFromContext(t *testing.T) {
	type where struct {
		project, location, cluster string
		ok                         bool
	}
	for name, want := range map[string]where{
		"gke_my-project_us-central1_vllm":                         {"my-project", "us-central1", "vllm", true},
		"gke_example.com:team_europe-west4-a_c-1":                 {"example.com:team", "europe-west4-a", "c-1", true},
		"arn:aws:eks:us-east-1:123456789012:cluster/serving_1":    {"123456789012", "us-east-1", "serving_1", true},
		"arn:aws-us-gov:eks:us-gov-west-1:123456789012:cluster/a": {"123456789012", "us-gov-west-1", "a", true},
		"ada@example.com@serving.eu-west-1.eksctl.io":             {},
		"ada@serving.eu-west-1.eksctl.io":                         {"", "eu-west-1", "serving", true},
		"gke_my-project_us-central1":                              {},
		"gke_p_l_c_d":                                             {},
		"gke_p_$(date)_c":                                         {},
		"arn:aws:eks:us-east-1:12:cluster/x":                      {},
		"kind-kind":                                               {},
		"":                                                        {},
	} {
		var got where
		got.project, got.location, got.cluster, got.ok = prepare.FromContext(name)
		if got != want {
			t.Errorf("%q: %+v, want %+v", name, got, want)
		}
	}
}
