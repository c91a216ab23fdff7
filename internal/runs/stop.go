package runs

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"

	"github.com/kubectl-summarizer/kubectl-summarizer/internal/cluster"
	"github.com/kubectl-summarizer/kubectl-summarizer/internal/product"
	"github.com/kubectl-summarizer/kubectl-summarizer/pkg/train"
)

// workloads are Kueue's view of what waits in its queues.
var workloads = schema.GroupVersionResource{Group: "kueue.x-k8s.io", Version: "v1beta1", Resource: "workloads"}

// jobUID is Kueue's label on a Workload, with the UID of what it stands for.
const jobUID = "kueue.x-k8s.io/job-uid"

// Stop suspends the run, so that its program writes a checkpoint and ends. Start undoes it.
func (o *Observer) Stop(ctx context.Context, run *Run, now time.Time) error {
	return o.suspend(ctx, run, true, now.UTC().Format(time.RFC3339))
}

// Start lets a stopped run go on.
func (o *Observer) Start(ctx context.Context, run *Run) error {
	return o.suspend(ctx, run, false, nil)
}

// suspend stops both parts of the run, or lets the one whose turn it is go on; mark is the
// annotation that tells a person's stop from a wait.
func (o *Observer) suspend(ctx context.Context, run *Run, stop bool, mark any) error {
	prepared := run.Prepare.Complete || !run.Prepare.There
	for _, part := range []struct {
		work *Work
		turn bool // the part may be at work now
	}{{&run.Train, prepared}, {&run.Prepare, !prepared}} {
		if !part.work.There || part.work.Complete || part.work.Failed {
			continue
		}
		patch := map[string]any{"metadata": map[string]any{"annotations": map[string]any{stoppedAnnotation: mark}}}
		queued := part.work.Queue != "" && part.turn
		if part.turn && !queued || stop && !queued {
			patch["spec"] = map[string]any{"suspend": stop}
		}
		if err := o.patchWork(ctx, run, part.work, patch); err != nil {
			return err
		}
		if queued {
			// Kueue undoes a suspension by anybody else.
			if err := o.activate(ctx, part.work, !stop); err != nil {
				return err
			}
		}
	}
	return nil
}

func (o *Observer) patchWork(ctx context.Context, run *Run, work *Work, patch map[string]any) error {
	resource := resources["Job"]
	if work == &run.Train && run.Options != nil && run.Options.Engine == train.EngineTrainJob {
		resource = TrainJobs
	}
	data, err := json.Marshal(patch)
	if err != nil {
		return err
	}
	_, err = o.Dynamic.Resource(resource).Namespace(o.Namespace).Patch(ctx, work.Name, types.MergePatchType, data, metav1.PatchOptions{FieldManager: product.FieldManager})
	if err != nil {
		return fmt.Errorf("cannot change %s %s: %w", resource.Resource, work.Name, err)
	}
	return nil
}

// activate lets Kueue run what stands for the work, or takes it out of the queue.
func (o *Observer) activate(ctx context.Context, work *Work, active bool) error {
	client := o.Dynamic.Resource(workloads).Namespace(o.Namespace)
	list, err := client.List(ctx, metav1.ListOptions{LabelSelector: jobUID + "=" + work.uid})
	if err != nil {
		return fmt.Errorf("cannot look at Kueue's workloads: %w", err)
	}
	for i := range list.Items {
		patch := fmt.Appendf(nil, `{"spec":{"active":%t}}`, active)
		if _, err := client.Patch(ctx, list.Items[i].GetName(), types.MergePatchType, patch, metav1.PatchOptions{FieldManager: product.FieldManager}); err != nil {
			return fmt.Errorf("cannot change Kueue's workload %s: %w", list.Items[i].GetName(), err)
		}
	}
	return nil
}

// AwaitStop waits until no pod of the run is left, and calls show after every look at one that is.
func (o *Observer) AwaitStop(ctx context.Context, name string, show func(*Run)) (*Run, error) {
	for {
		run, err := o.Look(ctx, name)
		if err != nil {
			return nil, err
		}
		if !run.atWork() {
			return run, nil
		}
		show(run)
		select {
		case <-ctx.Done():
			return run, context.Cause(ctx)
		case <-time.After(time.Second):
		}
	}
}

// atWork says whether a pod of the run has not ended yet.
func (r *Run) atWork() bool {
	for i := range r.Pods {
		if p := &r.Pods[i]; !p.Over && p.Phase != cluster.Ended {
			return true
		}
	}
	return false
}

// labelled returns an object of a kind and a name, to be deleted.
func labelled(kind, name string) *unstructured.Unstructured {
	resource := resources[kind]
	object := &unstructured.Unstructured{}
	object.SetGroupVersionKind(schema.GroupVersionKind{Group: resource.Group, Version: resource.Version, Kind: kind})
	object.SetName(name)
	return object
}
