package doctor

import (
	"slices"
	"strconv"
	"strings"

	corev1 "k8s.io/api/core/v1"
)

// Labels of nodes: GKE's, and those of NVIDIA's feature discovery.
const (
	gkeAccelerator = "cloud.google.com/gke-accelerator"
	gkeDriver      = "cloud.google.com/gke-gpu-driver-version"
	gkeStrategy    = "cloud.google.com/gke-gpu-sharing-strategy"
	gkeClients     = "cloud.google.com/gke-max-shared-clients-per-gpu"
	gkePartition   = "cloud.google.com/gke-gpu-partition-size"
	gkePool        = "cloud.google.com/gke-nodepool"

	gfdPresent  = "nvidia.com/gpu.present"
	gfdProduct  = "nvidia.com/gpu.product"
	gfdStrategy = "nvidia.com/gpu.sharing-strategy"
	gfdReplicas = "nvidia.com/gpu.replicas"
	gfdDriver   = "nvidia.com/cuda.driver-version.major"
	// gfdDriverOld is its name before 0.15.
	gfdDriverOld = "nvidia.com/cuda.driver.major"
)

// gpuPrefix begins the names of what NVIDIA's device plugins offer: gpu, gpu.shared, mig-1g.10gb.
const gpuPrefix = "nvidia.com/"

// gpusIn counts the GPUs, or shares of them, in a list of resources.
func gpusIn(list corev1.ResourceList) int64 {
	var sum int64
	for name, quantity := range list {
		if strings.HasPrefix(string(name), gpuPrefix) {
			sum += quantity.Value()
		}
	}
	return sum
}

// isGPUNode says whether a node has GPUs, or is labelled as if it had.
func isGPUNode(n *corev1.Node) bool {
	return gpusIn(n.Status.Capacity) > 0 || gpusIn(n.Status.Allocatable) > 0 ||
		n.Labels[gkeAccelerator] != "" || n.Labels[gfdProduct] != "" || n.Labels[gfdPresent] == "true"
}

func gpuNodesOf(nodes []corev1.Node) []*corev1.Node {
	var found []*corev1.Node
	for i := range nodes {
		if isGPUNode(&nodes[i]) {
			found = append(found, &nodes[i])
		}
	}
	return found
}

// acceleratorOf is the GPU's name: GKE's, or NVIDIA's in the form of GKE's.
func acceleratorOf(n *corev1.Node) string {
	if name := n.Labels[gkeAccelerator]; name != "" {
		return name
	}
	return strings.TrimSuffix(strings.ToLower(n.Labels[gfdProduct]), "-shared")
}

// accelerators are the names of all GPUs, each once.
func accelerators(nodes []*corev1.Node) []string {
	var found []string
	for _, n := range nodes {
		if name := acceleratorOf(n); name != "" && !slices.Contains(found, name) {
			found = append(found, name)
		}
	}
	slices.Sort(found)
	return found
}

// isReady says whether the scheduler puts pods on a node.
func isReady(n *corev1.Node) bool {
	return !n.Spec.Unschedulable && slices.ContainsFunc(n.Status.Conditions, func(c corev1.NodeCondition) bool {
		return c.Type == corev1.NodeReady && c.Status == corev1.ConditionTrue
	})
}

func onGKE(nodes []corev1.Node) bool {
	return slices.ContainsFunc(nodes, func(n corev1.Node) bool {
		return n.Labels[gkePool] != "" || strings.HasPrefix(n.Spec.ProviderID, "gce://") || strings.HasPrefix(n.Name, autopilotPrefix)
	})
}

func onEKS(nodes []corev1.Node) bool {
	return slices.ContainsFunc(nodes, func(n corev1.Node) bool { return strings.HasPrefix(n.Spec.ProviderID, "aws://") })
}

// newNodes is how GPU nodes are added where this cluster runs.
func (s *Subject) newNodes(nodes []corev1.Node) string {
	switch {
	case onGKE(nodes):
		machine := "MACHINE_TYPE"
		if s.Accelerator == "nvidia-l4" {
			machine = "g2-standard-8"
		}
		return "gcloud container node-pools create gpu --cluster CLUSTER --location LOCATION --machine-type " + machine +
			" --accelerator type=" + s.Accelerator + ",count=1,gpu-driver-version=latest --enable-autoscaling --num-nodes 0 --min-nodes 0 --max-nodes 1"
	case onEKS(nodes):
		machine := "INSTANCE_TYPE"
		if s.Accelerator == "nvidia-l4" {
			machine = "g6.xlarge"
		}
		return "eksctl create nodegroup --cluster CLUSTER --name gpu --node-type " + machine + " --nodes 1"
	}
	return "add a node with an NVIDIA GPU, and what makes it known to the cluster:\n" + operator
}

// operator installs driver, device plugin and feature discovery.
const operator = "helm install gpu-operator gpu-operator --repo https://helm.ngc.nvidia.com/nvidia -n gpu-operator --create-namespace"

func nodeNames(nodes []*corev1.Node) []string {
	var found []string
	for _, n := range nodes {
		found = append(found, n.Name)
	}
	return found
}

// count writes a number and a noun: "1 node", "2 nodes".
func count(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return strconv.Itoa(n) + " " + noun + "s"
}
