package cluster

import (
	"context"
	"fmt"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
	utiltaints "k8s.io/component-helpers/scheduling/corev1"
	"k8s.io/component-helpers/scheduling/corev1/nodeaffinity"
	"k8s.io/klog/v2"
)

// Landing says of one node whether a pod could run on it now.
type Landing struct {
	Node string `json:"node"`
	// GPU is what the node's labels call it, MemoryMiB what GPU feature discovery says of its memory (as nvidia-smi does,
	// which is above what CUDA reports), 0 where it says nothing.
	GPU       string `json:"gpu,omitempty"`
	MemoryMiB string `json:"memoryMiB,omitempty"`
	// Allocatable and Used are of the resource that the pod asks for.
	Allocatable int64 `json:"allocatable"`
	Used        int64 `json:"used"`
	// Why it cannot, "" when it can.
	Why string `json:"why,omitempty"`
}

// gpuLabels are what platforms call a node's GPU.
var gpuLabels = []string{"cloud.google.com/gke-accelerator", "nvidia.com/gpu.product", "karpenter.k8s.aws/instance-gpu-name", "node.kubernetes.io/instance-type"}

// FindLandings looks at every node that has the resource which the pods ask for, or their labels. Nodes without either are
// left out; resource is what was asked for.
func FindLandings(ctx context.Context, client kubernetes.Interface, template *corev1.PodTemplateSpec) (landings []Landing, resource corev1.ResourceName, err error) {
	pod := &corev1.Pod{Spec: template.Spec}
	resource, wanted := gpuRequest(pod)
	nodes, err := client.CoreV1().Nodes().List(ctx, metav1.ListOptions{})
	if err != nil {
		return nil, resource, err
	}
	pods, err := client.CoreV1().Pods(metav1.NamespaceAll).List(ctx, metav1.ListOptions{FieldSelector: "status.phase!=Succeeded,status.phase!=Failed"})
	if err != nil {
		return nil, resource, err
	}
	used := usedBy(pods.Items)
	required := nodeaffinity.GetRequiredNodeAffinity(pod)
	for i := range nodes.Items {
		node := &nodes.Items[i]
		allocatable := node.Status.Allocatable[resource]
		matches, err := required.Match(node)
		if err != nil {
			return nil, resource, err
		}
		if allocatable.IsZero() && !matches {
			continue
		}
		landing := Landing{Node: node.Name, MemoryMiB: node.Labels["nvidia.com/gpu.memory"], Allocatable: allocatable.Value(), Used: used[node.Name].get(resource)}
		for _, label := range gpuLabels {
			if landing.GPU = node.Labels[label]; landing.GPU != "" {
				break
			}
		}
		landing.Why = whyNot(node, pod, used[node.Name], matches, resource, wanted)
		landings = append(landings, landing)
	}
	return landings, resource, nil
}

// whyNot is what keeps a pod from a node, the scheduler's own reasons in the order in which they can be mended.
func whyNot(node *corev1.Node, pod *corev1.Pod, used requests, matches bool, resource corev1.ResourceName, wanted int64) string {
	allocatable := node.Status.Allocatable[resource]
	switch {
	case !matches:
		return "has other labels: not " + selectorText(pod)
	case node.Spec.Unschedulable:
		return "is cordoned"
	case !ready(node):
		return "is not ready"
	}
	if taint, untolerated := utiltaints.FindMatchingUntoleratedTaint(klog.Background(), node.Spec.Taints, pod.Spec.Tolerations, func(t *corev1.Taint) bool {
		return t.Effect != corev1.TaintEffectPreferNoSchedule
	}, false); untolerated {
		return "has the taint " + taint.ToString()
	}
	if free := allocatable.Value() - used.get(resource); free < wanted {
		return fmt.Sprintf("%d of %d %s are in use, %d wanted", used.get(resource), allocatable.Value(), resource, wanted)
	}
	var short []string
	for _, name := range []corev1.ResourceName{corev1.ResourceCPU, corev1.ResourceMemory, corev1.ResourceEphemeralStorage} {
		have, counted := node.Status.Allocatable[name]
		need := requestOf(pod, name)
		if left := have.MilliValue() - used[name]; counted && left < need {
			short = append(short, fmt.Sprintf("%s (%s wanted)", name, quantityText(name, need)))
		}
	}
	if len(short) > 0 {
		return "has too little " + strings.Join(short, ", ") + " left"
	}
	return ""
}

func ready(node *corev1.Node) bool {
	return slices.ContainsFunc(node.Status.Conditions, func(c corev1.NodeCondition) bool {
		return c.Type == corev1.NodeReady && c.Status == corev1.ConditionTrue
	})
}

// requests are sums of requests in thousandths.
type requests map[corev1.ResourceName]int64

func (r requests) get(name corev1.ResourceName) int64 { return r[name] / 1000 }

func usedBy(pods []corev1.Pod) map[string]requests {
	used := map[string]requests{}
	for i := range pods {
		pod := &pods[i]
		if pod.Spec.NodeName == "" {
			continue
		}
		sums := used[pod.Spec.NodeName]
		if sums == nil {
			sums = requests{}
			used[pod.Spec.NodeName] = sums
		}
		names := map[corev1.ResourceName]bool{}
		for _, c := range slices.Concat(pod.Spec.Containers, pod.Spec.InitContainers) {
			for name := range c.Resources.Requests {
				names[name] = true
			}
		}
		for name := range names {
			sums[name] += requestOf(pod, name)
		}
	}
	return used
}

// requestOf is what a pod asks for in thousandths: its containers together, or the largest of its init containers.
func requestOf(pod *corev1.Pod, name corev1.ResourceName) int64 {
	var sum, largest int64
	for _, c := range pod.Spec.Containers {
		quantity := c.Resources.Requests[name]
		sum += quantity.MilliValue()
	}
	for _, c := range pod.Spec.InitContainers {
		quantity := c.Resources.Requests[name]
		largest = max(largest, quantity.MilliValue())
	}
	return max(sum, largest)
}

func quantityText(name corev1.ResourceName, milli int64) string {
	if name == corev1.ResourceCPU {
		return fmt.Sprintf("%g", float64(milli)/1000)
	}
	return fmt.Sprintf("%.0fGi", float64(milli)/1000/(1<<30))
}
