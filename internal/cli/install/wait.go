package install

import (
	"context"
	"errors"
	"fmt"

	"github.com/kubectl-summarizer/kubectl-summarizer/internal/cluster"
	"github.com/kubectl-summarizer/kubectl-summarizer/internal/failure"
	"github.com/kubectl-summarizer/kubectl-summarizer/internal/product"
	"github.com/kubectl-summarizer/kubectl-summarizer/internal/rollout"
	"github.com/kubectl-summarizer/kubectl-summarizer/internal/ui"
)

// follow waits until the release answers, showing one live line for each phase.
func (o *options) follow(ctx context.Context, observer *cluster.Observer) error {
	if !o.wait {
		o.steps.Say("see how it comes up: %s status %s%s", product.Command, o.release, o.namespaceFlag())
		return nil
	}
	ctx, cancel := context.WithTimeoutCause(ctx, o.timeout, context.DeadlineExceeded)
	defer cancel()
	live := ui.NewLive(o.f.Streams.ErrOut, o.f.Now)
	view, err := observer.Follow(ctx, func(v *cluster.View) { rollout.Show(live, v) })
	live.Close()
	switch {
	case err != nil && errors.Is(ctx.Err(), context.DeadlineExceeded):
		return failure.New(failure.Timeout, fmt.Errorf("%s is not ready after %s: %s", o.release, ui.Duration(o.timeout), rollout.Sentence(view)),
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

// stuck is the error of a rollout that cannot go on without help.
func (o *options) stuck(v *cluster.View) error {
	return rollout.Stuck(v, fmt.Sprintf("then, with the mended values: %s install %s%s", product.Command, o.release, o.namespaceFlag()))
}

func (o *options) resume() string {
	return fmt.Sprintf("see it: %[1]s status %[2]s%[3]s\nwait again: %[1]s install %[2]s%[3]s\ntake it back: %[1]s uninstall %[2]s%[3]s",
		product.Command, o.release, o.namespaceFlag())
}

// namespaceFlag ends every command that is printed, so that it means this very release.
func (o *options) namespaceFlag() string { return " -n " + o.namespace + o.f.Target() }
