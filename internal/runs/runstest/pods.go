package runstest

import (
	"encoding/json"
	"testing"
	"time"

	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"

	"github.com/kubectl-summarizer/kubectl-summarizer/pkg/train"
)

// Pod is a pod of a run's part, so many seconds after the run began.
func Pod(run, component, name string, after int, change func(*corev1.Pod)) *corev1.Pod {
	pod := &corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{
			Name: name, Namespace: Namespace, UID: types.UID(name), CreationTimestamp: metav1.NewTime(Began.Add(time.Duration(after) * time.Second)),
			Labels: map[string]string{train.LabelName: train.AppName, train.LabelInstance: run, train.LabelComponent: component},
		},
		Spec: corev1.PodSpec{NodeName: "node-1", Containers: []corev1.Container{{Name: train.ContainerName, Image: train.DefaultImage}}},
	}
	if change != nil {
		change(pod)
	}
	return pod
}

// Running is a pod whose program is at work.
func Running(pod *corev1.Pod) {
	pod.Status.Phase = corev1.PodRunning
	pod.Status.ContainerStatuses = []corev1.ContainerStatus{{
		Name: train.ContainerName, State: corev1.ContainerState{Running: &corev1.ContainerStateRunning{}},
	}}
}

// Exited is a pod whose program ended with this code and termination message.
func Exited(code int32, reason, message string) func(*corev1.Pod) {
	return func(pod *corev1.Pod) {
		pod.Status.Phase = corev1.PodFailed
		if code == 0 {
			pod.Status.Phase = corev1.PodSucceeded
		}
		pod.Status.ContainerStatuses = []corev1.ContainerStatus{{
			Name:  train.ContainerName,
			State: corev1.ContainerState{Terminated: &corev1.ContainerStateTerminated{ExitCode: code, Reason: reason, Message: message}},
		}}
	}
}

// Preempted is a pod that the cluster took away.
func Preempted(pod *corev1.Pod) {
	Exited(137, "Error", "")(pod)
	pod.Status.Conditions = append(pod.Status.Conditions, corev1.PodCondition{
		Type: corev1.DisruptionTarget, Status: corev1.ConditionTrue, Reason: "DeletionByTaintManager", Message: "Taint manager: deleting due to NoExecute taint",
	})
}

// Unscheduled is a pod that no node takes.
func Unscheduled(message string) func(*corev1.Pod) {
	return func(pod *corev1.Pod) {
		pod.Spec.NodeName = ""
		pod.Status.Phase = corev1.PodPending
		pod.Status.Conditions = []corev1.PodCondition{{Type: corev1.PodScheduled, Status: corev1.ConditionFalse, Reason: "Unschedulable", Message: message}}
	}
}

// Job changes the Job of that name among the objects.
func Job(objects []runtime.Object, name string, change func(*batchv1.Job)) []runtime.Object {
	for _, o := range objects {
		if job, ok := o.(*batchv1.Job); ok && job.Name == name {
			change(job)
		}
	}
	return objects
}

// Ended marks a Job as complete or failed.
func Ended(kind batchv1.JobConditionType, reason, message string) func(*batchv1.Job) {
	return func(job *batchv1.Job) {
		job.Status.Active = 0
		job.Status.Conditions = append(job.Status.Conditions, batchv1.JobCondition{
			Type: kind, Status: corev1.ConditionTrue, Reason: reason, Message: message, LastTransitionTime: metav1.NewTime(Began.Add(time.Hour)),
		})
	}
}

// Started is a training that the preparation has let begin.
func Started(job *batchv1.Job) {
	job.Spec.Suspend = new(false)
	job.Status.Active = 1
}

// Record sets a key of the run's record, to a text or to the JSON of a value.
func Record(t testing.TB, objects []runtime.Object, run, key string, value any) []runtime.Object {
	t.Helper()
	text, ok := value.(string)
	if !ok {
		data, err := json.Marshal(value)
		if err != nil {
			t.Fatal(err)
		}
		text = string(data)
	}
	for _, o := range objects {
		if record, ok := o.(*corev1.ConfigMap); ok && record.Name == train.ObjectName(run) {
			record.Data[key] = text
		}
	}
	return objects
}

// Result is what a run of this name came to, judged, with a ROUGE-1 of the tuned model.
func Result(run string, rouge1 float64) train.Result {
	around := func(mean float64) train.Interval { return train.Interval{mean, mean - 0.01, mean + 0.01} }
	scores := func(mean float64) train.Scores {
		return train.Scores{Rouge1: around(mean), Rouge2: around(mean / 2), RougeL: around(mean * 0.8), RougeLsum: around(mean * 0.8), LengthRatio: 1.02, NameRecall: 0.9}
	}
	validation := 1.51
	return train.Result{
		Version: train.ResultVersion, Run: run, Status: "succeeded",
		Model:    train.ResultModel{ID: "HuggingFaceTB/SmolLM2-135M-Instruct", Revision: "0123456789abcdef0123456789abcdef01234567"},
		Adapter:  train.ResultAdapter{Path: "runs/" + run + "/adapter", SHA256: "aa", Rank: 16, Bytes: 19_600_000},
		Data:     train.ResultData{URI: "samsum", License: "cc-by-nc-nd-4.0", Train: 14728, Validation: 818, Test: 819, Dropped: 4},
		Training: train.ResultTraining{Steps: 1842, Epochs: 2, Seconds: 2500, TokensPerSecond: 2410, PeakMemoryGiB: 17.4, Device: "NVIDIA L4", FirstLoss: 2.31, FinalLoss: 1.42, EvalLoss: &validation, Seed: 42},
		Evaluation: &train.ResultEvaluation{
			Split: "test", Examples: 819, Engine: "vllm 0.32.0", Scorer: "rouge-score 0.1.2, stemmer", Confidence: 95, MaxNewTokens: 128, Served: true,
			Systems: map[string]train.Scores{"tuned": scores(rouge1), "base": scores(0.31), "lead3": scores(0.30)},
		},
	}
}
