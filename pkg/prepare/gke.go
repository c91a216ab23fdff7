package prepare

import (
	"fmt"
	"regexp"
	"strings"
	"sync"
)

// zone is what a zone's name has after its region's.
var zone = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`-[a-z]$`) })

// quota shows what the project may use.
func (r Request) quota() Step {
	where := "# Look at " + r.machine().quota
	if r.machine().quota == "" {
		where = "# This table may not have the " + r.gpu().Name + ": then look in the console, where more is asked for too, under IAM, Quotas."
	} else {
		if r.Capacity != OnDemand {
			where = "# Look at PREEMPTIBLE_" + r.machine().quota + ", which counts for Spot and flex-start"
		}
		where += ". More is asked for in the console, under IAM, Quotas."
	}
	region := r.location()
	if r.Location == "" {
		region = "${LOCATION%-[a-z]}"
	} else {
		region = zone().ReplaceAllString(region, "")
	}
	return Step{"See that the project may use the GPUs", text(
		where,
		command("gcloud compute regions describe "+region+" --project="+r.project(),
			"--flatten=quotas --format='table(quotas.metric,quotas.usage,quotas.limit)' | grep -e METRIC -e NVIDIA"))}
}

func (r Request) credentials() Step {
	return Step{"Point kubectl at it", text("gcloud container clusters get-credentials " + r.cluster() + " " + r.gke())}
}

// autopilot makes no nodes: Autopilot does, from what pods ask for.
func (r Request) autopilot() []Step {
	steps := append(r.variables(), r.quota(),
		Step{"Make the cluster, unless there is one", text(
			"# Autopilot makes and removes nodes by itself, and bills GPUs while a pod that asks for them exists.",
			"gcloud container clusters create-auto "+r.cluster()+" "+r.gke())},
		r.credentials())
	if r.Capacity == FlexStart { // which only a ComputeClass asks for
		return append(steps, r.computeClass("Ask for flex-start, with a ComputeClass")...)
	}
	steps = append(steps, Step{"Nodes", text(r.selectors()...)}, r.install(r.spotSelector()...))
	if r.Capacity == OnDemand {
		return steps
	}
	return append(steps, r.computeClass("Or Spot where it can be had and on-demand where not, with a ComputeClass")...)
}

func (r Request) spotSelector() []string {
	if r.Capacity != Spot {
		return nil
	}
	return []string{`--set-string 'nodeSelector.cloud\.google\.com/gke-spot=true'`}
}

// selectors are the labels that Autopilot makes nodes from.
func (r Request) selectors() []string {
	notes := append(r.spotNote(), r.sizeNote()...)
	lines := []string{
		"# Nothing to type: Autopilot reads these selectors of the pods, which the chart sets, and makes a node for them:",
		"#   cloud.google.com/gke-accelerator: " + r.Accelerator,
		"#   cloud.google.com/gke-gpu-driver-version: latest",
	}
	switch r.Sharing {
	case TimeSharing:
		lines = append(lines, "#   cloud.google.com/gke-gpu-sharing-strategy: time-sharing",
			fmt.Sprintf("#   cloud.google.com/gke-max-shared-clients-per-gpu: %q", fmt.Sprint(r.Clients)))
		notes = append(notes, "# Sharing needs GKE 1.29.3-gke.1093000 or newer. Nothing keeps a tenant from taking all of the GPU's memory: the chart gives each its share.")
	case MIG:
		lines = append(lines, "#   cloud.google.com/gke-gpu-partition-size: "+r.Partition)
		notes = append(notes, "# Partitions need GKE 1.29.3-gke.1093000 or newer.")
	}
	if r.Capacity == Spot {
		lines = append(lines, `#   cloud.google.com/gke-spot: "true"`)
		notes = append(notes, "# A Spot node can be taken away at any time, with about 25 s for its pods to end.")
	}
	return append(append(lines, notes...), "# What came of it: kubectl get nodes -L cloud.google.com/gke-accelerator")
}

// computeClass is the other way to say which nodes: in the order of what is cheap.
func (r Request) computeClass(title string) []Step {
	notes := []string{
		"# Pods that name this class get the first of its priorities that can be had. The chart then sets no selectors for",
		"# GPU and driver, which the class chooses; GKE refuses pods in which both do.",
	}
	if r.Sharing != None {
		notes = append(notes, "# gpuSharing needs GKE 1.35.2-gke.1485000 or newer; kubectl version shows yours.")
	}
	if r.Capacity == FlexStart {
		notes = append(notes, "# Flex-start waits until the GPUs are there, costs less, and takes them back after 7 days at most:",
			"# nodeRecycling starts the next node before that.")
	}
	install := r.install(`--set 'nodeSelector.cloud\.google\.com/compute-class=` + r.pool() + `'`)
	install.Title += " with the class"
	return []Step{{title, text(append(notes, manifest(r.class()))...)}, install}
}

func (r Request) class() string {
	var b strings.Builder
	b.WriteString("apiVersion: cloud.google.com/v1\nkind: ComputeClass\nmetadata:\n  name: " + r.pool() + "\nspec:\n")
	b.WriteString("  nodePoolAutoCreation: {enabled: true}\n  whenUnsatisfiable: DoNotScaleUp\n")
	if r.Capacity != OnDemand {
		b.WriteString("  # true would move pods to the first priority once it can be had, which restarts them.\n  activeMigration: {optimizeRulePriority: false}\n")
	}
	b.WriteString("  priorities:\n")
	gpu := fmt.Sprintf("      gpu:\n        type: %s\n        count: %d\n        driverVersion: latest\n", r.Accelerator, r.GPUs)
	switch r.Sharing {
	case TimeSharing, MPS:
		gpu += fmt.Sprintf("        gpuSharing:\n          sharingStrategy: %s\n          maxSharedClientsPerGPU: %d\n",
			strings.ToUpper(strings.ReplaceAll(r.Sharing, "-", "_")), r.Clients)
	case MIG:
		gpu += "        gpuSharing:\n          gpuPartitionSize: " + r.Partition + "\n"
	}
	machine := "    - machineType: " + r.large(r.machine().gke[r.GPUs])[0] + "\n"
	switch r.Capacity {
	case Spot:
		b.WriteString(machine + "      spot: true\n" + gpu)
	case FlexStart:
		b.WriteString(machine + "      flexStart:\n        enabled: true\n        nodeRecycling: {leadTimeSeconds: 1200}\n      maxRunDurationSeconds: 604800\n" + gpu)
	}
	b.WriteString(machine + "      spot: false\n" + gpu)
	return b.String()
}

// standard makes a node pool.
func (r Request) standard() []Step {
	accelerator := fmt.Sprintf("type=%s,count=%d,gpu-driver-version=latest", r.Accelerator, r.GPUs)
	notes := append(r.spotNote(), r.sizeNote()...)
	switch r.Sharing {
	case TimeSharing:
		accelerator += fmt.Sprintf(",gpu-sharing-strategy=time-sharing,max-shared-clients-per-gpu=%d", r.Clients)
		notes = append(notes, "# Tenants run by turns. Nothing keeps one from taking all of the GPU's memory: the chart gives each its share.")
	case MPS:
		accelerator += fmt.Sprintf(",gpu-sharing-strategy=mps,max-shared-clients-per-gpu=%d", r.Clients)
		notes = append(notes, "# Tenants run at once, each within its part of the memory. Their pods need hostIPC, and vLLM under MPS is reported to fail",
			"# on some set-ups: try it before you rely on it. Needs GKE 1.27.7-gke.1088000 or newer.")
	case MIG:
		accelerator += ",gpu-partition-size=" + r.Partition
		notes = append(notes, "# Every GPU of the pool is cut into parts of "+r.Partition+", each with memory of its own.")
	}
	if r.Sharing != None {
		notes = append(notes, "# How a pool shares its GPUs cannot be changed later: make another pool.")
	}
	notes = append(notes, "# The driver is R580 or newer with gpu-driver-version=latest, which vLLM needs. The pool is empty until a pod asks for it.")
	args := []string{"gcloud container node-pools create " + r.pool() + " --cluster=" + r.cluster(), r.gke(),
		"--machine-type=" + r.large(r.machine().gke[r.GPUs])[0], "--accelerator=" + accelerator,
		fmt.Sprintf("--num-nodes=0 --enable-autoscaling --total-min-nodes=0 --total-max-nodes=%d --location-policy=ANY", r.Nodes)}
	switch r.Capacity {
	case Spot:
		args = append(args, "--spot")
		notes = append(notes, "# A Spot node can be taken away at any time, with about 25 s for its pods to end.")
	case FlexStart:
		args = append(args, "--flex-start --reservation-affinity=none --no-enable-autorepair")
		notes = append(notes, "# Flex-start waits until the GPUs are there, costs less, and takes them back after 7 days at most.")
	}
	return append(r.variables(), r.quota(),
		Step{"Make the cluster, unless there is one", text(
			"# Its first node pool, without GPUs, is for what is not a model server. In a region --num-nodes is for each of its zones.",
			"gcloud container clusters create "+r.cluster()+" "+r.gke()+" --machine-type=e2-standard-4 --num-nodes=1")},
		r.credentials(),
		Step{"Make a node pool", text(append(notes, command(args...))...)},
		Step{"See it", text("gcloud container node-pools describe " + r.pool() + " --cluster=" + r.cluster() + " " + r.gke() + " --format='yaml(config.accelerators,autoscaling,status)'")},
		r.install())
}
