package tunnel

import (
	"context"
	"fmt"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/validation"
	"k8s.io/client-go/kubernetes"
	"k8s.io/kubectl/pkg/util/podutils"

	"github.com/kubectl-summarizer/kubectl-summarizer/internal/cluster"
)

// portName is the name of the server's container port in the chart.
const portName = "http"

// Pod is a server pod that takes requests.
type Pod struct {
	Namespace, Name string
	UID             string
	Port            int32
	Restarts        int32 // of the server's container, when the pod was chosen
}

// Source knows which pods are ready now. With none it returns a *NoPodError.
type Source interface {
	Ready(ctx context.Context) ([]Pod, error)
}

// Release is an installed release, looked up anew at every call.
type Release struct {
	Client          kubernetes.Interface
	Namespace, Name string
	// Target holds the flags that chose this cluster (" --context X"), for commands in hints.
	Target string
}

// maxName is Helm's limit for the name of a release.
const maxName = 53

// CheckName refuses a name that no release can have, before it becomes part of a query by
// label.
func CheckName(release string) error {
	if len(release) > maxName || len(validation.IsDNS1123Subdomain(release)) > 0 {
		return fmt.Errorf("%q is not a release name: use lower case letters, digits and '-', at most %d", release, maxName)
	}
	return nil
}

// Ready lists the pods that are ready and not about to go.
func (r *Release) Ready(ctx context.Context) ([]Pod, error) {
	list, err := r.Client.CoreV1().Pods(r.Namespace).List(ctx, metav1.ListOptions{LabelSelector: cluster.Selector(r.Name)})
	if err != nil {
		return nil, err
	}
	pods := make([]*corev1.Pod, len(list.Items))
	for i := range list.Items {
		pods[i] = &list.Items[i]
	}
	if ready := readyOf(pods); len(ready) > 0 {
		return ready, nil
	}
	return nil, r.explain(ctx)
}

// readyOf picks the pods that take requests, by name so that every caller sees one order.
func readyOf(pods []*corev1.Pod) []Pod {
	var ready []Pod
	for _, pod := range pods {
		port, found := httpPort(pod)
		if !found || pod.DeletionTimestamp != nil || !podutils.IsPodReady(pod) {
			continue
		}
		ready = append(ready, Pod{
			Namespace: pod.Namespace, Name: pod.Name, UID: string(pod.UID), Port: port, Restarts: restarts(pod),
		})
	}
	slices.SortFunc(ready, func(a, b Pod) int { return strings.Compare(a.Name, b.Name) })
	return ready
}

func restarts(pod *corev1.Pod) int32 {
	for i := range pod.Status.ContainerStatuses {
		if status := &pod.Status.ContainerStatuses[i]; status.Name == cluster.ServerContainer {
			return status.RestartCount
		}
	}
	return 0
}

func httpPort(pod *corev1.Pod) (int32, bool) {
	for i := range pod.Spec.Containers {
		for _, port := range pod.Spec.Containers[i].Ports {
			if port.Name == portName {
				return port.ContainerPort, true
			}
		}
	}
	return 0, false
}
