package runs

import (
	"cmp"
	"context"
	"fmt"
	"slices"

	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/kubernetes"

	"github.com/kubectl-summarizer/kubectl-summarizer/internal/cluster"
	"github.com/kubectl-summarizer/kubectl-summarizer/internal/failure"
	"github.com/kubectl-summarizer/kubectl-summarizer/internal/product"
	"github.com/kubectl-summarizer/kubectl-summarizer/pkg/nearest"
	"github.com/kubectl-summarizer/kubectl-summarizer/pkg/train"
)

// Observer looks at the runs of one namespace.
type Observer struct {
	Client kubernetes.Interface
	// Dynamic reads what the typed client does not know: TrainJobs and Kueue's Workloads.
	Dynamic   dynamic.Interface
	Namespace string
	// Target holds the flags that chose this cluster (" --context X"), "" when none did: they
	// are put on every command that a hint tells users to type.
	Target string
}

// Look reads one run, or returns ErrNotFound.
func (o *Observer) Look(ctx context.Context, name string) (*Run, error) {
	run, err := o.look(ctx, name)
	if err == nil && (run.Train.Complete || run.Train.Failed || run.Prepare.Failed) {
		// The record was read before the Job that has ended was: the program's last words may have
		// been written between the two.
		return o.look(ctx, name)
	}
	return run, err
}

func (o *Observer) look(ctx context.Context, name string) (*Run, error) {
	record, err := o.Client.CoreV1().ConfigMaps(o.Namespace).Get(ctx, train.ObjectName(name), metav1.GetOptions{})
	switch {
	case apierrors.IsNotFound(err):
		return nil, ErrNotFound
	case err != nil:
		return nil, err
	case record.Labels[train.LabelName] != train.AppName:
		return nil, failure.Refusedf("choose another name for the run", "the ConfigMap %s in namespace %s is not the record of a run", record.Name, o.Namespace)
	}
	run, err := readRecord(record)
	if err != nil {
		return nil, err
	}
	selector := metav1.ListOptions{LabelSelector: train.Selector(name)}
	jobs, err := o.Client.BatchV1().Jobs(o.Namespace).List(ctx, selector)
	if err != nil {
		return nil, err
	}
	if err := o.fillWork(ctx, run, jobs.Items); err != nil {
		return nil, err
	}
	pods, err := o.Client.CoreV1().Pods(o.Namespace).List(ctx, selector)
	if err != nil {
		return nil, err
	}
	for i := range pods.Items {
		if !ofRun(&pods.Items[i]) {
			continue
		}
		if err := o.addPod(ctx, run, &pods.Items[i]); err != nil {
			return nil, err
		}
	}
	if err := o.fillBlocked(ctx, run, jobs.Items); err != nil {
		return nil, err
	}
	settle(run, o.Target)
	return run, nil
}

// List reads all runs of the namespace, the newest first. What only events tell is left out.
func (o *Observer) List(ctx context.Context) ([]*Run, error) {
	records, err := o.records(ctx)
	if err != nil {
		return nil, err
	}
	selector := metav1.ListOptions{LabelSelector: train.Selector("")}
	jobs, err := o.Client.BatchV1().Jobs(o.Namespace).List(ctx, selector)
	if err != nil {
		return nil, err
	}
	pods, err := o.Client.CoreV1().Pods(o.Namespace).List(ctx, selector)
	if err != nil {
		return nil, err
	}
	var found []*Run
	for i := range records {
		run, err := readRecord(&records[i])
		if err != nil {
			return nil, err
		}
		own := slices.DeleteFunc(slices.Clone(jobs.Items), func(j batchv1.Job) bool { return j.Labels[train.LabelInstance] != run.Name })
		if err := o.fillWork(ctx, run, own); err != nil {
			return nil, err
		}
		for j := range pods.Items {
			if pod := &pods.Items[j]; pod.Labels[train.LabelInstance] == run.Name && ofRun(pod) {
				run.add(pod, cluster.RunPod(pod, nil, o.Target))
			}
		}
		settle(run, o.Target)
		found = append(found, run)
	}
	slices.SortFunc(found, func(a, b *Run) int {
		return cmp.Or(b.Created.Compare(a.Created), cmp.Compare(a.Name, b.Name))
	})
	return found, nil
}

// records lists the records of all runs.
func (o *Observer) records(ctx context.Context) ([]corev1.ConfigMap, error) {
	list, err := o.Client.CoreV1().ConfigMaps(o.Namespace).List(ctx, metav1.ListOptions{
		LabelSelector: train.Selector("") + "," + train.LabelComponent + "=" + train.ComponentRecord,
	})
	if err != nil {
		return nil, err
	}
	// The program and the user's files travel in ConfigMaps with the same labels.
	return slices.DeleteFunc(list.Items, func(c corev1.ConfigMap) bool {
		return c.Name != train.ObjectName(c.Labels[train.LabelInstance])
	}), nil
}

// addPod adds a pod with what its events say of it, unless it is at work or has ended.
func (o *Observer) addPod(ctx context.Context, run *Run, pod *corev1.Pod) error {
	found := cluster.RunPod(pod, nil, o.Target)
	if found.Phase != cluster.Running && found.Phase != cluster.Ended && found.Phase != cluster.Stopping && !found.Over {
		events, err := cluster.Events(ctx, o.Client, o.Namespace, pod.UID)
		if err != nil {
			return err
		}
		found = cluster.RunPod(pod, events, o.Target)
	}
	if found.Phase == cluster.Unscheduled && found.Message == "" {
		found.Message = o.missingVolume(ctx, pod)
	}
	run.add(pod, found)
	return nil
}

// missingVolume says which volume a pod waits for that has no node: the scheduler waits for it
// without a word. It is no more than an explanation, so that what cannot be read is left out.
func (o *Observer) missingVolume(ctx context.Context, pod *corev1.Pod) string {
	for _, v := range pod.Spec.Volumes {
		if v.PersistentVolumeClaim == nil {
			continue
		}
		claim, err := o.Client.CoreV1().PersistentVolumeClaims(o.Namespace).Get(ctx, v.PersistentVolumeClaim.ClaimName, metav1.GetOptions{})
		if err != nil || claim.Status.Phase == corev1.ClaimBound {
			continue
		}
		text := "waiting for the volume " + claim.Name
		events, err := cluster.Events(ctx, o.Client, o.Namespace, claim.UID)
		if err == nil && len(events) > 0 {
			text += ": " + events[len(events)-1].Message
		}
		return text
	}
	return ""
}

// ofRun says whether the pod is one of the two parts of a run: those of a publishing or a probe
// are not its state.
func ofRun(pod *corev1.Pod) bool {
	component := pod.Labels[train.LabelComponent]
	return component == train.ComponentPrepare || component == train.ComponentTrain
}

func (r *Run) add(pod *corev1.Pod, found cluster.Pod) {
	found.Current = !found.Over && found.Phase != cluster.Ended && found.Phase != cluster.Stopping
	index, indexed := pod.Labels[batchv1.JobCompletionIndexAnnotation]
	p := Pod{Pod: found, Component: pod.Labels[train.LabelComponent], Disrupted: cluster.Disruption(pod), first: !indexed || index == "0", container: cluster.ProgramContainer(pod)}
	if t := cluster.Termination(pod); t != nil {
		p.exitCode, p.said = t.ExitCode, t.Message
	}
	r.Pods = append(r.Pods, p)
	slices.SortFunc(r.Pods, func(a, b Pod) int {
		return cmp.Or(b.Created.Compare(a.Created), cmp.Compare(b.Component, a.Component), cmp.Compare(a.Name, b.Name))
	})
}

// Missing is the error for a run that is not there: it names the nearest that is.
func (o *Observer) Missing(ctx context.Context, name string) error {
	next := fmt.Sprintf("see which there are: %s runs -n %s%s", product.Command, o.Namespace, o.Target)
	records, err := o.records(ctx)
	if err == nil {
		var names []string
		for _, record := range records {
			names = append(names, record.Labels[train.LabelInstance])
		}
		if near, ok := nearest.Name(name, names); ok {
			next = "did you mean " + near + "?\n" + next
		}
	}
	return failure.Failedf(next, "there is no run %q in namespace %s", name, o.Namespace)
}
