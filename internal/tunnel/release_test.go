package tunnel_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/kubernetes/fake"

	"github.com/kubectl-summarizer/kubectl-summarizer/internal/tunnel"
)

func labels(release string) map[string]string {
	return map[string]string{"app.kubernetes.io/instance": release, "app.kubernetes.io/component": "server"}
}

var spec = corev1.PodSpec{Containers: []corev1.Container{{
	Name: "vllm", Ports: []corev1.ContainerPort{{Name: "metrics", ContainerPort: 9}, {Name: "http", ContainerPort: 8000}},
}}}

func pod(name string, change ...func(*corev1.Pod)) *corev1.Pod {
	p := &corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{Namespace: "ns", Name: name, UID: types.UID("uid-" + name), Labels: labels("calls")},
		Spec:       spec,
		Status: corev1.PodStatus{
			Phase: corev1.PodRunning,
			Conditions: []corev1.PodCondition{
				{Type: corev1.PodScheduled, Status: corev1.ConditionTrue}, {Type: corev1.PodReady, Status: corev1.ConditionTrue},
			},
			ContainerStatuses: []corev1.ContainerStatus{{Name: "vllm", State: corev1.ContainerState{Running: &corev1.ContainerStateRunning{}}}},
		},
	}
	for _, f := range change {
		f(p)
	}
	return p
}

func notReady(p *corev1.Pod) { p.Status.Conditions[1].Status = corev1.ConditionFalse }

func deleting(p *corev1.Pod) { p.DeletionTimestamp = &metav1.Time{Time: time.Unix(1, 0)} }

func crashed(p *corev1.Pod) {
	notReady(p)
	ended := &corev1.ContainerStateTerminated{Reason: "OOMKilled", ExitCode: 137}
	p.Status.ContainerStatuses[0] = corev1.ContainerStatus{
		Name: "vllm", RestartCount: 1,
		State:                corev1.ContainerState{Waiting: &corev1.ContainerStateWaiting{Reason: "CrashLoopBackOff"}},
		LastTerminationState: corev1.ContainerState{Terminated: ended},
	}
}

func restarted(p *corev1.Pod) {
	crashed(p)
	p.Status.Conditions[1].Status = corev1.ConditionTrue
	p.Status.ContainerStatuses[0].State = corev1.ContainerState{Running: &corev1.ContainerStateRunning{}}
}

func deployment(release string, replicas int32) *appsv1.Deployment {
	return &appsv1.Deployment{
		ObjectMeta: metav1.ObjectMeta{Namespace: "ns", Name: release, Labels: labels(release)},
		Spec:       appsv1.DeploymentSpec{Replicas: &replicas, Template: corev1.PodTemplateSpec{Spec: spec}},
	}
}

func release(objects ...runtime.Object) *tunnel.Release {
	namespace := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: "ns"}}
	return &tunnel.Release{Client: fake.NewClientset(append(objects, namespace)...), Namespace: "ns", Name: "calls"}
}

func TestReadyPods(t *testing.T) {
	other := pod("z", func(p *corev1.Pod) { p.Labels = labels("others") })
	portless := pod("y", func(p *corev1.Pod) { p.Spec.Containers = []corev1.Container{{Name: "vllm"}} })
	got, err := release(pod("b"), pod("a", restarted), pod("c", notReady), pod("d", deleting), other, portless).Ready(t.Context())
	want := "[{ns a uid-a 8000 1} {ns b uid-b 8000 0}]"
	if err != nil || fmt.Sprint(got) != want {
		t.Fatalf("%v, %v", got, err)
	}
}

func TestWhyNoPodIsReady(t *testing.T) {
	argo := deployment("argocd", 1)
	argo.Spec.Template.Spec.Containers = []corev1.Container{{Name: "argocd-server"}}
	for name, c := range map[string]struct {
		objects []runtime.Object
		want    string
		nearest string
	}{
		"nothing there":     {nil, `there is no release "calls" in namespace "ns"`, ""},
		"another release":   {[]runtime.Object{deployment("call", 1), argo}, `there is no release "calls" in namespace "ns"`, "call"},
		"not one of ours":   {[]runtime.Object{argo}, `there is no release "calls" in namespace "ns"`, ""},
		"several, one near": {[]runtime.Object{deployment("mail", 1), deployment("cals", 1)}, `there is no release "calls" in namespace "ns"`, "cals"},
		"no pods yet":       {[]runtime.Object{deployment("calls", 1)}, `no pod of release "calls" is ready: it has no pods yet`, ""},
		"scaled to zero":    {[]runtime.Object{deployment("calls", 0)}, `no pod of release "calls" is ready: it is scaled to zero`, ""},
		"loading":           {[]runtime.Object{deployment("calls", 1), pod("a", notReady)}, `no pod of release "calls" is ready: pod a is loading the model`, ""},
		"crashing":          {[]runtime.Object{deployment("calls", 1), pod("a", crashed)}, `no pod of release "calls" is ready: pod a fails: OOMKilled (exit code 137)`, ""},
		"going":             {[]runtime.Object{deployment("calls", 1), pod("a", deleting)}, `no pod of release "calls" is ready: pod a is stopping`, ""},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := release(c.objects...).Ready(t.Context())
			var none *tunnel.NoPodError
			if !errors.As(err, &none) || !strings.HasPrefix(err.Error(), c.want) || none.Nearest != c.nearest {
				t.Fatalf("got  %v (nearest %q)\nwant %s (nearest %q)", err, none.Nearest, c.want, c.nearest)
			}
		})
	}
	lost := release()
	lost.Namespace = "nowhere"
	if _, err := lost.Ready(t.Context()); err == nil || err.Error() != `there is no namespace "nowhere"` {
		t.Fatal(err)
	}
}

func TestFateOfAPod(t *testing.T) {
	before := tunnel.Pod{Namespace: "ns", Name: "a", UID: "uid-a", Port: 8000}
	for want, objects := range map[string][]runtime.Object{
		"was deleted":                          {pod("b")},
		"is stopping":                          {pod("a", deleting)},
		"stopped: OOMKilled (exit code 137)":   {pod("a", crashed)},
		"restarted: OOMKilled (exit code 137)": {pod("a", restarted)},
		"is loading the model":                 {pod("a", notReady)},
		"":                                     {pod("a")},
	} {
		if got := release(objects...).Fate(t.Context(), before); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}

func TestReleaseNames(t *testing.T) {
	for name, valid := range map[string]bool{
		"summarizer": true, "a-1": true, "v1.2": true, strings.Repeat("a", 53): true,
		"": false, "A": false, "a_b": false, "-a": false, "a=b,c": false, strings.Repeat("a", 54): false,
	} {
		if err := tunnel.CheckName(name); (err == nil) != valid {
			t.Errorf("%q: %v", name, err)
		}
	}
}
