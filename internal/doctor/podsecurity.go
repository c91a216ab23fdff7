package doctor

import (
	"context"
	"slices"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
)

// enforce is the label with the Pod Security level that a namespace enforces.
const enforce = "pod-security.kubernetes.io/enforce"

func (s *Subject) podSecurity(ctx context.Context) Finding {
	namespace, err := s.getNamespace(ctx)
	switch {
	case apierrors.IsNotFound(err):
		return skip("namespace %s does not exist", s.Namespace)
	case err != nil:
		return s.unknown("look at namespace "+s.Namespace, err)
	}
	level := namespace.Labels[enforce]
	nodes, err := s.listNodes(ctx)
	if err == nil && (level == "restricted" || level == "baseline") &&
		slices.ContainsFunc(nodes, func(n corev1.Node) bool { return n.Labels[gkeStrategy] == "mps" }) {
		return warn("for pods on those nodes: kubectl label namespace "+s.Namespace+" "+enforce+"=privileged --overwrite"+s.Target+"\nor share the GPUs by time-sharing",
			"namespace %s enforces %s, and pods on GKE's nodes with MPS need hostIPC, which that forbids", s.Namespace, level)
	}
	switch level {
	case "":
		return pass("namespace %s enforces no level of its own; the pods of install and train keep to restricted", s.Namespace)
	case "privileged", "baseline", "restricted":
		return pass("namespace %s enforces %s; the pods of install and train keep to restricted", s.Namespace, level)
	}
	return warn("kubectl label namespace "+s.Namespace+" "+enforce+"=restricted --overwrite"+s.Target,
		"the level %q of namespace %s is none of privileged, baseline and restricted: the API server takes it for restricted", level, s.Namespace)
}
