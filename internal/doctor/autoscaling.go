package doctor

import (
	"context"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
)

// autopilotPrefix begins the names of GKE Autopilot's nodes.
const autopilotPrefix = "gk3-"

// adder is what adds nodes to the cluster; without a name there is none that can be seen.
type adder struct {
	name string
	// any says that it makes nodes of any kind, and needs no pool of them made beforehand.
	any bool
}

func (a adder) grows() bool { return a.name != "" }

// adder finds what adds nodes. The error says why it cannot be known.
func (s *Subject) adder(ctx context.Context, nodes []corev1.Node) (adder, error) {
	labelled := func(label string) bool {
		return slices.ContainsFunc(nodes, func(n corev1.Node) bool { return n.Labels[label] != "" })
	}
	switch {
	case slices.ContainsFunc(nodes, func(n corev1.Node) bool { return strings.HasPrefix(n.Name, autopilotPrefix) }):
		return adder{"GKE Autopilot", true}, nil
	case labelled("eks.amazonaws.com/compute-type"):
		return adder{"EKS Auto Mode", false}, nil
	}
	karpenter, err := s.group("karpenter.sh")
	switch {
	case err != nil:
		return adder{}, err
	case karpenter != nil:
		return adder{name: "Karpenter"}, nil
	}
	_, err = s.Client.CoreV1().ConfigMaps(metav1.NamespaceSystem).Get(ctx, "cluster-autoscaler-status", metav1.GetOptions{})
	switch {
	case err == nil:
		return adder{name: "the cluster autoscaler"}, nil
	case apierrors.IsNotFound(err) && len(nodes) == 0:
		// No cluster but one that makes its nodes on demand has none.
		return adder{"what makes this cluster's nodes", true}, nil
	case apierrors.IsNotFound(err):
		return adder{}, nil
	}
	return adder{}, err
}

// computeClasses are GKE's.
var computeClasses = schema.GroupVersionResource{Group: "cloud.google.com", Version: "v1", Resource: "computeclasses"}

// nodePools are Karpenter's.
var nodePools = schema.GroupVersionResource{Group: "karpenter.sh", Version: "v1", Resource: "nodepools"}

func (s *Subject) nodeAutoscaling(ctx context.Context) Finding {
	nodes, err := s.listNodes(ctx)
	if err != nil {
		return s.unknown("list nodes", err)
	}
	found, err := s.adder(ctx, nodes)
	if err != nil {
		return s.unknown("see whether nodes are added: read ConfigMap kube-system/cluster-autoscaler-status", err)
	}
	detail := "nothing that adds nodes can be seen: what is there is all there is"
	if found.grows() {
		detail = found.name + " adds nodes"
	}
	for _, kind := range []struct {
		resource schema.GroupVersionResource
		what     string
	}{{computeClasses, "ComputeClass"}, {nodePools, "NodePool"}} {
		if list := s.named(ctx, kind.resource); len(list) > 0 {
			detail += "; " + kind.what + " " + names(list)
		}
	}
	if found.grows() {
		detail += ". The cloud's own limit on GPUs is not visible in the cluster"
		if onGKE(nodes) {
			detail += ": gcloud compute regions describe REGION --flatten quotas --format 'table(quotas.metric,quotas.usage,quotas.limit)'"
		}
	}
	return pass("%s", detail)
}

// named lists the objects of a kind; what is not there or may not be seen has none.
func (s *Subject) named(ctx context.Context, resource schema.GroupVersionResource) []string {
	if there, err := s.serves(resource.Group, resource.Resource); err != nil || !there {
		return nil
	}
	list, err := s.Dynamic.Resource(resource).List(ctx, metav1.ListOptions{})
	if err != nil {
		return nil
	}
	var found []string
	for i := range list.Items {
		found = append(found, list.Items[i].GetName())
	}
	return found
}
