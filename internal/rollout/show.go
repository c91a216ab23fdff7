package rollout

import (
	"errors"
	"fmt"
	"strings"

	"github.com/kubectl-summarizer/kubectl-summarizer/internal/cluster"
	"github.com/kubectl-summarizer/kubectl-summarizer/internal/failure"
	"github.com/kubectl-summarizer/kubectl-summarizer/internal/ui"
)

// phases says what is being waited for.
var phases = map[cluster.Phase]string{
	cluster.Creating:    "waiting for the pod",
	cluster.Unscheduled: "waiting for a node",
	cluster.Preparing:   "preparing the pod",
	cluster.Pulling:     "pulling the image",
	cluster.Downloading: "downloading the model",
	cluster.Loading:     "loading the model",
	cluster.Ready:       "waiting for the other replicas",
	cluster.Failing:     "failing, and tried again",
	cluster.Stopping:    "stopping the old pod",
}

// Show puts on the status line how far the release is.
func Show(live *ui.Live, v *cluster.View) {
	pod := v.Furthest()
	switch {
	case v.Blocked != "" && !v.Stopping():
		live.Set("the cluster refuses the pod", v.Blocked)
	case pod == nil && v.Stopping():
		live.Set(phases[cluster.Stopping], "it finishes its requests")
	case pod == nil:
		live.Set(phases[cluster.Creating], "")
	case v.Healthy, pod.Phase == cluster.Ready && v.Desired == 1:
		// The Deployment follows its pod within a moment: no phase of its own.
	case pod.Final:
		// The error that ends the wait says it all.
	case v.Desired > 1:
		live.Set(phases[pod.Phase], fmt.Sprintf("%d of %d ready; %s", v.Available, v.Desired, pod.Message))
	default:
		live.Set(phases[pod.Phase], pod.Message)
	}
}

// Stuck is the error of a rollout that cannot go on without help; restart says how to try again.
func Stuck(v *cluster.View, restart string) error {
	if v.Blocked != "" {
		return failure.New(failure.Failed, fmt.Errorf("the cluster refuses the pods of %s: %s", v.Deployment, v.Blocked), restart)
	}
	pod := v.Furthest()
	text := fmt.Sprintf("pod %s cannot start: %s", pod.Name, because(pod))
	if len(pod.Log) > 0 {
		text += "\nits last lines were:\n  | " + strings.Join(pod.Log, "\n  | ")
	}
	next := restart
	if pod.Next != "" {
		next = pod.Next + "\n" + restart
	}
	return failure.New(failure.Failed, errors.New(text), next)
}

func because(pod *cluster.Pod) string {
	switch {
	case pod.Message == "":
		return pod.Reason
	case pod.Reason == "" || strings.Contains(pod.Message, pod.Reason):
		return pod.Message
	}
	return pod.Reason + ": " + pod.Message
}

// Sentence says in one line how far the release is; the view may be nil.
func Sentence(v *cluster.View) string {
	if v == nil {
		return "nothing was seen of it"
	}
	pod := v.Furthest()
	switch {
	case v.Blocked != "":
		return v.Blocked
	case pod == nil:
		return phases[cluster.Creating]
	case pod.Message == "":
		return phases[pod.Phase]
	}
	return phases[pod.Phase] + ": " + because(pod)
}
