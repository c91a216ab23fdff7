package cluster

import (
	"fmt"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
)

const (
	// endedUntilFinal is how many pods of a revision may end for the same reason: each is
	// replaced by a fresh one, whose count of restarts begins anew.
	endedUntilFinal = 2
	// endedWithin is how long before the newest pod an earlier one must have begun to say
	// something of it: pods that have ended are kept for as long as the release.
	endedWithin = time.Hour
	// admitted is how long a node must refuse pods. While it starts, before its devices are
	// known, it may refuse a few within a moment.
	admitted = 20 * time.Second
)

const evicted = "Evicted"

// passingEnds are reasons that say nothing of the pod: its node was shut down, as spot nodes
// are, or it made room for one of the node's own.
var passingEnds = map[string]bool{"Terminated": true, "NodeShutdown": true, "Shutdown": true, "NodeLost": true, "Preempting": true}

// nextForEnded is what to do about a pod that was evicted, or refused by its node.
func nextForEnded(pod *corev1.Pod, target string) string {
	see := fmt.Sprintf("see: kubectl describe pod -n %s %s%s", pod.Namespace, pod.Name, target)
	has := func(text string) bool { return strings.Contains(pod.Status.Message, text) }
	switch reason := pod.Status.Reason; {
	case passingEnds[reason]:
		return ""
	case reason == evicted && has(`EmptyDir volume "cache"`):
		return "the model needs more room: raise model.weightsGiB to its size, or keep it on a volume: --set cache.persistence.enabled=true\n" + see
	case reason == evicted && has(`EmptyDir volume "shm"`):
		return "raise sharedMemory.sizeLimit\n" + see
	case reason == evicted && (has("ephemeral-storage") || has("ephemeral storage")):
		return "ask for more disk: --set resources.requests.ephemeral-storage=NGi, or keep the model on a volume: --set cache.persistence.enabled=true\n" + see
	case reason == evicted && has("memory"):
		return "ask for more memory: --set resources.requests.memory=NGi\n" + see
	case pod.Spec.NodeName != "":
		return fmt.Sprintf("see what the node has: kubectl describe node %s%s\n%s", pod.Spec.NodeName, target, see)
	}
	return see
}

// weighEnded judges the newest revision by its pods that have ended: when several did for
// the same reason, so will the next. Until then the pod that replaces one tells why.
// Pods must be in order, the newest first.
func (v *View) weighEnded() {
	var ended []*Pod
	var newest time.Time
	ready := false // a pod that came after those which have ended
	for i := range v.Pods {
		pod := &v.Pods[i]
		switch {
		case !pod.Current || pod.Phase == Stopping:
			continue
		case newest.IsZero():
			newest = pod.Created
		case newest.Sub(pod.Created) > endedWithin:
			continue
		}
		if pod.Over {
			ended = append(ended, pod)
		} else if len(ended) == 0 && pod.Phase == Ready {
			ready = true
		}
	}
	if len(ended) == 0 || ready {
		return
	}
	for _, pod := range ended {
		if hopeless(pod, ended) {
			pod.Final = true
			return
		}
	}
	v.tellOfEnded(ended[0])
}

// hopeless says whether enough pods ended as this one did, the newest of them.
func hopeless(pod *Pod, ended []*Pod) bool {
	if passingEnds[pod.Reason] {
		return false
	}
	count, first := 0, pod.Created
	for _, other := range ended {
		if other.Reason == pod.Reason {
			count++
			first = other.Created
		}
	}
	return count >= endedUntilFinal && (pod.Reason == evicted || pod.Created.Sub(first) >= admitted)
}

// tellOfEnded has the pods that follow the one which has ended say why there is a new one.
func (v *View) tellOfEnded(ended *Pod) {
	why, _, _ := strings.Cut(ended.Message, ". ")
	why = "the pod before it ended: " + strings.TrimSuffix(strings.TrimSuffix(ended.Reason+": "+why, "."), ": ")
	for i := range v.Pods {
		pod := &v.Pods[i]
		if !pod.Current || pod.Over || pod.Phase == Ready || pod.Phase == Failing || pod.Phase == Stopping || pod.Created.Before(ended.Created) {
			continue
		}
		if pod.Message != "" {
			pod.Message += "; "
		}
		pod.Message += why
	}
}
