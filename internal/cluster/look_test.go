package cluster

import (
	"strings"
	"testing"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/fields"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/kubernetes/fake"
	clienttesting "k8s.io/client-go/testing"
)

// The cluster of these tests holds one release, r in namespace ns, at its second revision.
var began = time.Date(2026, 11, 1, 12, 0, 0, 0, time.UTC)

// observe returns an observer of a cluster in which these objects are.
func observe(objects ...runtime.Object) (*Observer, *fake.Clientset) {
	client := fake.NewClientset(objects...)
	// The stand-in does not know fields, by which an object's events are asked for.
	client.PrependReactor("list", "events", func(action clienttesting.Action) (bool, runtime.Object, error) {
		all, err := client.Tracker().List(action.GetResource(), corev1.SchemeGroupVersion.WithKind("Event"), action.GetNamespace())
		if err != nil {
			return true, nil, err
		}
		selector := action.(clienttesting.ListAction).GetListRestrictions().Fields
		found := &corev1.EventList{}
		for _, e := range all.(*corev1.EventList).Items {
			if selector.Matches(fields.Set{"involvedObject.uid": string(e.InvolvedObject.UID)}) {
				found.Items = append(found.Items, e)
			}
		}
		return true, found, nil
	})
	return &Observer{Client: client, Namespace: "ns", Release: "r", Target: there}, client
}

func labels(more ...string) map[string]string {
	all := map[string]string{LabelInstance: "r", LabelComponent: "server"}
	for i := 0; i < len(more); i += 2 {
		all[more[i]] = more[i+1]
	}
	return all
}

// deployment is one of one replica that is healthy until change says otherwise.
func deployment(change func(*appsv1.Deployment)) *appsv1.Deployment {
	d := &appsv1.Deployment{
		ObjectMeta: metav1.ObjectMeta{Name: "r-server", Namespace: "ns", UID: "deployment", Generation: 2,
			Labels: labels(chartLabel, "vllm-summarizer-0.1.0"), Annotations: map[string]string{revisionAnnotation: "2"}},
		Spec:   appsv1.DeploymentSpec{Replicas: ptr[int32](1)},
		Status: appsv1.DeploymentStatus{ObservedGeneration: 2, Replicas: 1, UpdatedReplicas: 1, ReadyReplicas: 1, AvailableReplicas: 1},
	}
	if change != nil {
		change(d)
	}
	return d
}

// unavailable is a Deployment whose pod is not there yet.
func unavailable(d *appsv1.Deployment) { d.Status.ReadyReplicas, d.Status.AvailableReplicas = 0, 0 }

// refused is a Deployment whose pods the cluster does not take.
func refused(message string) func(*appsv1.Deployment) {
	return func(d *appsv1.Deployment) {
		d.Status = appsv1.DeploymentStatus{ObservedGeneration: 2, Conditions: []appsv1.DeploymentCondition{
			{Type: appsv1.DeploymentReplicaFailure, Status: corev1.ConditionTrue, Reason: "FailedCreate", Message: message},
		}}
	}
}

// replicaSet is the Deployment's of a revision, whose pods carry the hash.
func replicaSet(revision, hash string, wanted, there int32) *appsv1.ReplicaSet {
	return &appsv1.ReplicaSet{
		ObjectMeta: metav1.ObjectMeta{Name: "r-server-" + hash, Namespace: "ns", UID: types.UID("set-" + hash),
			Labels:          labels(appsv1.DefaultDeploymentUniqueLabelKey, hash),
			Annotations:     map[string]string{revisionAnnotation: revision},
			OwnerReferences: []metav1.OwnerReference{{Kind: "Deployment", Name: "r-server", UID: "deployment", Controller: ptr(true)}}},
		Spec:   appsv1.ReplicaSetSpec{Replicas: ptr(wanted)},
		Status: appsv1.ReplicaSetStatus{Replicas: there},
	}
}

// pod is one of the ReplicaSet with that hash, younger than the release by after.
func pod(name, hash string, after time.Duration, change func(*corev1.Pod)) *corev1.Pod {
	p := &corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{Name: name, Namespace: "ns", UID: types.UID(name), Labels: labels(appsv1.DefaultDeploymentUniqueLabelKey, hash),
			CreationTimestamp: metav1.NewTime(began.Add(after))},
		Spec:   corev1.PodSpec{NodeName: "node-1", Containers: []corev1.Container{{Name: ServerContainer, Image: "x:y"}}},
		Status: corev1.PodStatus{Phase: corev1.PodPending, Conditions: []corev1.PodCondition{{Type: corev1.PodScheduled, Status: corev1.ConditionTrue}}},
	}
	if change != nil {
		change(p)
	}
	return p
}

func readyPod(p *corev1.Pod) {
	p.Status.Conditions = append(p.Status.Conditions, corev1.PodCondition{Type: corev1.PodReady, Status: corev1.ConditionTrue})
}

func failedCreate(uid types.UID, minutes int, message string) *corev1.Event {
	return &corev1.Event{ObjectMeta: metav1.ObjectMeta{Name: string(uid) + message[:12], Namespace: "ns"}, InvolvedObject: corev1.ObjectReference{UID: uid},
		Reason: "FailedCreate", Message: message, LastTimestamp: metav1.NewTime(began.Add(time.Duration(minutes) * time.Minute))}
}

// Healthy is what an installation waits for. Helm calls a release ready with 0 of 1 pods
// where one may be unavailable, as with this chart's strategies; that is no health.
func TestHealthy(t *testing.T) {
	tests := map[string]struct {
		change  func(*appsv1.Deployment)
		healthy bool
		idle    bool
	}{
		"1 of 1": {nil, true, false},
		"0 of 1, Recreate": {func(d *appsv1.Deployment) {
			unavailable(d)
			d.Spec.Strategy.Type = appsv1.RecreateDeploymentStrategyType
		}, false, false},
		"0 of 1, which may be unavailable": {func(d *appsv1.Deployment) {
			unavailable(d)
			d.Spec.Strategy.RollingUpdate = &appsv1.RollingUpdateDeployment{}
		}, false, false},
		"no pod yet":                {func(d *appsv1.Deployment) { d.Status = appsv1.DeploymentStatus{ObservedGeneration: 2} }, false, false},
		"only the old pod is there": {func(d *appsv1.Deployment) { d.Status.UpdatedReplicas = 0 }, false, false},
		"an old pod runs beside":    {func(d *appsv1.Deployment) { d.Status.Replicas = 2 }, false, false},
		"1 of 2":                    {func(d *appsv1.Deployment) { d.Spec.Replicas = ptr[int32](2) }, false, false},
		"the controller is behind":  {func(d *appsv1.Deployment) { d.Generation = 3 }, false, false},
		"no number means 1":         {func(d *appsv1.Deployment) { d.Spec.Replicas = nil }, true, false},
		"scaled to 0": {func(d *appsv1.Deployment) {
			d.Spec.Replicas, d.Status = ptr[int32](0), appsv1.DeploymentStatus{ObservedGeneration: 2}
		}, false, true},
		"about to be scaled to 0": {func(d *appsv1.Deployment) { d.Spec.Replicas, d.Generation = ptr[int32](0), 3 }, false, false},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			o, _ := observe(deployment(tt.change), replicaSet("2", "new", 1, 1))
			view, err := o.Look(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			if view.Healthy != tt.healthy || view.Idle() != tt.idle || view.Deployment != "r-server" {
				t.Errorf("Deployment %q healthy %v idle %v, want %v %v", view.Deployment, view.Healthy, view.Idle(), tt.healthy, tt.idle)
			}
		})
	}
}

func TestLook(t *testing.T) {
	crash := func(p *corev1.Pod) {
		crashed(corev1.ContainerState{Waiting: &corev1.ContainerStateWaiting{Reason: "CrashLoopBackOff"}}, 3, *terminated(1, "Error", ""))(p)
	}
	low := "The node was low on resource: ephemeral-storage. Threshold quantity: 10, available: 8. "
	devices := "Pod was rejected: Allocate failed due to no healthy devices present"
	const m = time.Minute
	tests := map[string]struct {
		deployment func(*appsv1.Deployment)
		there      []runtime.Object
		failed     bool
		furthest   string
		message    string // of the furthest
		next       string
		blocked    string
	}{
		"nothing but the Deployment": {deployment: unavailable},
		"an old pod fails":           {deployment: unavailable, there: []runtime.Object{pod("old", "old", 0, crash), pod("new", "new", 1*m, nil)}, furthest: "new"},
		"a new pod fails": {
			deployment: unavailable, there: []runtime.Object{pod("old", "old", 0, readyPod), pod("new", "new", 1*m, crash)}, failed: true, furthest: "new", next: "kubectl logs",
		},
		"what is current is not known yet": {
			deployment: func(d *appsv1.Deployment) { unavailable(d); d.Generation = 3 }, there: []runtime.Object{pod("new", "new", 1*m, crash)}, furthest: "new",
		},
		"evicted once, the next is on its way": {
			deployment: unavailable, there: []runtime.Object{pod("a", "new", 0, ended("Evicted", low)), pod("b", "new", 9*m, nil)},
			furthest: "b", message: "the pod before it ended: Evicted: The node was low on resource: ephemeral-storage",
		},
		"evicted twice": {
			deployment: unavailable, there: []runtime.Object{pod("a", "new", 0, ended("Evicted", low)), pod("b", "new", 9*m, ended("Evicted", low)), pod("c", "new", 18*m, nil)},
			failed: true, furthest: "b", message: "low on resource", next: "resources.requests.ephemeral-storage",
		},
		"evicted for two reasons": {
			deployment: unavailable, there: []runtime.Object{pod("a", "new", 0, ended("Evicted", low)), pod("b", "new", 9*m, ended("OutOfcpu", "")), pod("c", "new", 18*m, nil)},
			furthest: "c", message: "the pod before it ended: OutOfcpu",
		},
		"the third stays": {
			deployment: unavailable, there: []runtime.Object{pod("a", "new", 0, ended("Evicted", low)), pod("b", "new", 9*m, ended("Evicted", low)), pod("c", "new", 18*m, readyPod)},
			furthest: "c",
		},
		"one replica stays, the other is evicted over and over": {
			deployment: unavailable, there: []runtime.Object{pod("a", "new", 0, readyPod), pod("b", "new", 9*m, ended("Evicted", low)), pod("c", "new", 18*m, ended("Evicted", low))},
			failed: true, furthest: "c",
		},
		"evicted last week": {
			deployment: unavailable, there: []runtime.Object{pod("a", "new", 0, ended("Evicted", low)), pod("b", "new", 9*m, ended("Evicted", low)), pod("c", "new", 9999*m, nil)},
			furthest: "c",
		},
		"pods of the old revision were evicted": {
			deployment: unavailable, there: []runtime.Object{pod("a", "old", 0, ended("Evicted", low)), pod("b", "old", 9*m, ended("Evicted", low)), pod("c", "new", 18*m, nil)},
			furthest: "c",
		},
		"its node refuses every pod": {
			deployment: unavailable, there: []runtime.Object{pod("a", "new", 0, ended("UnexpectedAdmissionError", devices)), pod("b", "new", 1*m, ended("UnexpectedAdmissionError", devices))},
			failed: true, furthest: "b", message: "no healthy devices", next: "kubectl describe node node-1",
		},
		"its node refuses some while it starts": {
			deployment: unavailable, there: []runtime.Object{pod("a", "new", 0, ended("UnexpectedAdmissionError", devices)), pod("b", "new", 2*time.Second, ended("UnexpectedAdmissionError", devices)), pod("c", "new", 4*time.Second, nil)},
			furthest: "c", message: "the pod before it ended: UnexpectedAdmissionError",
		},
		"spot nodes go": {
			deployment: unavailable, there: []runtime.Object{pod("a", "new", 0, ended("Terminated", "imminent node shutdown.")), pod("b", "new", 9*m, ended("Terminated", "imminent node shutdown.")), pod("c", "new", 18*m, nil)},
			furthest: "c", message: "imminent node shutdown",
		},
		"blocked": {deployment: refused("exceeded quota: gpus"), blocked: "exceeded quota: gpus"},
		"blocked, lately by something else": {
			deployment: refused("exceeded quota: gpus"),
			there:      []runtime.Object{failedCreate("set-new", 1, `Error creating: exceeded quota: gpus`), failedCreate("set-new", 2, `(combined from similar events): Error creating: violates PodSecurity`), failedCreate("set-old", 3, "Error creating: not this one")},
			blocked:    "violates PodSecurity",
		},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			o, _ := observe(append(tt.there, deployment(tt.deployment), replicaSet("1", "old", 0, 0), replicaSet("2", "new", 1, 0))...)
			view, err := o.Look(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			furthest := view.Furthest()
			if furthest == nil {
				furthest = &Pod{}
			}
			if view.Failed() != tt.failed || furthest.Name != tt.furthest || view.Blocked != tt.blocked {
				t.Errorf("failed %v, furthest %q, blocked %q; want %v, %q, %q", view.Failed(), furthest.Name, view.Blocked, tt.failed, tt.furthest, tt.blocked)
			}
			if !strings.Contains(furthest.Message, tt.message) || !strings.Contains(furthest.Next, tt.next) {
				t.Errorf("message %q, next %q; want %q, %q", furthest.Message, furthest.Next, tt.message, tt.next)
			}
			aimed(t, furthest.Next)
		})
	}
}

func TestLookWithoutARelease(t *testing.T) {
	o, _ := observe()
	view, err := o.Look(t.Context())
	if err != nil || view.Deployment != "" || view.Healthy || view.Failed() || view.Idle() || len(view.Pods) > 0 {
		t.Errorf("%+v, %v", view, err)
	}
}
