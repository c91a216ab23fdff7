package runs

import (
	"context"
	"fmt"
	"strings"

	batchv1 "k8s.io/api/batch/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/kubectl-summarizer/kubectl-summarizer/pkg/train"
)

// Task is a Job on a finished run: its publishing, or the probe of what serves it.
type Task struct {
	Run       string
	Component string
	// Job is its name.
	Job string
	// Objects are the Job and its orders.
	Objects []*unstructured.Unstructured
}

// Perform makes the Job anew and follows it to its end, as Follow does a run: Run in the
// updates, and what is returned, is the Job seen as a run of one part.
func (o *Observer) Perform(ctx context.Context, task Task, waiting func(string), hear func(Update)) (*Run, error) {
	for _, object := range task.Objects {
		if err := o.removeWhole(ctx, object, waiting); err != nil {
			return nil, err
		}
	}
	if err := o.Create(ctx, task.Objects); err != nil {
		return nil, err
	}
	f := o.newFollower(task.Run, hear)
	f.look = func(ctx context.Context) (*Run, error) { return o.lookTask(ctx, task) }
	return f.run(ctx)
}

// Discard deletes the Job and its orders, without waiting for its pods.
func (o *Observer) Discard(ctx context.Context, task Task) error {
	return o.takeBack(ctx, task.Objects)
}

func (o *Observer) lookTask(ctx context.Context, task Task) (*Run, error) {
	job, err := o.Client.BatchV1().Jobs(o.Namespace).Get(ctx, task.Job, metav1.GetOptions{})
	if apierrors.IsNotFound(err) {
		return nil, fmt.Errorf("job %s was deleted while it was followed", task.Job)
	}
	if err != nil {
		return nil, err
	}
	run := &Run{Name: task.Run, Namespace: o.Namespace, Prepare: Work{There: true, Complete: true}, Train: workOfJob(job), Pods: []Pod{}}
	pods, err := o.Client.CoreV1().Pods(o.Namespace).List(ctx, metav1.ListOptions{
		LabelSelector: train.Selector(task.Run) + "," + train.LabelComponent + "=" + task.Component,
	})
	if err != nil {
		return nil, err
	}
	for i := range pods.Items {
		if !metav1.IsControlledBy(&pods.Items[i], job) {
			continue // of an earlier attempt, and on its way out
		}
		if err := o.addPod(ctx, run, &pods.Items[i]); err != nil {
			return nil, err
		}
	}
	if err := o.fillBlocked(ctx, run, []batchv1.Job{*job}); err != nil {
		return nil, err
	}
	switch {
	case run.Train.Complete:
		run.State = Succeeded
	case run.Train.Failed:
		run.State = Failed
		explainTask(run, job.Name, o.Target)
	default:
		settleWorking(run)
	}
	return run, nil
}

func explainTask(run *Run, job, target string) {
	run.Reason, run.Message = run.Train.Reason, run.Train.Message
	if pod := lastFailed(run); pod != nil {
		run.Reason, run.Message, run.Next = lastWord(pod)
	}
	run.Next = strings.TrimSpace(fmt.Sprintf("%s\nsee its log: kubectl logs -n %s job/%s%s", run.Next, run.Namespace, job, target))
}
