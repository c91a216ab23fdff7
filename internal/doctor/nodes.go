package doctor

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/go-logr/logr"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	scheduling "k8s.io/component-helpers/scheduling/corev1"
	"k8s.io/component-helpers/scheduling/corev1/nodeaffinity"
)

func (s *Subject) gpuNodes(ctx context.Context) Finding {
	nodes, err := s.listNodes(ctx)
	if err != nil {
		return s.unknown("list nodes", err)
	}
	all := gpuNodesOf(nodes)
	adds, err := s.adder(ctx, nodes)
	if len(all) == 0 {
		return s.noGPUNode(nodes, adds, err)
	}
	var silent, waiting, tainted, usable []*corev1.Node
	var taint *corev1.Taint
	for _, n := range all {
		blocked := s.untolerated(n)
		switch {
		case gpusIn(n.Status.Allocatable) == 0:
			silent = append(silent, n)
		case blocked != nil:
			taint, tainted = blocked, append(tainted, n)
		case !isReady(n):
			waiting = append(waiting, n)
		default:
			usable = append(usable, n)
		}
	}
	if len(usable) == 0 {
		return s.noneUsable(nodes, silent, tainted, waiting, taint)
	}
	f := s.use(ctx, usable)
	if !slices.ContainsFunc(usable, s.selects) {
		f = s.noneSelected(nodes, usable, f.Detail, adds)
	}
	for _, short := range []struct {
		nodes []*corev1.Node
		why   string
	}{{silent, "labelled as having a GPU, and offers none"}, {waiting, "not ready or cordoned"}, {tainted, "a taint that the pods do not tolerate"}} {
		if len(short.nodes) > 0 {
			f.Result = worse(f.Result, Warn)
			f.Detail += fmt.Sprintf("; of no use: %s (%s)", names(nodeNames(short.nodes)), short.why)
			if f.Fix == "" {
				f.Fix = "kubectl describe node " + short.nodes[0].Name + s.Target
			}
		}
	}
	return f
}

// worst is the order of results.
var worst = []Result{Skipped, Pass, Warn, Fail}

// worse returns the worse of two results.
func worse(a, b Result) Result {
	return worst[max(slices.Index(worst, a), slices.Index(worst, b))]
}

func (s *Subject) noGPUNode(nodes []corev1.Node, adds adder, err error) Finding {
	switch {
	case err != nil:
		return warn(s.newNodes(nodes), "no node has a GPU, and whether something adds nodes cannot be seen: %v", err)
	case adds.any:
		return pass("no node has a GPU yet; %s adds one when a pod asks for it, which takes minutes", adds.name)
	case adds.grows():
		return warn("if it has no GPU node pool: "+s.newNodes(nodes), "no node has a GPU yet; %s adds one only if it has a pool of nodes with %s", adds.name, s.Accelerator)
	}
	return fail(s.newNodes(nodes), "no node has an NVIDIA GPU, and nothing in this cluster adds nodes")
}

// noneUsable says why nodes with GPUs are of no use.
func (s *Subject) noneUsable(nodes []corev1.Node, silent, tainted, waiting []*corev1.Node, taint *corev1.Taint) Finding {
	switch {
	case len(tainted) > 0:
		return fail(s.tolerate(taint), "the nodes with GPUs (%s) have the taint %s, which the pods do not tolerate", names(nodeNames(tainted)), taintText(taint))
	case len(waiting) > 0:
		return fail("kubectl describe node "+waiting[0].Name+s.Target, "the nodes with GPUs are not ready or are cordoned: %s", names(nodeNames(waiting)))
	}
	fix := "see whether driver and device plugin run: kubectl get pods -A -o wide --field-selector spec.nodeName=" + silent[0].Name + s.Target
	if !onGKE(nodes) {
		fix += "\nif there are none: " + operator
	}
	return fail(fix, "the nodes that are labelled as having GPUs offer none: driver or device plugin does not run on %s", names(nodeNames(silent)))
}

// use says how many GPUs there are, and how many of them are free.
func (s *Subject) use(ctx context.Context, usable []*corev1.Node) Finding {
	var total int64
	on := map[string]bool{}
	for _, n := range usable {
		total += gpusIn(n.Status.Allocatable)
		on[n.Name] = true
	}
	what := fmt.Sprintf("%s with %d GPUs", count(len(usable), "node"), total)
	if total == 1 {
		what = "1 node with 1 GPU"
	}
	if kinds := accelerators(usable); len(kinds) > 0 {
		what += " (" + strings.Join(kinds, ", ") + ")"
	}
	pods, err := s.Client.CoreV1().Pods(metav1.NamespaceAll).List(ctx, metav1.ListOptions{FieldSelector: "status.phase!=Succeeded,status.phase!=Failed"})
	if err != nil {
		return pass("%s; how many are free is not known, for that you would have to see all pods", what)
	}
	var used int64
	for i := range pods.Items {
		if p := &pods.Items[i]; on[p.Spec.NodeName] && p.Status.Phase != corev1.PodSucceeded && p.Status.Phase != corev1.PodFailed {
			used += gpusOf(&p.Spec)
		}
	}
	if used >= total {
		return warn("see who has them: kubectl get pods -A -o custom-columns='NAMESPACE:.metadata.namespace,POD:.metadata.name,NODE:.spec.nodeName,GPUS:.spec.containers[*].resources.limits.nvidia\\.com/gpu'"+s.Target,
			"%s, all in use: a pod would wait for one", what)
	}
	return pass("%s, %d free", what, total-used)
}

// gpusOf counts the GPUs that a pod holds.
func gpusOf(pod *corev1.PodSpec) int64 {
	var sum int64
	for _, c := range pod.Containers {
		sum += gpusIn(c.Resources.Limits)
	}
	return sum
}

// selects says whether a node has the labels that the server's pods ask for.
func (s *Subject) selects(n *corev1.Node) bool {
	if s.Template == nil {
		return true
	}
	match, err := nodeaffinity.GetRequiredNodeAffinity(&corev1.Pod{Spec: s.Template.Spec}).Match(n)
	return err == nil && match
}

// noneSelected is the finding when nodes with GPUs are there, and none with the labels that the
// pods ask for.
func (s *Subject) noneSelected(nodes []corev1.Node, usable []*corev1.Node, what string, adds adder) Finding {
	var wanted []string
	for key, value := range s.Template.Spec.NodeSelector {
		wanted = append(wanted, key+"="+value)
	}
	slices.Sort(wanted)
	labels := strings.Join(wanted, ", ")
	if adds.any {
		return pass("%s; none has %s, and %s adds one that has when a pod asks for it", what, labels, adds.name)
	}
	fix := "add nodes: " + s.newNodes(nodes)
	switch kinds := accelerators(usable); {
	case !onGKE(nodes) && s.Platform != "custom":
		fix = "these labels are GKE's; elsewhere: --platform custom"
	case onGKE(nodes) && len(kinds) > 0 && !slices.Contains(kinds, s.Accelerator):
		fix = "use what is there: --accelerator " + strings.Join(kinds, ", or --accelerator ") + "\nor " + fix
	case onGKE(nodes) && s.Platform == "gke-autopilot":
		fix = "on GKE Standard the driver is the node pool's choice: --platform gke-standard\nor " + fix
	}
	if adds.grows() {
		return warn(fix, "%s; none has %s, and %s adds one only if it has a pool of such nodes", what, labels, adds.name)
	}
	return fail(fix, "%s; none has the labels that the pods ask for: %s", what, labels)
}

// untolerated returns a taint that keeps the pods off a node, nil when there is none. What the
// cluster puts on a node that is not ready or cordoned is no property of the node.
func (s *Subject) untolerated(n *corev1.Node) *corev1.Taint {
	tolerations := []corev1.Toleration{{Key: gpuPrefix + "gpu", Operator: corev1.TolerationOpExists}}
	if s.Template != nil {
		tolerations = s.Template.Spec.Tolerations
	}
	taint, found := scheduling.FindMatchingUntoleratedTaint(logr.Discard(), n.Spec.Taints, tolerations, func(t *corev1.Taint) bool {
		return t.Effect != corev1.TaintEffectPreferNoSchedule && !strings.HasPrefix(t.Key, "node.kubernetes.io/")
	}, false)
	if !found {
		return nil
	}
	return &taint
}

func taintText(t *corev1.Taint) string {
	return strings.TrimSuffix(t.Key+"="+t.Value, "=") + ":" + string(t.Effect)
}

// tolerate are the flags that let pods onto tainted nodes.
func (s *Subject) tolerate(t *corev1.Taint) string {
	return fmt.Sprintf("install: --set-json 'tolerations=[{\"key\":%q,\"operator\":\"Exists\"}]'\ntrain: --toleration %s", t.Key, taintText(t))
}
