package cluster

import (
	"context"
	"fmt"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/component-helpers/scheduling/corev1/nodeaffinity"

	"github.com/kubectl-summarizer/kubectl-summarizer/internal/failure"
)

// nodes checks that a node exists, or can be made, that has the labels and GPUs asked for.
func (p *Preflight) nodes(ctx context.Context, template *corev1.PodTemplateSpec) error {
	pod := &corev1.Pod{Spec: template.Spec}
	resource, wanted := gpuRequest(pod)
	if wanted == 0 {
		return nil
	}
	list, err := p.Client.CoreV1().Nodes().List(ctx, metav1.ListOptions{})
	if apierrors.IsForbidden(err) {
		p.Warn("you may not list nodes: whether one has the GPU is not checked")
		return nil
	}
	if err != nil {
		return err
	}
	fits, matching := matchNodes(list.Items, pod, resource, wanted)
	if fits > 0 {
		return nil
	}
	grows, err := p.canGrow(ctx, list.Items)
	switch {
	case err != nil:
		return err
	case grows:
		p.Warn(fmt.Sprintf("no node with %d x %s and %s is there yet: one must be added by the cluster's autoscaler, which takes minutes", wanted, resource, selectorText(pod)))
		return nil
	case matching > 0 && slices.ContainsFunc(list.Items, func(n corev1.Node) bool {
		allocatable := n.Status.Allocatable[resource]
		return allocatable.Value() >= wanted
	}):
		return failure.Refusedf("see what nodes have: kubectl describe nodes"+p.Target+"\nask for less: "+p.hints().Smaller+"; if nodes are added on demand: --skip-checks",
			"no node is large enough for %s: it requests %s", p.hints().Pods, requestText(pod))
	case matching > 0:
		return failure.Refusedf(fmt.Sprintf("see: kubectl get nodes -o custom-columns='NODE:.metadata.name,GPU:.status.allocatable.%s'%s\nask for fewer: --gpus N; if nodes are added on demand: --skip-checks", strings.ReplaceAll(string(resource), ".", `\.`), p.Target),
			"no node has %d x %s: %d have the labels %s", wanted, resource, matching, selectorText(pod))
	}
	return failure.Refusedf(p.nextForNodes(list.Items, resource), "no node has %s, and nothing in this cluster adds nodes", selectorText(pod))
}

func gpuRequest(pod *corev1.Pod) (corev1.ResourceName, int64) {
	for _, c := range pod.Spec.Containers {
		for name, quantity := range c.Resources.Limits {
			if strings.HasPrefix(string(name), "nvidia.com/") {
				return name, quantity.Value()
			}
		}
	}
	return "", 0
}

// matchNodes counts the nodes that could ever take the pod, and those that at least have
// the labels. GPUs in use do not count against a node: they may be freed.
func matchNodes(nodes []corev1.Node, pod *corev1.Pod, resource corev1.ResourceName, wanted int64) (fits, matching int) {
	required := nodeaffinity.GetRequiredNodeAffinity(pod)
	for i := range nodes {
		if match, err := required.Match(&nodes[i]); err != nil || !match {
			continue
		}
		matching++
		if allocatable := nodes[i].Status.Allocatable[resource]; allocatable.Value() >= wanted && holds(&nodes[i], pod) {
			fits++
		}
	}
	return fits, matching
}

// holds says whether an empty node of that size would have room for the pod. Init containers
// run before the others, so that each must fit by itself.
func holds(node *corev1.Node, pod *corev1.Pod) bool {
	sum := corev1.ResourceList{}
	for _, c := range pod.Spec.Containers {
		for name, quantity := range c.Resources.Requests {
			total := sum[name]
			total.Add(quantity)
			sum[name] = total
		}
	}
	requests := []corev1.ResourceList{sum}
	for _, c := range pod.Spec.InitContainers {
		requests = append(requests, c.Resources.Requests)
	}
	for _, list := range requests {
		for name, quantity := range list {
			// What a node does not count (a new resource, an old kubelet) is not known to be short.
			if allocatable, counted := node.Status.Allocatable[name]; counted && allocatable.Cmp(quantity) < 0 {
				return false
			}
		}
	}
	return true
}

// growing are labels that only node autoscalers give to nodes.
var growing = []string{"karpenter.sh/nodepool", "eks.amazonaws.com/compute-type"}

// autopilotPrefix begins the names of GKE Autopilot's nodes.
const autopilotPrefix = "gk3-"

// canGrow says whether something in the cluster adds nodes: GKE Autopilot, Karpenter, or the
// cluster autoscaler, which leaves a status. Where that may not be read, it is assumed.
func (p *Preflight) canGrow(ctx context.Context, nodes []corev1.Node) (bool, error) {
	// Autopilot starts with no node at all.
	grown := func(n corev1.Node) bool {
		return strings.HasPrefix(n.Name, autopilotPrefix) ||
			slices.ContainsFunc(growing, func(label string) bool { return n.Labels[label] != "" })
	}
	if len(nodes) == 0 || slices.ContainsFunc(nodes, grown) {
		return true, nil
	}
	groups, err := p.Client.Discovery().ServerGroups()
	if err == nil && slices.ContainsFunc(groups.Groups, func(g metav1.APIGroup) bool { return g.Name == "karpenter.sh" }) {
		return true, nil
	}
	_, err = p.Client.CoreV1().ConfigMaps(metav1.NamespaceSystem).Get(ctx, "cluster-autoscaler-status", metav1.GetOptions{})
	switch {
	case err == nil, apierrors.IsForbidden(err):
		return true, nil
	case apierrors.IsNotFound(err):
		return false, nil
	}
	return false, err
}

// requestText names what the server asks for, besides its GPUs.
func requestText(pod *corev1.Pod) string {
	var parts []string
	for _, c := range pod.Spec.Containers {
		for _, name := range []corev1.ResourceName{corev1.ResourceCPU, corev1.ResourceMemory, corev1.ResourceEphemeralStorage} {
			if quantity, found := c.Resources.Requests[name]; found {
				parts = append(parts, fmt.Sprintf("%s %s", name, quantity.String()))
			}
		}
	}
	return strings.Join(parts, ", ")
}

func selectorText(pod *corev1.Pod) string {
	var parts []string
	for key, value := range pod.Spec.NodeSelector {
		parts = append(parts, key+"="+value)
	}
	slices.Sort(parts)
	if len(parts) == 0 {
		return "what the pod's affinity asks for"
	}
	return strings.Join(parts, ", ")
}

func (p *Preflight) nextForNodes(nodes []corev1.Node, resource corev1.ResourceName) string {
	flag := p.hints().Accelerator
	var have []string
	for _, n := range nodes {
		if quantity := n.Status.Allocatable[resource]; quantity.Value() > 0 {
			if kind := n.Labels["cloud.google.com/gke-accelerator"]; kind != "" && !slices.Contains(have, kind) {
				have = append(have, kind)
			}
		}
	}
	if len(have) > 0 {
		return "this cluster has: " + flag + " " + strings.Join(have, ", "+flag+" ") + "\nif nodes are added on demand: --skip-checks"
	}
	return "add a GPU node pool, or, when nodes with GPUs carry other labels: --platform custom\nsee: kubectl get nodes --show-labels" + p.Target + "\nif nodes are added on demand: --skip-checks"
}
