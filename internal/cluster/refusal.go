package cluster

import (
	"strings"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
)

// NextForRefusal says what to do about an object that the API server would not take, "" when
// its own words say it all.
func NextForRefusal(err error, namespace, target string) string {
	message := err.Error()
	switch {
	case strings.Contains(message, "exceeded quota"), strings.Contains(message, "failed quota"):
		return "see: kubectl describe resourcequota -n " + namespace + target
	case strings.Contains(message, "violates PodSecurity"):
		return "see what the namespace enforces: kubectl get namespace " + namespace + " --show-labels" + target
	case apierrors.IsForbidden(err) && strings.Contains(message, " cannot "):
		return "ask whoever runs the cluster for this right; what you may do: kubectl auth can-i --list -n " + namespace + target
	case apierrors.IsNotFound(err) && strings.Contains(message, "namespaces"):
		return "kubectl create namespace " + namespace + target
	case apierrors.IsInvalid(err) && strings.Contains(message, "immutable"):
		return "uninstall the release first, or choose another release name"
	}
	return ""
}
