package runs

import (
	"context"
	"fmt"
	"strings"

	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/kubectl-summarizer/kubectl-summarizer/internal/cluster"
	"github.com/kubectl-summarizer/kubectl-summarizer/internal/product"
	"github.com/kubectl-summarizer/kubectl-summarizer/pkg/train"
)

// TrainJobs are Kubeflow Trainer's.
var TrainJobs = schema.GroupVersionResource{Group: "trainer.kubeflow.org", Version: "v1alpha1", Resource: "trainjobs"}

// stoppedAnnotation on a Job or TrainJob says when a person stopped it: a suspended one may also
// wait for its preparation or in a queue.
const stoppedAnnotation = product.Binary + "/stopped"

// fillWork reads the two parts of the run.
func (o *Observer) fillWork(ctx context.Context, run *Run, jobs []batchv1.Job) error {
	for i := range jobs {
		switch jobs[i].Name {
		case train.PrepareName(run.Name):
			run.Prepare = workOfJob(&jobs[i])
		case train.ObjectName(run.Name):
			run.Train = workOfJob(&jobs[i])
		}
	}
	if run.Options == nil || run.Options.Engine != train.EngineTrainJob {
		return nil
	}
	object, err := o.Dynamic.Resource(TrainJobs).Namespace(o.Namespace).Get(ctx, train.ObjectName(run.Name), metav1.GetOptions{})
	switch {
	case apierrors.IsNotFound(err):
		return nil
	case err != nil:
		return fmt.Errorf("cannot read the TrainJob of run %s: %w", run.Name, err)
	}
	run.Train = workOfTrainJob(object)
	return nil
}

func workOfJob(job *batchv1.Job) Work {
	w := Work{
		There: true, Name: job.Name, uid: string(job.UID), Failures: job.Status.Failed,
		Suspended: job.Spec.Suspend != nil && *job.Spec.Suspend,
		Stopped:   job.Annotations[stoppedAnnotation] != "",
		Queue:     queueOf(job), Active: job.Status.Active > 0,
	}
	for _, c := range job.Status.Conditions {
		if c.Status != corev1.ConditionTrue {
			continue
		}
		switch c.Type {
		case batchv1.JobComplete, batchv1.JobSuccessCriteriaMet:
			w.Complete, w.Finished = true, c.LastTransitionTime.Time
		case batchv1.JobFailed, batchv1.JobFailureTarget:
			w.Failed, w.Reason, w.Message, w.Finished = true, c.Reason, c.Message, c.LastTransitionTime.Time
		}
	}
	return w
}

func workOfTrainJob(object *unstructured.Unstructured) Work {
	suspended, _, _ := unstructured.NestedBool(object.Object, "spec", "suspend")
	w := Work{
		There: true, Name: object.GetName(), uid: string(object.GetUID()),
		Suspended: suspended, Stopped: object.GetAnnotations()[stoppedAnnotation] != "", Queue: queueOf(object),
	}
	conditions, _, _ := unstructured.NestedSlice(object.Object, "status", "conditions")
	for _, c := range conditions {
		condition, ok := c.(map[string]any)
		if !ok || condition["status"] != "True" {
			continue
		}
		text := func(key string) string { s, _ := condition[key].(string); return s }
		switch text("type") {
		case "Complete":
			w.Complete = true
		case "Failed":
			w.Failed, w.Reason, w.Message = true, text("reason"), text("message")
		}
	}
	w.Active = !w.Suspended && !w.Complete && !w.Failed
	return w
}

// queueOf is the queue that an object waits in, or will wait in once it is prepared.
func queueOf(object metav1.Object) string {
	if queue := object.GetLabels()[train.LabelQueue]; queue != "" {
		return queue
	}
	return object.GetAnnotations()[train.AnnotationQueue]
}

// fillBlocked says why a Job that should have a pod has none: quota and admission refuse pods
// and not Jobs, and only an event tells.
func (o *Observer) fillBlocked(ctx context.Context, run *Run, jobs []batchv1.Job) error {
	if run.Active() != nil {
		return nil
	}
	for i := range jobs {
		job := &jobs[i]
		w := workOfJob(job)
		if w.Suspended || w.Complete || w.Failed || w.Active || job.Name != run.Prepare.Name && job.Name != run.Train.Name {
			continue
		}
		events, err := cluster.Events(ctx, o.Client, o.Namespace, job.UID)
		if err != nil {
			return err
		}
		for _, e := range events {
			if e.Reason == "FailedCreate" {
				_, message, found := strings.Cut(e.Message, "Error creating: ")
				if !found {
					message = e.Message
				}
				run.Blocked = message
			}
		}
	}
	return nil
}
