package prepare

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"sync"
)

// The platforms, by the chart's names for them.
const (
	Autopilot = "gke-autopilot"
	Standard  = "gke-standard"
	NVIDIA    = "nvidia"
	EKS       = "eks"
	Custom    = "custom"
)

// The ways to share a GPU, by the chart's names for them.
const (
	None        = "none"
	TimeSharing = "time-sharing"
	MPS         = "mps"
	MIG         = "mig"
)

// The ways to pay for nodes.
const (
	OnDemand  = "on-demand"
	Spot      = "spot"
	FlexStart = "flex-start"
)

// Request says what nodes are for.
type Request struct {
	Platform string
	// Accelerator is GKE's name of the GPU, such as nvidia-l4.
	Accelerator string
	// GPUs of one node; one when 0. Where GPUs are shared and there is no such machine, the smallest that there is.
	GPUs int
	// Sharing is none when empty; Clients share a GPU by time-sharing or MPS, and Partition is MIG's name of a part.
	Sharing   string
	Clients   int
	Partition string
	// Capacity is on-demand when empty.
	Capacity string
	// Nodes are the most there may be; four when 0.
	Nodes int
	// Project, Location and Cluster say where. What is empty becomes a variable of the shell that must be set.
	Project, Location, Cluster string
	// Release and Namespace are what is installed then.
	Release, Namespace string
	// Flags are what the installation is told beside what follows from its nodes, such as "--model ORG/NAME".
	Flags []string
}

// Step is one thing to do: a title, and the text to paste.
type Step struct{ Title, Text string }

// RefusedError says what cannot be, and what can.
type RefusedError struct {
	Why string
	// Next is what to ask for instead, "" when there is nothing to offer.
	Next string
}

// Error says why.
func (e *RefusedError) Error() string { return e.Why }

func refuse(next, format string, args ...any) error {
	return &RefusedError{Why: fmt.Sprintf(format, args...), Next: next}
}

// Steps writes the steps in their order. Its error is a *RefusedError.
func Steps(r Request) ([]Step, error) {
	r = r.complete()
	if err := r.check(); err != nil {
		return nil, err
	}
	switch r.Platform {
	case Autopilot:
		return r.autopilot(), nil
	case Standard:
		return r.standard(), nil
	case EKS:
		return r.eks(), nil
	case NVIDIA:
		return r.nvidia(), nil
	default:
		return r.custom(), nil
	}
}

func (r Request) complete() Request {
	set := func(at *string, value string) {
		if *at == "" {
			*at = value
		}
	}
	set(&r.Sharing, None)
	set(&r.Capacity, OnDemand)
	r.GPUs = max(1, r.GPUs)
	if types := r.types(); r.Sharing != None && len(types) > 0 && len(types[r.GPUs]) == 0 {
		r.GPUs = fewest(types) // a tenant takes one share of one GPU, however many its node has
	}
	if r.Nodes == 0 {
		r.Nodes = 4
	}
	return r
}

// name is what clouds, clusters and Kubernetes allow in names; nothing in it means anything to a shell.
var name = sync.OnceValue(func() *regexp.Regexp {
	return regexp.MustCompile(`^[A-Za-z0-9]([A-Za-z0-9._:-]*[A-Za-z0-9])?$`)
})

// word is a name that is known, or a variable that stops the shell while it is not set.
func word(value, variable string) string {
	if value == "" {
		return "${" + variable + ":?}"
	}
	return value
}

func (r Request) project() string   { return word(r.Project, "PROJECT") }
func (r Request) location() string  { return word(r.Location, "LOCATION") }
func (r Request) cluster() string   { return word(r.Cluster, "CLUSTER") }
func (r Request) release() string   { return word(r.Release, "RELEASE") }
func (r Request) namespace() string { return word(r.Namespace, "NAMESPACE") }

// gke is the end of a gcloud command: which cluster.
func (r Request) gke() string {
	return fmt.Sprintf("--project=%s --location=%s", r.project(), r.location())
}

// variables lists what has to be set first, nil when all is known.
func (r Request) variables() []Step {
	var lines []string
	add := func(value, variable, example string) {
		if value == "" {
			lines = append(lines, fmt.Sprintf("export %s=   # such as %s", variable, example))
		}
	}
	switch r.Platform {
	case Autopilot, Standard:
		add(r.Project, "PROJECT", "my-project")
		add(r.Location, "LOCATION", "us-central1")
		add(r.Cluster, "CLUSTER", "summarizer")
	case EKS:
		add(r.Location, "LOCATION", "us-east-1")
		add(r.Cluster, "CLUSTER", "summarizer")
	}
	add(r.Release, "RELEASE", "summarizer")
	add(r.Namespace, "NAMESPACE", "ml")
	if lines == nil {
		return nil
	}
	return []Step{{"Say where", text(append(lines, "# A command below stops while one of these is empty.")...)}}
}

// install is the last step: the release on these nodes. More are further arguments.
func (r Request) install(more ...string) Step {
	args := []string{"kubectl summarizer install " + r.release(), "-n " + r.namespace(), "--platform " + r.Platform}
	if r.Platform != Custom { // with a ComputeClass too, which sets the nodes: the fit is judged on this GPU
		args = append(args, "--accelerator "+r.Accelerator)
	}
	if r.Sharing == None {
		args = append(args, fmt.Sprintf("--gpus %d", r.GPUs))
	} else {
		args = append(args, "--sharing "+r.Sharing)
	}
	if r.Sharing == TimeSharing || r.Sharing == MPS {
		args = append(args, fmt.Sprintf("--clients %d", r.Clients))
	}
	if r.Sharing == MIG {
		args = append(args, "--partition "+r.Partition)
	}
	return Step{"Install", text(
		"kubectl create namespace "+r.namespace()+" --dry-run=client -o yaml | kubectl apply -f -",
		"# The token of a gated model goes into a Secret, never into arguments or values:",
		"#   printenv HF_TOKEN | tr -d '\\n' | kubectl create secret generic hf-secret -n "+r.namespace()+" --from-file=hf_api_token=/dev/stdin",
		command(slices.Concat(args, r.Flags, more)...))}
}

// command breaks a long command over lines.
func command(parts ...string) string { return strings.Join(parts, " \\\n  ") }

func text(lines ...string) string { return strings.Join(lines, "\n") + "\n" }

// manifest is YAML for kubectl apply. The shell replaces variables in it, as nothing else in it has a dollar sign.
func manifest(yaml string) string { return "kubectl apply -f - <<EOF\n" + yaml + "EOF" }
