package runs_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	clienttesting "k8s.io/client-go/testing"

	"github.com/kubectl-summarizer/kubectl-summarizer/internal/failure"
	"github.com/kubectl-summarizer/kubectl-summarizer/internal/runs"
	"github.com/kubectl-summarizer/kubectl-summarizer/internal/runs/runstest"
	"github.com/kubectl-summarizer/kubectl-summarizer/pkg/train"
)

var jobs = schema.GroupVersionResource{Group: "batch", Version: "v1", Resource: "jobs"}

// planned are the objects of a run that is to be created.
func planned(t *testing.T, options train.Options) []*unstructured.Unstructured {
	t.Helper()
	options.Namespace = runstest.Namespace
	objects, err := runs.Objects(runstest.Spec("r"), options)
	if err != nil {
		t.Fatal(err)
	}
	return objects
}

func kinds(objects []*unstructured.Unstructured) []string {
	var all []string
	for _, o := range objects {
		all = append(all, o.GetKind()+"/"+o.GetName())
	}
	return all
}

func TestCreate(t *testing.T) {
	client := runstest.NewDynamic()
	o := &runs.Observer{Dynamic: client, Namespace: runstest.Namespace}
	objects := planned(t, train.Options{Image: "i"})
	if err := o.Create(t.Context(), objects); err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(client.Made, kinds(objects)) {
		t.Errorf("made %v", client.Made)
	}
	for _, object := range objects {
		text, found, _ := unstructured.NestedString(object.Object, "data", runs.KeyOptions)
		if is := object.GetKind() == "ConfigMap" && object.GetName() == "train-r"; found != is || is && !strings.Contains(text, `"image":"i"`) {
			t.Errorf("%s: options %q", object.GetName(), text)
		}
	}
}

// Whatever cannot be made, and whoever stops it: nothing stays of what was made before.
func TestCreateLeavesNothing(t *testing.T) {
	for _, refused := range []string{"ServiceAccount", "Role", "RoleBinding", "ConfigMap", "PersistentVolumeClaim", "Job"} {
		ctx, cancel := context.WithCancel(t.Context())
		client := runstest.NewDynamic()
		client.Refuse = func(object *unstructured.Unstructured, _ bool) error {
			if object.GetKind() == refused {
				cancel() // as after Ctrl-C
				return apierrors.NewInternalError(errors.New("no room"))
			}
			return nil
		}
		o := &runs.Observer{Dynamic: client, Namespace: runstest.Namespace}
		err := o.Create(ctx, planned(t, train.Options{}))
		if err == nil || !strings.Contains(err.Error(), "no room") || !strings.Contains(err.Error(), strings.ToLower(refused)) {
			t.Errorf("%s: %v", refused, err)
		}
		owned, err := o.Owned(t.Context(), "r", false)
		if err != nil || len(owned) > 0 {
			t.Errorf("%s: %v stay, %v", refused, kinds(owned), err)
		}
	}
}

func TestWhatCannotBeTakenBackIsSaid(t *testing.T) {
	client := runstest.NewDynamic()
	client.Refuse = func(object *unstructured.Unstructured, _ bool) error {
		if object.GetKind() == "Job" {
			return apierrors.NewInternalError(errors.New("no room"))
		}
		return nil
	}
	client.PrependReactor("delete", "roles", func(clienttesting.Action) (bool, runtime.Object, error) {
		return true, nil, apierrors.NewInternalError(errors.New("etcd is away"))
	})
	o := &runs.Observer{Dynamic: client, Namespace: runstest.Namespace}
	err := o.Create(t.Context(), planned(t, train.Options{}))
	if err == nil || !strings.Contains(err.Error(), "could not be removed again: cannot delete role.rbac.authorization.k8s.io/train-r") {
		t.Error(err)
	}
}

func TestTrial(t *testing.T) {
	forbidden := func(message string) error {
		return apierrors.NewForbidden(schema.GroupResource{Resource: "x"}, "x", errors.New(message))
	}
	for name, test := range map[string]struct {
		refuse func(*unstructured.Unstructured) error
		says   []string
		next   string
		fails  bool
	}{
		"all is taken": {refuse: func(*unstructured.Unstructured) error { return nil }},
		"no right": {refuse: func(o *unstructured.Unstructured) error {
			if o.GetKind() == "Role" {
				return forbidden(`User "u" cannot create resource "roles"`)
			}
			return nil
		}, says: []string{"would refuse role.rbac.authorization.k8s.io/train-r"}, next: "kubectl auth can-i --list"},
		"quota for the pods": {refuse: func(o *unstructured.Unstructured) error {
			if o.GetKind() == "Pod" && o.GetGenerateName() == "train-r-" {
				return forbidden("exceeded quota: gpus")
			}
			return nil
		}, says: []string{"would refuse the pods of job.batch/train-r: "}, next: "kubectl describe resourcequota"},
		"a policy of its own words": {refuse: func(o *unstructured.Unstructured) error {
			if o.GetKind() == "Pod" {
				return forbidden("denied by gatekeeper")
			}
			return nil
		}, says: []string{"the pods of job.batch/train-r: ", "the pods of job.batch/train-r-prepare: "}, next: "--skip-checks"},
		"pods may be made by the controller only": {refuse: func(o *unstructured.Unstructured) error {
			if o.GetKind() == "Pod" {
				return forbidden(`User "u" cannot create resource "pods"`)
			}
			return nil
		}},
		"the volume is there": {refuse: func(o *unstructured.Unstructured) error {
			if o.GetKind() == "PersistentVolumeClaim" {
				return apierrors.NewAlreadyExists(schema.GroupResource{Resource: "persistentvolumeclaims"}, "train-r")
			}
			return nil
		}, says: []string{"already exists"}, next: "--claim train-r"},
		"the cluster is busy": {refuse: func(*unstructured.Unstructured) error { return apierrors.NewTooManyRequests("later", 1) }, fails: true},
		"no Kubeflow": {refuse: func(o *unstructured.Unstructured) error {
			if o.GetKind() == "TrainJob" {
				return apierrors.NewNotFound(schema.GroupResource{}, "")
			}
			return nil
		}, says: []string{"Kubeflow Trainer is not installed"}, next: "helm install kubeflow-trainer"},
	} {
		t.Run(name, func(t *testing.T) {
			client := runstest.NewDynamic()
			client.Refuse = func(object *unstructured.Unstructured, trial bool) error {
				if !trial {
					t.Errorf("%s was made", object.GetName())
				}
				return test.refuse(object)
			}
			o := &runs.Observer{Dynamic: client, Namespace: runstest.Namespace}
			options := train.Options{}
			if name == "no Kubeflow" {
				options.Engine = train.EngineTrainJob
			}
			found, err := o.Trial(t.Context(), planned(t, options))
			if test.fails != (err != nil) {
				t.Fatal(err)
			}
			if len(found) != len(test.says) {
				t.Fatalf("%v", found)
			}
			for i, says := range test.says {
				if !strings.Contains(found[i].Error(), says) || !strings.Contains(found[i].Next, test.next) || found[i].Kind != failure.Refused {
					t.Errorf("%v\n%s", found[i], found[i].Next)
				}
			}
			for _, tried := range client.Tried {
				if strings.HasPrefix(tried, "Pod/") && tried != "Pod/train-r-" && tried != "Pod/train-r-prepare-" {
					t.Errorf("tried %s", tried)
				}
			}
		})
	}
}

func TestOwnedAndDelete(t *testing.T) {
	objects := with(t, active)
	other := runstest.Objects(t, runstest.Spec("r2"), train.Options{})
	o, client := live(t, append(objects, other...))
	owned, err := o.Owned(t.Context(), "r", true)
	if err != nil || slices.Contains(kinds(owned), "PersistentVolumeClaim/train-r") {
		t.Fatalf("%v %v", kinds(owned), err)
	}
	owned, err = o.Owned(t.Context(), "r", false)
	want := []string{"Job/train-r", "Job/train-r-prepare", "RoleBinding/train-r", "Role/train-r", "ServiceAccount/train-r", "PersistentVolumeClaim/train-r", "ConfigMap/train-r-code", "ConfigMap/train-r"}
	if err != nil || !slices.Equal(kinds(owned), want) {
		t.Fatalf("%v %v", kinds(owned), err)
	}
	gone, err := o.Delete(t.Context(), owned)
	if err != nil || len(gone) != len(owned) {
		t.Fatalf("%v %v", gone, err)
	}
	if left, err := o.Owned(t.Context(), "r", false); err != nil || len(left) > 0 {
		t.Errorf("%v %v", kinds(left), err)
	}
	if left, err := o.Owned(t.Context(), "r2", false); err != nil || len(left) != len(want) {
		t.Errorf("of the other run stay %v %v", kinds(left), err)
	}
	_ = client
}

// Going on replaces the Jobs and the specification, and leaves the rest as it is.
func TestAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		objects := with(t, prepared, failed("PodFailurePolicy", "exit code 5"), record(t, train.KeyError, `{"event":"error","kind":"memory"}`))
		o, client := live(t, objects)
		// A Job goes only when its pods have gone.
		kept := map[string]bool{}
		client.PrependReactor("delete", "jobs", func(action clienttesting.Action) (bool, runtime.Object, error) {
			name := action.(clienttesting.DeleteAction).GetName()
			if !kept[name] {
				kept[name] = true
				time.AfterFunc(5*time.Second, func() { _ = client.Tracker().Delete(jobs, runstest.Namespace, name) })
			}
			return true, nil, nil
		})
		run, err := o.Look(t.Context(), "r")
		if err != nil {
			t.Fatal(err)
		}
		spec := runstest.Spec("r")
		spec.Training.BatchSize = 2
		again, err := runs.Objects(spec, train.Options{Namespace: runstest.Namespace})
		if err != nil {
			t.Fatal(err)
		}
		waited := map[string]bool{}
		if err := o.Again(t.Context(), run, again, func(what string) { waited[what] = true }); err != nil {
			t.Fatal(err)
		}
		if !waited["job.batch/train-r and its pods end"] {
			t.Errorf("waited for %v", waited)
		}
		if training := jobOf(t, client, "train-r"); len(training.Status.Conditions) > 0 || !*training.Spec.Suspend {
			t.Errorf("%+v", training.Status)
		}
		object, err := client.Resource(corev1.SchemeGroupVersion.WithResource("configmaps")).Namespace(runstest.Namespace).Get(t.Context(), "train-r", metav1.GetOptions{})
		if err != nil {
			t.Fatal(err)
		}
		data, _, _ := unstructured.NestedStringMap(object.Object, "data")
		if !strings.Contains(data[train.KeySpec], "batchSize: 2") || data[train.KeyError] != "" || data[runs.KeyOptions] == "" {
			t.Errorf("%v", data)
		}
	})
}

func TestDataFrom(t *testing.T) {
	for _, test := range []struct {
		options train.Options
		want    string
	}{
		{train.Options{}, "samsum"}, {train.Options{LocalData: []byte("x")}, "local files"}, {train.Options{DataClaim: "pvc://c/p"}, "pvc://c/p"},
	} {
		text, err := runs.EncodeOptions(test.options)
		if err != nil {
			t.Fatal(err)
		}
		o, _ := live(t, runstest.Record(t, runstest.Objects(t, runstest.Spec("r"), test.options), "r", runs.KeyOptions, text))
		if run, err := o.Look(t.Context(), "r"); err != nil || run.DataFrom() != test.want {
			t.Errorf("%v, want %s", err, test.want)
		}
	}
}

// The scheduler waits for a volume without a word: the claim's own events tell.
func TestAVolumeThatDoesNotCome(t *testing.T) {
	objects := with(t, active, pod(train.ComponentPrepare, "p1", 1, func(p *corev1.Pod) {
		runstest.Unscheduled("")(p)
		p.Spec.Volumes = []corev1.Volume{{Name: "w", VolumeSource: corev1.VolumeSource{PersistentVolumeClaim: &corev1.PersistentVolumeClaimVolumeSource{ClaimName: "train-r"}}}}
	}))
	for _, o := range objects {
		if claim, ok := o.(*corev1.PersistentVolumeClaim); ok {
			claim.UID, claim.Status.Phase = "c1", corev1.ClaimPending
		}
	}
	// The fake does not select events by what they are about.
	event := &corev1.Event{ObjectMeta: metav1.ObjectMeta{Name: "e", Namespace: runstest.Namespace}, InvolvedObject: corev1.ObjectReference{UID: "c1"},
		Reason: "ProvisioningFailed", Message: "quota SSD_TOTAL_GB exceeded"}
	o, _ := live(t, append(objects, event))
	run, err := o.Look(t.Context(), "r")
	if err != nil || run.State != runs.Waiting || run.Message != "waiting for the volume train-r: quota SSD_TOTAL_GB exceeded" {
		t.Errorf("%+v %v", run, err)
	}
}

func TestLocalData(t *testing.T) {
	o, _ := live(t, runstest.Objects(t, runstest.Spec("r"), train.Options{LocalData: []byte("files")}))
	if data, err := o.LocalData(t.Context(), "r"); err != nil || string(data) != "files" {
		t.Errorf("%q %v", data, err)
	}
	if data, err := o.LocalData(t.Context(), "other"); err != nil || data != nil {
		t.Errorf("%q %v", data, err)
	}
}
