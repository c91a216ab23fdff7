package runs_test

import (
	"slices"
	"testing"

	batchv1 "k8s.io/api/batch/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/kubectl-summarizer/kubectl-summarizer/internal/runs"
	"github.com/kubectl-summarizer/kubectl-summarizer/internal/runs/runstest"
	"github.com/kubectl-summarizer/kubectl-summarizer/pkg/train"
)

// live is a cluster with the run r, seen by both clients.
func live(t *testing.T, objects []runtime.Object) (*runs.Observer, *runstest.Dynamic) {
	t.Helper()
	dynamic := runstest.NewDynamic(objects...)
	return &runs.Observer{Client: runstest.New(objects...), Dynamic: dynamic, Namespace: runstest.Namespace}, dynamic
}

func jobOf(t *testing.T, client *runstest.Dynamic, name string) *batchv1.Job {
	t.Helper()
	object, err := client.Resource(jobs).Namespace(runstest.Namespace).Get(t.Context(), name, metav1.GetOptions{})
	if err != nil {
		t.Fatal(err)
	}
	job := &batchv1.Job{}
	if err := runtime.DefaultUnstructuredConverter.FromUnstructured(object.Object, job); err != nil {
		t.Fatal(err)
	}
	return job
}

// Stopping suspends what is at work and marks both parts; starting lets only the part go on whose
// turn it is: the training must not start before it is prepared.
func TestStopAndStart(t *testing.T) {
	const mark = "kubectl-summarizer/stopped"
	for name, test := range map[string]struct {
		objects []runtime.Object
		// suspended after the start: preparation and training
		prepare, train bool
	}{
		"while preparing": {with(t, active), false, true},
		"while training":  {with(t, prepared, started), false, false},
	} {
		t.Run(name, func(t *testing.T) {
			o, client := live(t, test.objects)
			run, err := o.Look(t.Context(), "r")
			if err != nil {
				t.Fatal(err)
			}
			if err := o.Stop(t.Context(), run, runstest.Began); err != nil {
				t.Fatal(err)
			}
			training := jobOf(t, client, "train-r")
			if !*training.Spec.Suspend || training.Annotations[mark] != "2026-11-25T10:00:00Z" {
				t.Errorf("training: %v %v", training.Spec.Suspend, training.Annotations)
			}
			if preparing := jobOf(t, client, "train-r-prepare"); !run.Prepare.Complete && (!*preparing.Spec.Suspend || preparing.Annotations[mark] == "") {
				t.Errorf("preparation: %v %v", preparing.Spec.Suspend, preparing.Annotations)
			}
			if err := o.Start(t.Context(), run); err != nil {
				t.Fatal(err)
			}
			training = jobOf(t, client, "train-r")
			preparing := jobOf(t, client, "train-r-prepare")
			if *training.Spec.Suspend != test.train || training.Annotations[mark] != "" {
				t.Errorf("training: %v %v", *training.Spec.Suspend, training.Annotations)
			}
			if preparing.Spec.Suspend != nil && *preparing.Spec.Suspend != test.prepare || preparing.Annotations[mark] != "" {
				t.Errorf("preparation: %v %v", preparing.Spec.Suspend, preparing.Annotations)
			}
		})
	}
}

// Kueue undoes a suspension by others: what stands for the run in its queue is taken out.
func TestStopInAQueue(t *testing.T) {
	objects := with(t, prepared, job("train-r", func(j *batchv1.Job) {
		runstest.Started(j)
		j.UID, j.Labels[train.LabelQueue] = "j1", "gpus"
	}))
	workload := &unstructured.Unstructured{Object: map[string]any{
		"apiVersion": "kueue.x-k8s.io/v1beta1", "kind": "Workload",
		"metadata": map[string]any{"name": "job-train-r", "namespace": runstest.Namespace, "labels": map[string]any{"kueue.x-k8s.io/job-uid": "j1"}},
		"spec":     map[string]any{"active": true},
	}}
	dynamic := runstest.NewDynamic(append(slices.Clone(objects), workload)...)
	o := &runs.Observer{Client: runstest.New(objects...), Dynamic: dynamic, Namespace: runstest.Namespace}
	run, err := o.Look(t.Context(), "r")
	if err != nil {
		t.Fatal(err)
	}
	isActive := func() bool {
		w, err := dynamic.Resource(schema.GroupVersionResource{Group: "kueue.x-k8s.io", Version: "v1beta1", Resource: "workloads"}).
			Namespace(runstest.Namespace).Get(t.Context(), "job-train-r", metav1.GetOptions{})
		if err != nil {
			t.Fatal(err)
		}
		on, _, _ := unstructured.NestedBool(w.Object, "spec", "active")
		return on
	}
	if err := o.Stop(t.Context(), run, runstest.Began); err != nil || isActive() {
		t.Errorf("%v, active %v", err, isActive())
	}
	if *jobOf(t, dynamic, "train-r").Spec.Suspend {
		t.Error("the Job itself was suspended, which Kueue would undo")
	}
	if err := o.Start(t.Context(), run); err != nil || !isActive() {
		t.Errorf("%v, active %v", err, isActive())
	}
}

// A TrainJob says how it is in conditions of its own, and is stopped as a Job is.
func TestTrainJobs(t *testing.T) {
	options := train.Options{Engine: train.EngineTrainJob}
	text, err := runs.EncodeOptions(options)
	if err != nil {
		t.Fatal(err)
	}
	objects := runstest.Record(t, runstest.Objects(t, runstest.Spec("r"), options), "r", runs.KeyOptions, text)
	runstest.Job(objects, "train-r-prepare", runstest.Ended(batchv1.JobComplete, "", ""))
	kubeflow := func(suspend bool, condition string) *unstructured.Unstructured {
		object := &unstructured.Unstructured{Object: map[string]any{
			"apiVersion": "trainer.kubeflow.org/v1alpha1", "kind": "TrainJob",
			"metadata": map[string]any{"name": "train-r", "namespace": runstest.Namespace}, "spec": map[string]any{"suspend": suspend},
		}}
		if condition != "" {
			conditions := []any{map[string]any{"type": condition, "status": "True", "reason": "R", "message": "m"}}
			object.Object["status"] = map[string]any{"conditions": conditions}
		}
		return object
	}
	for name, test := range map[string]struct {
		object *unstructured.Unstructured
		result bool
		state  runs.State
	}{
		"not started": {kubeflow(true, "Suspended"), false, runs.Pending},
		"failed":      {kubeflow(false, "Failed"), false, runs.Failed},
		"done":        {kubeflow(false, "Complete"), true, runs.Succeeded},
		"not there":   {nil, false, runs.Failed},
	} {
		known := slices.Clone(objects)
		if test.result {
			known = runstest.Record(t, runstest.Objects(t, runstest.Spec("r"), options), "r", train.KeyResult, runstest.Result("r", 0.5))
			runstest.Record(t, known, "r", runs.KeyOptions, text)
		}
		dynamic := runstest.NewDynamic()
		if test.object != nil {
			dynamic = runstest.NewDynamic(test.object)
		}
		o := &runs.Observer{Client: runstest.New(known...), Dynamic: dynamic, Namespace: runstest.Namespace}
		run, err := o.Look(t.Context(), "r")
		if err != nil || run.State != test.state {
			t.Errorf("%s: %+v %v", name, run, err)
		}
	}
	dynamic := runstest.NewDynamic(kubeflow(false, ""))
	o := &runs.Observer{Client: runstest.New(objects...), Dynamic: dynamic, Namespace: runstest.Namespace}
	run, err := o.Look(t.Context(), "r")
	if err == nil {
		err = o.Stop(t.Context(), run, runstest.Began)
	}
	if err != nil {
		t.Fatal(err)
	}
	object, err := dynamic.Resource(runs.TrainJobs).Namespace(runstest.Namespace).Get(t.Context(), "train-r", metav1.GetOptions{})
	if suspended, _, _ := unstructured.NestedBool(object.Object, "spec", "suspend"); err != nil || !suspended {
		t.Errorf("%v %v", object, err)
	}
}
