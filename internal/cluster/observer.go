package cluster

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"slices"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/kubernetes"
)

const revisionAnnotation = "deployment.kubernetes.io/revision"

// Observer looks at one release's model server.
type Observer struct {
	Client    kubernetes.Interface
	Namespace string
	Release   string
	// Target holds the flags that chose this cluster (" --context X"), "" when none did: they
	// are put on every command that a hint tells users to type.
	Target string
}

// Look reads the Deployment, its pods, and the events and log lines of those that are not
// ready. A release without a Deployment gives a View without one, not an error.
func (o *Observer) Look(ctx context.Context) (*View, error) {
	selector := metav1.ListOptions{LabelSelector: Selector(o.Release)}
	deployments, err := o.Client.AppsV1().Deployments(o.Namespace).List(ctx, selector)
	if err != nil {
		return nil, err
	}
	view := &View{Release: o.Release, Pods: []Pod{}}
	hash := ""
	if len(deployments.Items) > 0 {
		deployment := &deployments.Items[0]
		view.fillDeployment(deployment)
		sets, err := o.replicaSets(ctx, deployment)
		if err != nil {
			return nil, err
		}
		hash = currentHash(deployment, sets)
		if view.Blocked != "" {
			if err := o.fillBlocked(ctx, view, sets); err != nil {
				return nil, err
			}
		}
	}
	pods, err := o.Client.CoreV1().Pods(o.Namespace).List(ctx, selector)
	if err != nil {
		return nil, err
	}
	for i := range pods.Items {
		p, err := o.examine(ctx, &pods.Items[i])
		if err != nil {
			return nil, err
		}
		p.Current = pods.Items[i].Labels[appsv1.DefaultDeploymentUniqueLabelKey] == hash
		view.Pods = append(view.Pods, p)
	}
	slices.SortFunc(view.Pods, func(a, b Pod) int {
		return cmp.Or(b.Created.Compare(a.Created), cmp.Compare(a.Name, b.Name))
	})
	view.weighEnded()
	return view, nil
}

// replicaSets returns those of the Deployment.
func (o *Observer) replicaSets(ctx context.Context, d *appsv1.Deployment) ([]appsv1.ReplicaSet, error) {
	list, err := o.Client.AppsV1().ReplicaSets(o.Namespace).List(ctx, metav1.ListOptions{LabelSelector: Selector(o.Release)})
	if err != nil {
		return nil, err
	}
	return slices.DeleteFunc(list.Items, func(set appsv1.ReplicaSet) bool { return !metav1.IsControlledBy(&set, d) }), nil
}

// currentHash returns the pod-template-hash of the Deployment's newest revision, by which its
// pods are told from those of older ones.
func currentHash(d *appsv1.Deployment, sets []appsv1.ReplicaSet) string {
	for i := range sets {
		if sets[i].Annotations[revisionAnnotation] == d.Annotations[revisionAnnotation] {
			return sets[i].Labels[appsv1.DefaultDeploymentUniqueLabelKey]
		}
	}
	return ""
}

func (o *Observer) events(ctx context.Context, uid types.UID) ([]corev1.Event, error) {
	return Events(ctx, o.Client, o.Namespace, uid)
}

// Events returns what happened to one object, the oldest first; nothing for who may not read it.
func Events(ctx context.Context, client kubernetes.Interface, namespace string, uid types.UID) ([]corev1.Event, error) {
	list, err := client.CoreV1().Events(namespace).List(ctx, metav1.ListOptions{FieldSelector: "involvedObject.uid=" + string(uid)})
	if apierrors.IsForbidden(err) {
		// Events only explain: who may not read them still gets the object's own state.
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	slices.SortStableFunc(list.Items, func(a, b corev1.Event) int { return eventTime(a).Compare(eventTime(b)) })
	return list.Items, nil
}

func (o *Observer) examine(ctx context.Context, pod *corev1.Pod) (Pod, error) {
	var events []corev1.Event
	// A pod that has ended says itself why, and there may be many.
	if !isReady(pod) && pod.DeletionTimestamp == nil && pod.Status.Phase != corev1.PodFailed {
		var err error
		if events, err = o.events(ctx, pod.UID); err != nil {
			return Pod{}, err
		}
	}
	p := diagnose(pod, events, o.Target)
	if p.wantsLog != nil {
		p.readLog(o.tail(ctx, p.Name, p.wantsLog))
	}
	return p, nil
}

// tail returns a container's last lines, or "" when they cannot be had: a log is an
// explanation, and its absence (a container gone meanwhile) must not hide the state.
func (o *Observer) tail(ctx context.Context, pod string, want *logRequest) string {
	limit := int64(64 << 10)
	stream, err := o.Client.CoreV1().Pods(o.Namespace).GetLogs(pod, &corev1.PodLogOptions{
		Container: want.container, Previous: want.previous, TailLines: &want.lines, LimitBytes: &limit,
	}).Stream(ctx)
	if err != nil {
		return ""
	}
	defer stream.Close()
	text, err := io.ReadAll(stream)
	if err != nil {
		return fmt.Sprintf("(the log broke off: %v)", err)
	}
	return string(text)
}

func eventTime(e corev1.Event) time.Time {
	if e.LastTimestamp.IsZero() {
		return e.EventTime.Time
	}
	return e.LastTimestamp.Time
}
