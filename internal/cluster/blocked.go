package cluster

import (
	"context"
	"fmt"
	"strings"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/kubectl-summarizer/kubectl-summarizer/internal/product"
)

const (
	// nudgeEvery is the pause between two nudges.
	nudgeEvery = 10 * time.Second
	// settleRule is how long a refusal by a rule must last until the wait ends: what a previous
	// attempt met (a quota that has been raised since) is gone after a nudge or two.
	settleRule = 20 * time.Second
	// settleOther is for all other refusals: a webhook that restarts is back within a minute.
	settleOther = time.Minute
)

// rules are the words of refusals that only a person can lift.
var rules = []string{"exceeded quota", "failed quota", "violates PodSecurity"}

func settleFor(refusal string) time.Duration {
	for _, sign := range rules {
		if strings.Contains(refusal, sign) {
			return settleRule
		}
	}
	return settleOther
}

// nudgedAnnotation is changed on a ReplicaSet by a nudge, and means nothing else.
const nudgedAnnotation = product.Binary + "/nudged"

// Nudge has the cluster try at once to make the pods that it refused. By itself the
// ReplicaSet controller tries less and less often, in the end every 17 minutes, and does not
// notice that a quota was raised; any change of the ReplicaSet makes it try without delay.
// Whoever may not change ReplicaSets has to wait for it.
func (o *Observer) Nudge(ctx context.Context, view *View) error {
	if view.Blocked == "" {
		return nil
	}
	patch := fmt.Sprintf(`{"metadata":{"annotations":{%q:%q}}}`, nudgedAnnotation, time.Now().UTC().Format(time.RFC3339Nano))
	for _, name := range view.short {
		_, err := o.Client.AppsV1().ReplicaSets(o.Namespace).Patch(ctx, name, types.MergePatchType, []byte(patch),
			metav1.PatchOptions{FieldManager: product.FieldManager})
		if err != nil && !apierrors.IsForbidden(err) && !apierrors.IsNotFound(err) {
			return fmt.Errorf("cannot have ReplicaSet %s tried again: %w", name, err)
		}
	}
	return nil
}

// fillBlocked names the ReplicaSets that lack pods, and replaces the reason by the newest
// one: the conditions of Deployment and ReplicaSet keep the first for as long as it goes on.
func (o *Observer) fillBlocked(ctx context.Context, view *View, sets []appsv1.ReplicaSet) error {
	var newest time.Time
	for i := range sets {
		set := &sets[i]
		if set.Spec.Replicas == nil || *set.Spec.Replicas <= set.Status.Replicas {
			continue
		}
		view.short = append(view.short, set.Name)
		events, err := o.events(ctx, set.UID)
		if err != nil {
			return err
		}
		if e := last(events, "FailedCreate"); e != nil && eventTime(*e).After(newest) {
			newest, view.Blocked = eventTime(*e), refusalOf(e)
		}
	}
	return nil
}

// refusalOf is what the API server said, without what was put before it.
func refusalOf(e *corev1.Event) string {
	_, message, found := strings.Cut(e.Message, "Error creating: ")
	if !found {
		return e.Message
	}
	return message
}

// refusal is how long the cluster has refused a release its pods.
type refusal struct {
	since, nudged time.Time
}

// note takes the newest view, has a refused pod tried again when it is time, and says
// whether waiting longer is of no use. What is to be shown of the view comes with it.
func (r *refusal) note(ctx context.Context, o *Observer, view *View) (shown *View, over bool) {
	if view.Blocked == "" {
		*r = refusal{}
		return view, false
	}
	now := time.Now()
	if r.since.IsZero() || view.Stopping() {
		// What a pod that ends still holds (quota) is free in a moment: only then it counts.
		r.since = now
	}
	left := settleFor(view.Blocked) - now.Sub(r.since)
	if left <= 0 {
		return view, true
	}
	if now.Sub(r.nudged) >= nudgeEvery {
		r.nudged = now
		// A nudge is no more than help: if the cluster is in trouble, the next look says so.
		_ = o.Nudge(ctx, view)
	}
	waiting := *view
	waiting.Blocked = fmt.Sprintf("%s (it is tried again for another %s)", view.Blocked, left.Round(time.Second))
	return &waiting, false
}
