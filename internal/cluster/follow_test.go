package cluster

import (
	"context"
	"errors"
	"net/url"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/kubernetes/fake"
	clienttesting "k8s.io/client-go/testing"
)

var (
	deployments = appsv1.SchemeGroupVersion.WithResource("deployments")
	pods        = corev1.SchemeGroupVersion.WithResource("pods")
	away        = &url.Error{Op: "Get", URL: "https://10.0.0.1/api", Err: syscall.ECONNREFUSED}
)

const (
	quota   = `pods "r-server-new-x" is forbidden: exceeded quota: gpus, requested: requests.nvidia.com/gpu=1`
	webhook = `Internal error occurred: failed calling webhook "inject.example": connection refused`
)

// followed is how a wait ended.
type followed struct {
	view  *View
	err   error
	after time.Duration
	shown []View
}

// follow waits for the release of a cluster, on a clock of the test's own that runs only
// while everything waits. Prepare may arrange what happens meanwhile.
func follow(t *testing.T, objects []runtime.Object, prepare func(client *fake.Clientset, cancel context.CancelFunc)) (f followed) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeoutCause(t.Context(), 10*time.Minute, context.DeadlineExceeded)
		defer cancel()
		o, client := observe(objects...)
		start := time.Now()
		if prepare != nil {
			prepare(client, cancel)
		}
		f.view, f.err = o.Follow(ctx, func(v *View) { f.shown = append(f.shown, *v) })
		f.after = time.Since(start)
	})
	return f
}

// after does something later.
func after(d time.Duration, do func()) { time.AfterFunc(d, do) }

// update changes the Deployment of the cluster.
func update(client *fake.Clientset, change func(*appsv1.Deployment)) {
	if err := client.Tracker().Update(deployments, deployment(change), "ns"); err != nil {
		panic(err)
	}
}

func TestFollowUntilTheEnd(t *testing.T) {
	crash := func(p *corev1.Pod) {
		containers(corev1.ContainerState{Terminated: terminated(exitUsage, "Error", "")}, nil)(p)
	}
	stopping := pod("old", "old", 0, func(p *corev1.Pod) { p.DeletionTimestamp, p.Finalizers = &metav1.Time{Time: began}, []string{"x"} })
	set := replicaSet("2", "new", 1, 0)
	tests := map[string]struct {
		objects []runtime.Object
		prepare func(*fake.Clientset, context.CancelFunc)
		err     error
		want    func(*View) bool
		after   time.Duration
	}{
		"healthy at once": {objects: []runtime.Object{deployment(nil), set}, want: func(v *View) bool { return v.Healthy }},
		"healthy later, seen without delay": {
			objects: []runtime.Object{deployment(unavailable), set},
			prepare: func(c *fake.Clientset, _ context.CancelFunc) { after(time.Second, func() { update(c, nil) }) },
			want:    func(v *View) bool { return v.Healthy }, after: time.Second,
		},
		"failed":      {objects: []runtime.Object{deployment(unavailable), set, pod("a", "new", 0, crash)}, want: (*View).Failed},
		"scaled to 0": {objects: []runtime.Object{deployment(func(d *appsv1.Deployment) { d.Spec.Replicas = ptr[int32](0) }), set}, want: (*View).Idle},
		"removed meanwhile": {
			objects: []runtime.Object{deployment(unavailable), set},
			prepare: func(c *fake.Clientset, _ context.CancelFunc) {
				after(3*time.Second, func() { _ = c.Tracker().Delete(deployments, "ns", "r-server") })
			},
			want: func(v *View) bool { return v.Deployment == "" }, after: 3 * time.Second,
		},
		"cancelled": {
			objects: []runtime.Object{deployment(unavailable), set},
			prepare: func(_ *fake.Clientset, cancel context.CancelFunc) { after(5*time.Second, cancel) },
			err:     context.Canceled, want: func(v *View) bool { return !v.Healthy && v.Deployment != "" }, after: 5 * time.Second,
		},
		"out of time": {
			objects: []runtime.Object{deployment(unavailable), set},
			err:     context.DeadlineExceeded, want: func(v *View) bool { return !v.Healthy && v.Deployment != "" }, after: 10 * time.Minute,
		},
		"refused for as long as the old pod ends": {
			objects: []runtime.Object{deployment(refused(quota)), set, stopping},
			prepare: func(c *fake.Clientset, _ context.CancelFunc) {
				after(90*time.Second, func() { _ = c.Tracker().Delete(pods, "ns", "old"); update(c, nil) })
			},
			want: func(v *View) bool { return v.Healthy }, after: 90 * time.Second,
		},
		"a quota is full":   {objects: []runtime.Object{deployment(refused(quota)), set}, want: func(v *View) bool { return v.Blocked == quota }, after: 20 * time.Second},
		"Pod Security":      {objects: []runtime.Object{deployment(refused("violates PodSecurity")), set}, want: func(v *View) bool { return v.Blocked != "" }, after: 20 * time.Second},
		"a webhook is gone": {objects: []runtime.Object{deployment(refused(webhook)), set}, want: func(v *View) bool { return v.Blocked == webhook }, after: time.Minute},
		"a webhook restarts": {
			objects: []runtime.Object{deployment(refused(webhook)), set},
			prepare: func(c *fake.Clientset, _ context.CancelFunc) { after(45*time.Second, func() { update(c, nil) }) },
			want:    func(v *View) bool { return v.Healthy }, after: 45 * time.Second,
		},
		"refused again, later": {
			objects: []runtime.Object{deployment(refused(quota)), set},
			prepare: func(c *fake.Clientset, _ context.CancelFunc) {
				after(15*time.Second, func() { update(c, unavailable) })
				after(30*time.Second, func() { update(c, refused(quota)) })
			},
			want: func(v *View) bool { return v.Blocked == quota }, after: 50 * time.Second,
		},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			f := follow(t, tt.objects, tt.prepare)
			if !errors.Is(f.err, tt.err) || f.view == nil || !tt.want(f.view) {
				t.Fatalf("%+v, %v", f.view, f.err)
			}
			if late := f.after - tt.after; late < 0 || late > lookEvery {
				t.Errorf("it ended after %s, want %s", f.after, tt.after)
			}
			if len(f.shown) == 0 {
				t.Error("nothing was shown")
			}
		})
	}
}

// The API server of a small cluster is away while its control plane is resized.
func TestFollowWhileTheAPIServerIsAway(t *testing.T) {
	tests := map[string]struct {
		from, until time.Duration
		with        error
		err         error
		after       time.Duration
	}{
		"for a while":      {10 * time.Second, 100 * time.Second, away, nil, 100 * time.Second},
		"for too long":     {10 * time.Second, time.Hour, away, syscall.ECONNREFUSED, 10*time.Second + patience},
		"from the start":   {0, time.Hour, away, syscall.ECONNREFUSED, 0},
		"it takes no more": {10 * time.Second, time.Hour, apierrors.NewUnauthorized("expired"), apierrors.NewUnauthorized("expired"), 10 * time.Second},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			f := follow(t, []runtime.Object{deployment(unavailable), replicaSet("2", "new", 1, 0)}, func(c *fake.Clientset, _ context.CancelFunc) {
				start := time.Now()
				c.PrependReactor("*", "*", func(clienttesting.Action) (bool, runtime.Object, error) {
					since := time.Since(start)
					return since >= tt.from && since < tt.until, nil, tt.with
				})
				after(tt.until, func() { update(c, nil) })
			})
			if tt.err != nil && (f.err == nil || !strings.Contains(f.err.Error(), tt.err.Error())) || tt.err == nil && (f.err != nil || !f.view.Healthy) {
				t.Errorf("%+v, %v", f.view, f.err)
			}
			if late := f.after - tt.after; late < 0 || late > 2*lookEvery {
				t.Errorf("it ended after %s, want %s", f.after, tt.after)
			}
		})
	}
}

// The ReplicaSet controller does not see that a quota was raised: by itself it would try
// again minutes later.
func TestARaisedQuotaIsNoticedAtOnce(t *testing.T) {
	for raised, want := range map[time.Duration]time.Duration{0: 0, 7 * time.Second: 10 * time.Second} {
		f := follow(t, []runtime.Object{deployment(refused(quota)), replicaSet("1", "old", 0, 0), replicaSet("2", "new", 1, 0)}, func(c *fake.Clientset, _ context.CancelFunc) {
			start := time.Now()
			c.PrependReactor("patch", "replicasets", func(action clienttesting.Action) (bool, runtime.Object, error) {
				if name := action.(clienttesting.PatchAction).GetName(); name != "r-server-new" {
					t.Errorf("ReplicaSet %s was changed, which lacks no pod", name)
				}
				if time.Since(start) >= raised {
					after(time.Second, func() { update(c, nil) })
				}
				return false, nil, nil
			})
		})
		if f.err != nil || !f.view.Healthy || f.after != want+time.Second {
			t.Errorf("raised after %s: %v after %s: %+v", raised, f.err, f.after, f.view)
		}
		said := f.shown[0].Blocked
		if !strings.Contains(said, quota) || !strings.Contains(said, "tried again for another 20s") {
			t.Errorf("shown: %q", said)
		}
	}
}

func TestNudge(t *testing.T) {
	o, client := observe(deployment(refused(quota)), replicaSet("2", "new", 1, 0))
	view, err := o.Look(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	touched := func() string {
		set, err := client.AppsV1().ReplicaSets("ns").Get(t.Context(), "r-server-new", metav1.GetOptions{})
		if err != nil {
			t.Fatal(err)
		}
		if set.Annotations[revisionAnnotation] != "2" {
			t.Errorf("another annotation is lost: %v", set.Annotations)
		}
		return set.Annotations[nudgedAnnotation]
	}
	// A change that changes nothing would not reach the controller.
	before := touched()
	for range 2 {
		if err := o.Nudge(t.Context(), view); err != nil {
			t.Fatal(err)
		}
		now := touched()
		if now == before {
			t.Errorf("the ReplicaSet was not changed: %q", now)
		}
		before = now
	}
	var answer error
	client.PrependReactor("patch", "*", func(clienttesting.Action) (bool, runtime.Object, error) {
		return true, nil, answer
	})
	sets := schema.GroupResource{Group: "apps", Resource: "replicasets"}
	answer = apierrors.NewForbidden(sets, "r-server-new", errors.New("no right"))
	if err := o.Nudge(t.Context(), view); err != nil {
		t.Errorf("without the right: %v", err)
	}
	answer = apierrors.NewInternalError(errors.New("etcd is full"))
	if err := o.Nudge(t.Context(), view); err == nil || !strings.Contains(err.Error(), "r-server-new") {
		t.Errorf("error = %v", err)
	}
	if err := o.Nudge(t.Context(), &View{short: view.short}); err != nil {
		t.Errorf("a release that is not refused was nudged: %v", err)
	}
}
