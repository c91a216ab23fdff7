package tunnel

import (
	"context"
	"fmt"
	"slices"
	"strings"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/kubectl-summarizer/kubectl-summarizer/internal/cluster"
	"github.com/kubectl-summarizer/kubectl-summarizer/pkg/nearest"
)

// NoPodError is a release without a ready pod.
type NoPodError struct {
	Namespace, Release string
	// Installed is false when there is nothing of the release in the namespace.
	Installed bool
	// NoNamespace is true when not even the namespace exists.
	NoNamespace bool
	// State says what the release does instead of serving, such as "pod x-0 is loading the model".
	State string
	// Nearest is an installed release that may have been meant, or "".
	Nearest string
}

// Error says what is missing.
func (e *NoPodError) Error() string {
	switch {
	case e.NoNamespace:
		return fmt.Sprintf("there is no namespace %q", e.Namespace)
	case !e.Installed:
		return fmt.Sprintf("there is no release %q in namespace %q", e.Release, e.Namespace)
	}
	return fmt.Sprintf("no pod of release %q is ready: %s", e.Release, e.State)
}

func (r *Release) observer() *cluster.Observer {
	return &cluster.Observer{Client: r.Client, Namespace: r.Namespace, Release: r.Name, Target: r.Target}
}

// explain says why there is no ready pod.
func (r *Release) explain(ctx context.Context) error {
	view, err := r.observer().Look(ctx)
	if err != nil {
		return err
	}
	e := &NoPodError{Namespace: r.Namespace, Release: r.Name}
	if view.Deployment == "" && len(view.Pods) == 0 {
		_, err := r.Client.CoreV1().Namespaces().Get(ctx, r.Namespace, metav1.GetOptions{})
		e.NoNamespace = apierrors.IsNotFound(err)
		e.Nearest = r.nearest(ctx)
		return e
	}
	e.Installed, e.State = true, stateOf(view)
	return e
}

// nearest returns the installed release whose name is close to the wanted one, or the only one.
func (r *Release) nearest(ctx context.Context) string {
	list, err := r.Client.AppsV1().Deployments(r.Namespace).List(ctx, metav1.ListOptions{
		LabelSelector: cluster.LabelComponent + "=server",
	})
	if err != nil {
		return "" // only a hint
	}
	var names []string
	for i := range list.Items {
		deployment := &list.Items[i]
		if isServer(deployment) {
			names = append(names, deployment.Labels[cluster.LabelInstance])
		}
	}
	if len(names) == 1 {
		return names[0]
	}
	name, found := nearest.Name(r.Name, names)
	if !found {
		return ""
	}
	return name
}

// isServer tells the chart's Deployments from those of others with the same common labels.
func isServer(d *appsv1.Deployment) bool {
	return d.Labels[cluster.LabelInstance] != "" && slices.ContainsFunc(d.Spec.Template.Spec.Containers,
		func(c corev1.Container) bool { return c.Name == cluster.ServerContainer })
}

var doing = map[cluster.Phase]string{
	cluster.Creating:    "is being created",
	cluster.Unscheduled: "waits for a node",
	cluster.Preparing:   "is being prepared",
	cluster.Pulling:     "is pulling its image",
	cluster.Downloading: "is downloading the model",
	cluster.Loading:     "is loading the model",
	cluster.Ready:       "has become ready",
	cluster.Failing:     "fails",
	cluster.Stopping:    "is stopping",
}

// stateOf says in one line what a release does instead of serving; the status verb tells
// the whole story.
func stateOf(view *cluster.View) string {
	pod := view.Furthest()
	switch {
	case view.Blocked != "":
		return "its pods are refused: " + view.Blocked
	case view.Deployment != "" && view.Desired == 0:
		return "it is scaled to zero"
	case pod == nil && len(view.Pods) > 0:
		pod = &view.Pods[0]
	case pod == nil:
		return "it has no pods yet"
	}
	return "pod " + pod.Name + " " + podState(pod)
}

func podState(pod *cluster.Pod) string {
	state := doing[pod.Phase]
	if pod.Phase == cluster.Loading && pod.Reason == "" {
		return state // the message is the log's last line: for the status verb
	}
	for _, why := range []string{pod.Reason, pod.Message} {
		if why = strings.Join(strings.Fields(why), " "); why != "" {
			state += ": " + why
		}
	}
	return state
}

// Fate says what became of a pod whose connection broke, or "" when the cluster shows
// nothing unusual (yet).
func (r *Release) Fate(ctx context.Context, pod Pod) string {
	view, err := r.observer().Look(ctx)
	if err != nil {
		return ""
	}
	for i := range view.Pods {
		if now := &view.Pods[i]; now.Name == pod.Name {
			switch {
			case now.Phase == cluster.Ready && now.Restarts > pod.Restarts:
				return "restarted: " + now.LastExit
			case now.Phase == cluster.Ready:
				return ""
			case now.Phase == cluster.Failing:
				return "stopped: " + now.Reason
			}
			return podState(now)
		}
	}
	return "was deleted"
}
