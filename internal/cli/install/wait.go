package install

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/kubectl-summarizer/kubectl-summarizer/internal/cluster"
	"github.com/kubectl-summarizer/kubectl-summarizer/internal/failure"
	"github.com/kubectl-summarizer/kubectl-summarizer/internal/product"
	"github.com/kubectl-summarizer/kubectl-summarizer/internal/ui"
)

// phases says what is being waited for, in the words of somebody who waits.
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

// follow waits until the release answers, showing one live line for each phase.
func (o *options) follow(ctx context.Context, observer *cluster.Observer) error {
	if !o.wait {
		o.say("see how it comes up: %s status %s%s", product.Command, o.release, o.namespaceFlag())
		return nil
	}
	ctx, cancel := context.WithTimeoutCause(ctx, o.timeout, context.DeadlineExceeded)
	defer cancel()
	live := ui.NewLive(o.f.Streams.ErrOut, o.f.Now)
	view, err := observer.Follow(ctx, func(v *cluster.View) { show(live, v) })
	live.Close()
	switch {
	case err != nil && errors.Is(ctx.Err(), context.DeadlineExceeded):
		return failure.New(failure.Timeout, fmt.Errorf("%s is not ready after %s: %s", o.release, ui.Duration(o.timeout), sentence(view)),
			"it goes on in the cluster. "+o.resume())
	case err != nil && ctx.Err() != nil:
		return failure.New(failure.Interrupted, errors.New("you stopped waiting; the installation goes on in the cluster"), o.resume())
	case err != nil:
		return failure.New(failure.Failed, fmt.Errorf("the wait broke off, the installation goes on in the cluster: %w", cluster.ExplainFor(o.f.Target(), err)), o.resume())
	case view.Deployment == "":
		return failure.Failedf("install it again: "+product.Command+" install "+o.release+o.namespaceFlag(), "release %s was removed while it was waited for", o.release)
	case view.Idle():
		fmt.Fprintf(o.f.Streams.ErrOut, "%s has no replicas, so there is nothing to wait for\n", o.release)
		return nil
	case !view.Healthy:
		return o.stuck(view)
	}
	o.printNext()
	return nil
}

func show(live *ui.Live, v *cluster.View) {
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

// stuck is the error of a rollout that cannot go on without help.
func (o *options) stuck(v *cluster.View) error {
	restart := fmt.Sprintf("then, with the mended values: %s install %s%s", product.Command, o.release, o.namespaceFlag())
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

// sentence says in one line how far the release is.
func sentence(v *cluster.View) string {
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

func (o *options) resume() string {
	return fmt.Sprintf("see it: %[1]s status %[2]s%[3]s\nwait again: %[1]s install %[2]s%[3]s\ntake it back: %[1]s uninstall %[2]s%[3]s",
		product.Command, o.release, o.namespaceFlag())
}

// namespaceFlag ends every command that is printed, so that it means this very release.
func (o *options) namespaceFlag() string { return " -n " + o.namespace + o.f.Target() }
