package cluster

import (
	"fmt"
	"strings"

	corev1 "k8s.io/api/core/v1"
)

const (
	// refusedPullsUntilFinal is how often a registry may say that there is no such image, or
	// that this cluster may not have it.
	refusedPullsUntilFinal = 2
	// failedPullsUntilFinal is how often a pull may fail in any other way: a registry that is
	// busy, or a network that breaks, mends itself, and the kubelet tries for minutes.
	failedPullsUntilFinal = 5
)

var (
	limitSigns   = []string{"429", "toomanyrequests", "too many requests", "rate limit"}
	refusalSigns = []string{"not found", "denied", "unauthorized", "forbidden", "manifest unknown", "name unknown",
		"invalid reference", "no match for platform", "no matching manifest"}
)

// diagnosePull fills p for a container whose image does not come.
func diagnosePull(p *Pod, pod *corev1.Pod, c *corev1.ContainerStatus, events []corev1.Event) {
	pullFailure(p, pod, c, events, chartSignIn)
	if other := foreign(pod, c.Name); other != "" {
		p.Message = other + ": " + p.Message
		p.Next = fmt.Sprintf("it is not the chart's: whoever adds it to pods must mend it. See: kubectl describe pod -n %s %s%s", pod.Namespace, pod.Name, p.target)
	}
}

// pullFailure fills p by why the image does not come; signIn are the flags that name a Secret
// for a registry.
func pullFailure(p *Pod, pod *corev1.Pod, c *corev1.ContainerStatus, events []corev1.Event, signIn string) {
	w, image := c.State.Waiting, imageOf(pod, c.Name)
	failures := `Failed to pull image "` + image
	cause := pullError(w, events, failures)
	p.Phase, p.Reason = Failing, w.Reason
	p.Message = fmt.Sprintf("the image %s cannot be pulled: %s", image, cause)
	limit := int32(failedPullsUntilFinal)
	nextForImage := "check the name, or give another: --image REPOSITORY:TAG; a private registry needs " + signIn
	switch {
	case w.Reason == "InvalidImageName", w.Reason == "ErrImageNeverPull":
		limit, p.Next = 0, nextForImage
	case says(cause, limitSigns):
		p.Next = "the registry limits how much may be pulled: sign in with " + signIn + ", or name a mirror: --image REPOSITORY:TAG"
	case says(cause, refusalSigns):
		limit, p.Next = refusedPullsUntilFinal, nextForImage
	default:
		p.Next = "can the node reach the registry? name one that it can reach: --image REPOSITORY:TAG"
	}
	p.Final = count(events, "Failed", failures) >= limit
}

const chartSignIn = "--set 'imagePullSecrets[0].name=SECRET'"

func says(text string, signs []string) bool {
	text = strings.ToLower(text)
	for _, sign := range signs {
		if strings.Contains(text, sign) {
			return true
		}
	}
	return false
}

// pullError prefers the event's text: the waiting message of a back-off says only that it waits.
func pullError(w *corev1.ContainerStateWaiting, events []corev1.Event, failures string) string {
	for i := len(events) - 1; i >= 0; i-- {
		if e := events[i]; e.Reason == "Failed" && strings.Contains(e.Message, failures) {
			_, cause, _ := strings.Cut(e.Message, "\": ")
			return cause
		}
	}
	return w.Message
}
