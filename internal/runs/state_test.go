package runs_test

import (
	"encoding/json"
	"strings"
	"testing"

	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"

	"github.com/kubectl-summarizer/kubectl-summarizer/internal/runs"
	"github.com/kubectl-summarizer/kubectl-summarizer/internal/runs/runstest"
	"github.com/kubectl-summarizer/kubectl-summarizer/pkg/train"
)

// with is a new run called r to which these have happened.
func with(t *testing.T, happened ...func([]runtime.Object) []runtime.Object) []runtime.Object {
	objects := runstest.Objects(t, runstest.Spec("r"), train.Options{})
	for _, h := range happened {
		objects = h(objects)
	}
	return objects
}

func job(name string, change func(*batchv1.Job)) func([]runtime.Object) []runtime.Object {
	return func(o []runtime.Object) []runtime.Object { return runstest.Job(o, name, change) }
}

func record(t *testing.T, key string, value any) func([]runtime.Object) []runtime.Object {
	return func(o []runtime.Object) []runtime.Object { return runstest.Record(t, o, "r", key, value) }
}

func pod(component, name string, after int, change func(*corev1.Pod)) func([]runtime.Object) []runtime.Object {
	return func(o []runtime.Object) []runtime.Object {
		return append(o, runstest.Pod("r", component, name, after, change))
	}
}

func stopped(j *batchv1.Job) {
	j.Annotations = map[string]string{"kubectl-summarizer/stopped": "2026-11-25T10:00:00Z"}
	j.Spec.Suspend = new(true)
}

var (
	active   = job("train-r-prepare", func(j *batchv1.Job) { j.Status.Active = 1 })
	prepared = job("train-r-prepare", runstest.Ended(batchv1.JobComplete, "", ""))
	started  = job("train-r", runstest.Started)
	atWork   = pod(train.ComponentTrain, "t1", 100, runstest.Running)
)

func phase(t *testing.T, phase string) func([]runtime.Object) []runtime.Object {
	return record(t, train.KeyProgress, map[string]any{"phase": map[string]any{"event": "phase", "phase": phase}})
}

func failed(reason, message string) func([]runtime.Object) []runtime.Object {
	return job("train-r", runstest.Ended(batchv1.JobFailed, reason, message))
}

func TestState(t *testing.T) {
	result := runstest.Result("r", 0.53)
	unjudged := result
	unjudged.Status, unjudged.Evaluation = "trained", nil
	memory := map[string]any{"event": "error", "time": "t", "kind": "memory", "message": "the GPU has 22.0 GiB", "next": "--batch-size 2"}
	pulls := &corev1.Event{
		ObjectMeta: metav1.ObjectMeta{Name: "e", Namespace: runstest.Namespace}, InvolvedObject: corev1.ObjectReference{UID: "p1"},
		Reason: "Failed", Count: 2, Message: `Failed to pull image "vllm/vllm-openai:v0.32.0": rpc error: manifest unknown`,
	}
	for name, test := range map[string]struct {
		objects []runtime.Object
		state   runs.State
		reason  string
		says    string
		next    string
		stuck   bool
	}{
		"just created":    {with(t, active), runs.Pending, "", "", "", false},
		"no room":         {with(t, active, pod(train.ComponentPrepare, "p1", 1, runstest.Unscheduled("0/1 nodes are available: Insufficient cpu"))), runs.Waiting, "Unschedulable", "Insufficient cpu", "--cpu N", false},
		"preparing":       {with(t, active, pod(train.ComponentPrepare, "p1", 1, runstest.Running)), runs.Preparing, "", "", "", false},
		"about to start":  {with(t, prepared), runs.Pending, "", "about to start", "", false},
		"no GPU":          {with(t, prepared, started, pod(train.ComponentTrain, "t1", 100, runstest.Unscheduled("Insufficient nvidia.com/gpu"))), runs.Waiting, "Unschedulable", "nvidia.com/gpu", "every GPU is taken", false},
		"training":        {with(t, prepared, started, atWork, phase(t, "train")), runs.Training, "", "", "", false},
		"judging":         {with(t, prepared, started, atWork, phase(t, "evaluate")), runs.Judging, "", "", "", false},
		"judging again":   {with(t, prepared, started, atWork, record(t, train.KeyResult, unjudged)), runs.Judging, "", "", "", false},
		"preempted":       {with(t, prepared, started, pod(train.ComponentTrain, "t1", 100, runstest.Preempted)), runs.Pending, "", "", "", false},
		"done":            {with(t, prepared, job("train-r", runstest.Ended(batchv1.JobComplete, "", "")), record(t, train.KeyResult, result)), runs.Succeeded, "", "", "", false},
		"done and tidied": {record(t, train.KeyResult, result)(runstest.Objects(t, runstest.Spec("r"), train.Options{})[:4]), runs.Succeeded, "", "", "", false},
		"its record could not be written": {with(t, prepared, job("train-r", runstest.Ended(batchv1.JobComplete, "", "")), pod(train.ComponentTrain, "t1", 100, runstest.Exited(0, "Completed", said(t, result)))),
			runs.Succeeded, "", "", "", false},
		"no result":        {with(t, prepared, job("train-r", runstest.Ended(batchv1.JobComplete, "", ""))), runs.Failed, "NoResult", "neither in its record", "runs logs r", false},
		"gone":             {runstest.Objects(t, runstest.Spec("r"), train.Options{})[:4], runs.Failed, "Gone", "left no result", "train --resume r -n ml", false},
		"written, not yet": {with(t, prepared, started, atWork, record(t, train.KeyResult, result)), runs.Judging, "", "", "", false},
		"out of GPU memory": {with(t, prepared, failed("PodFailurePolicy", "exit code 5"), pod(train.ComponentTrain, "t1", 100, runstest.Exited(5, "Error", "")), record(t, train.KeyError, memory)),
			runs.Failed, "memory", "the GPU has 22.0 GiB", "--batch-size 2\nsee its log: kubectl summarizer runs logs r -n ml --context c", false},
		"out of memory": {with(t, prepared, failed("PodFailurePolicy", "exit code 137"), pod(train.ComponentTrain, "t1", 100, runstest.Exited(137, "OOMKilled", ""))),
			runs.Failed, "OOMKilled (exit code 137)", "used more memory than it may", "--memory NGi", false},
		"its own last words": {with(t, prepared, failed("BackoffLimitExceeded", "x"), pod(train.ComponentTrain, "t1", 100, runstest.Exited(1, "Error", "Traceback\nValueError: no"))),
			runs.Failed, "exit code 1", "ValueError: no", "runs logs r", false},
		"too long": {with(t, prepared, failed("DeadlineExceeded", "Job was active longer than specified deadline")), runs.Failed, "DeadlineExceeded", "longer than it was allowed", "", false},
		"the preparation failed": {with(t, job("train-r-prepare", runstest.Ended(batchv1.JobFailed, "PodFailurePolicy", "x")), pod(train.ComponentPrepare, "p1", 1, runstest.Exited(3, "Error", `{"event":"error","kind":"refused","message":"no access to m","next":"accept its licence"}`))),
			runs.Failed, "refused", "no access to m", "accept its licence\nsee its log: kubectl summarizer runs logs r --prepare", false},
		"stopped":                  {with(t, prepared, job("train-r", stopped)), runs.Stopped, "", "stopped", "train --resume r", false},
		"stopped while preparing":  {with(t, job("train-r-prepare", stopped)), runs.Stopped, "", "stopped", "train --resume r", false},
		"queued":                   {with(t, prepared, job("train-r", func(j *batchv1.Job) { j.Labels[train.LabelQueue] = "gpus" })), runs.Queued, "", "gpus", "", false},
		"an image that is not":     {append(with(t, active, pod(train.ComponentPrepare, "p1", 1, waiting("ImagePullBackOff"))), pulls), runs.Waiting, "ImagePullBackOff", "manifest unknown", "--image-pull-secret", true},
		"a policy against its pod": {append(with(t, job("train-r-prepare", func(j *batchv1.Job) { j.UID = "j1" })), refused(`Error creating: pods "x" is forbidden: violates PodSecurity "restricted"`)), runs.Pending, "Refused", "violates PodSecurity", "", true},
		"a full quota":             {append(with(t, job("train-r-prepare", func(j *batchv1.Job) { j.UID = "j1" })), refused(`Error creating: pods "x" is forbidden: exceeded quota: q`)), runs.Pending, "Refused", "exceeded quota", "", false},
	} {
		t.Run(name, func(t *testing.T) {
			o := &runs.Observer{Client: runstest.New(test.objects...), Namespace: runstest.Namespace, Target: " --context c"}
			run, err := o.Look(t.Context(), "r")
			if err != nil {
				t.Fatal(err)
			}
			if run.State != test.state || run.Reason != test.reason || run.Stuck != test.stuck {
				t.Errorf("state %s, reason %q, stuck %v, message %q", run.State, run.Reason, run.Stuck, run.Message)
			}
			if !strings.Contains(run.Message, test.says) || !strings.Contains(run.Next, test.next) {
				t.Errorf("message %q, next %q", run.Message, run.Next)
			}
		})
	}
}

func said(t *testing.T, result train.Result) string {
	text, err := json.Marshal(result)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func waiting(reason string) func(*corev1.Pod) {
	return func(p *corev1.Pod) {
		p.Status.Phase = corev1.PodPending
		p.Status.Conditions = []corev1.PodCondition{{Type: corev1.PodScheduled, Status: corev1.ConditionTrue}}
		p.Status.ContainerStatuses = []corev1.ContainerStatus{{Name: train.ContainerName, State: corev1.ContainerState{Waiting: &corev1.ContainerStateWaiting{Reason: reason}}}}
	}
}

func refused(message string) *corev1.Event {
	return &corev1.Event{
		ObjectMeta: metav1.ObjectMeta{Name: "f", Namespace: runstest.Namespace}, InvolvedObject: corev1.ObjectReference{UID: "j1"},
		Reason: "FailedCreate", Message: message,
	}
}

// The list says the same as a look at each, newest first.
func TestList(t *testing.T) {
	objects := with(t, prepared, started, atWork, phase(t, "train"))
	other := runstest.Objects(t, runstest.Spec("other"), train.Options{})
	for _, o := range other {
		if m, ok := o.(metav1.Object); ok {
			m.SetCreationTimestamp(metav1.NewTime(runstest.Began.Add(1e9)))
		}
	}
	o := &runs.Observer{Client: runstest.New(append(objects, other...)...), Namespace: runstest.Namespace}
	list, err := o.List(t.Context())
	if err != nil || len(list) != 2 || list[0].Name != "other" || list[0].State != runs.Pending || list[1].Name != "r" || list[1].State != runs.Training {
		t.Fatalf("%v %v", list, err)
	}
}

func TestWhatIsNoRun(t *testing.T) {
	o := &runs.Observer{Client: runstest.New(&corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Name: "train-mine", Namespace: runstest.Namespace}}), Namespace: runstest.Namespace}
	if _, err := o.Look(t.Context(), "r"); err != runs.ErrNotFound { //nolint:errorlint // it is not wrapped
		t.Error(err)
	}
	if _, err := o.Look(t.Context(), "mine"); err == nil || !strings.Contains(err.Error(), "is not the record of a run") {
		t.Error(err)
	}
}

// What a newer version wrote, or somebody by hand, is an error that names the run and the key.
func TestRecordsThatCannotBeRead(t *testing.T) {
	for key, text := range map[string]string{
		train.KeySpec: "version: 9", train.KeyResult: `{"version":9}`, train.KeyProgress: "{", runs.KeyOptions: "[]",
	} {
		o := &runs.Observer{Client: runstest.New(with(t, record(t, key, text))...), Namespace: runstest.Namespace}
		if _, err := o.Look(t.Context(), "r"); err == nil || !strings.Contains(err.Error(), "the record of run r") {
			t.Errorf("%s: %v", key, err)
		}
	}
}

// Options name Secrets; the user's files must not be in the record, which has a limit.
func TestOptionsInTheRecord(t *testing.T) {
	options := train.Options{Namespace: "ml", Image: "i", LocalData: []byte("files"), HFSecret: train.SecretKey{Name: "s", Key: "k"}}
	text, err := runs.EncodeOptions(options)
	if err != nil || strings.Contains(text, "ZmlsZXM") || len(options.LocalData) == 0 {
		t.Fatalf("%s %v", text, err)
	}
	o := &runs.Observer{Client: runstest.New(with(t, record(t, runs.KeyOptions, text))...), Namespace: runstest.Namespace}
	run, err := o.Look(t.Context(), "r")
	if err != nil || run.Options == nil || run.Options.HFSecret != options.HFSecret || run.Image() != "i" || run.Claim() != "train-r" {
		t.Errorf("%+v %v", run.Options, err)
	}
}
