package runs

import (
	"context"
	"encoding/json"
	"strings"
	"testing"
	"time"

	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/cli-runtime/pkg/genericiooptions"

	"github.com/kubectl-summarizer/kubectl-summarizer/internal/cli/factory"
	"github.com/kubectl-summarizer/kubectl-summarizer/internal/failure"
	"github.com/kubectl-summarizer/kubectl-summarizer/internal/runs"
	"github.com/kubectl-summarizer/kubectl-summarizer/internal/runs/runstest"
	"github.com/kubectl-summarizer/kubectl-summarizer/pkg/train"
)

// three are a run at its training, one that ended well, and one that failed.
func three(t *testing.T) []runtime.Object {
	t.Helper()
	working := runstest.Objects(t, runstest.Spec("working"), train.Options{})
	runstest.Job(working, "train-working-prepare", runstest.Ended(batchv1.JobComplete, "", ""))
	runstest.Job(working, "train-working", runstest.Started)
	runstest.Record(t, working, "working", train.KeyProgress, `{"phase":{"event":"phase","phase":"train"},"step":{"event":"step","step":55,"total":1842,"loss":1.873}}`)
	working = append(working, runstest.Pod("working", train.ComponentTrain, "train-working-x", 60, runstest.Running),
		runstest.Pod("working", train.ComponentTrain, "train-working-w", 30, runstest.Preempted))

	done := runstest.Objects(t, runstest.Spec("done"), train.Options{})
	runstest.Job(done, "train-done-prepare", runstest.Ended(batchv1.JobComplete, "", ""))
	runstest.Job(done, "train-done", runstest.Ended(batchv1.JobComplete, "", ""))
	runstest.Record(t, done, "done", train.KeyResult, runstest.Result("done", 0.53))
	runstest.Record(t, done, "done", runs.KeyPublished, runs.Published{Repo: "team/done", Revision: "abc", URL: "https://hub/team/done"})

	broken := runstest.Objects(t, runstest.Spec("broken"), train.Options{})
	runstest.Job(broken, "train-broken-prepare", runstest.Ended(batchv1.JobFailed, "PodFailurePolicy", "exit code 3"))
	runstest.Record(t, broken, "broken", train.KeyError, `{"event":"error","kind":"refused","message":"you have no access to the model","next":"accept its licence on the Hub"}`)
	all := append(append(working, done...), broken...)
	for _, o := range all {
		if m := o.(metav1.Object); m.GetLabels()[train.LabelInstance] == "done" {
			m.SetCreationTimestamp(metav1.NewTime(runstest.Began.Add(-2 * time.Hour)))
		}
	}
	return all
}

// call runs one of the verbs on these objects, an hour after they began.
func call(t *testing.T, objects []runtime.Object, do func(context.Context, *factory.Factory, *runs.Observer) error) (stdout, stderr string, err error) {
	t.Helper()
	streams, _, out, errOut := genericiooptions.NewTestIOStreams()
	f := factory.New(streams)
	f.Now = func() time.Time { return runstest.Began.Add(time.Hour) }
	client := runstest.New(objects...)
	client.Say("train-working-x", `{"event":"step","time":"t","step":55}`, "a log line")
	err = do(t.Context(), f, &runs.Observer{Client: client, Dynamic: runstest.NewDynamic(objects...), Namespace: runstest.Namespace})
	return out.String(), errOut.String(), err
}

func listed(output string) func(context.Context, *factory.Factory, *runs.Observer) error {
	return func(ctx context.Context, f *factory.Factory, o *runs.Observer) error { return list(ctx, f, o, output) }
}

func TestList(t *testing.T) {
	for output, want := range map[string]string{
		"": `NAME      MODEL                                 STATE       STEP        LOSS    ROUGE-1   AGE
broken    HuggingFaceTB/SmolLM2-135M-Instruct   Failed      -           -       -         1h00m
working   HuggingFaceTB/SmolLM2-135M-Instruct   Training    55/1842     1.873   -         1h00m
done      HuggingFaceTB/SmolLM2-135M-Instruct   Succeeded   1842/1842   1.420   53.0      3h00m
`,
		"wide": `NAME      MODEL                                 STATE       STEP        LOSS    ROUGE-1   AGE     DATA     GPUS   NODE     PREEMPTED   PUBLISHED
broken    HuggingFaceTB/SmolLM2-135M-Instruct   Failed      -           -       -         1h00m   samsum   1      -        0           -
working   HuggingFaceTB/SmolLM2-135M-Instruct   Training    55/1842     1.873   -         1h00m   samsum   1      node-1   1           -
done      HuggingFaceTB/SmolLM2-135M-Instruct   Succeeded   1842/1842   1.420   53.0      3h00m   samsum   1      -        0           team/done
`,
		"name": "run/broken\nrun/working\nrun/done\n",
	} {
		out, _, err := call(t, three(t), listed(output))
		if err != nil || out != want {
			t.Errorf("%q: %v\n%s\nwant:\n%s", output, err, out, want)
		}
	}
	out, _, err := call(t, three(t), listed("json"))
	var parsed struct {
		Runs []struct {
			Name, State string
			Result      *train.Result
			Pods        []map[string]any
		}
	}
	if err != nil || json.Unmarshal([]byte(out), &parsed) != nil || len(parsed.Runs) != 3 || parsed.Runs[2].Result.Run != "done" || parsed.Runs[1].Pods[0]["component"] != "train" {
		t.Errorf("%v\n%s", err, out)
	}
	if out, errOut, err := call(t, nil, listed("")); err != nil || out != "" || errOut != "no runs in namespace ml\n" {
		t.Errorf("%q %q %v", out, errOut, err)
	}
	if out, _, err := call(t, nil, listed("yaml")); err != nil || out != "runs: []\n" {
		t.Errorf("%q %v", out, err)
	}
}

func TestShow(t *testing.T) {
	shown := func(name string) (string, error) {
		out, _, err := call(t, three(t), func(ctx context.Context, f *factory.Factory, o *runs.Observer) error {
			return show(ctx, f, o, name, "text")
		})
		return out, err
	}
	out, err := shown("done")
	want := `run        done in ml, created 3h00m ago
state      Succeeded
model      HuggingFaceTB/SmolLM2-135M-Instruct, commit 0123456789abcdef0123456789abcdef01234567
data       samsum: 14728 examples to train, 818 to validate, 819 to judge, 4 left out, licence cc-by-nc-nd-4.0
training   LoRA rank 16, alpha 32, learning rate 0.0002, 2 epochs, batches of 16, at most 1024 tokens, seed 42
volume     persistentvolumeclaim/train-done
image      vllm/vllm-openai:v0.32.0
trained    1842 steps in 41m40s on NVIDIA L4, loss 2.310 to 1.420, validation 1.510, 2410 tokens/s, 17.4 GiB at most
adapter    runs/done/adapter, rank 16, 19.6 MB, sha256 aa
published  team/done at abc
judged     819 examples of the split test, vllm 0.32.0, rouge-score 0.1.2, stemmer; intervals hold 95%

SUMMARIES OF    ROUGE-1               ROUGE-2               ROUGE-L               ROUGE-LSUM            LENGTH   NAMES   EMPTY   CUT OFF
tuned           53.0 (52.0 to 54.0)   26.5 (25.5 to 27.5)   42.4 (41.4 to 43.4)   42.4 (41.4 to 43.4)   x1.02    90.0%   0.0%    0.0%
base model      31.0 (30.0 to 32.0)   15.5 (14.5 to 16.5)   24.8 (23.8 to 25.8)   24.8 (23.8 to 25.8)   x1.02    90.0%   0.0%    0.0%
first 3 lines   30.0 (29.0 to 31.0)   15.0 (14.0 to 16.0)   24.0 (23.0 to 25.0)   24.0 (23.0 to 25.0)   x1.02    90.0%   0.0%    0.0%
`
	if err != nil || out != want {
		t.Errorf("%v\n%s\nwant:\n%s", err, out, want)
	}
	out, err = shown("working")
	want = `
POD               PART    PHASE       NODE     GPUS   ENDED WITH      AGE
train-working-x   train   Running     node-1   0      -               59m00s
train-working-w   train   Preempted   node-1   0      exit code 137   59m30s
`
	if err != nil || !strings.Contains(out, "state      Training, step 55 of 1842\n") || !strings.HasSuffix(out, want) {
		t.Errorf("%v\n%s", err, out)
	}
	_, err = shown("broken")
	if failure.KindOf(err) != failure.Unhealthy || err.Error() != "run broken failed: you have no access to the model" || !strings.HasPrefix(failure.NextOf(err), "accept its licence on the Hub\n") {
		t.Errorf("%v\n%s", err, failure.NextOf(err))
	}
	if _, err := shown("brokn"); err == nil || !strings.Contains(failure.NextOf(err), "did you mean broken?") {
		t.Errorf("%v", err)
	}
}

func TestLogs(t *testing.T) {
	logs := func(name string, o logsOptions) (string, string, error) {
		return call(t, three(t), func(ctx context.Context, f *factory.Factory, observer *runs.Observer) error {
			return o.run(ctx, f, observer, name)
		})
	}
	out, errOut, err := logs("working", logsOptions{})
	if err != nil || out != "{\"event\":\"step\",\"time\":\"t\",\"step\":55}\na log line\n" || errOut != "pod train-working-x (train)\n" {
		t.Errorf("%q %q %v", out, errOut, err)
	}
	if _, _, err := logs("working", logsOptions{prepare: true}); err == nil || !strings.Contains(err.Error(), "has no pod that has begun; it is Training") {
		t.Error(err)
	}
	if _, _, err := logs("done", logsOptions{}); err == nil || !strings.Contains(failure.NextOf(err), "persistentvolumeclaim/train-done, runs/done/events.jsonl") {
		t.Error(err)
	}
}

func TestDelete(t *testing.T) {
	remove := func(name string, o deleteOptions) (string, string, error) {
		if o.dryRun == "" {
			o.dryRun = "none"
		}
		return call(t, three(t), func(ctx context.Context, f *factory.Factory, observer *runs.Observer) error {
			return o.run(ctx, f, observer, name)
		})
	}
	if _, _, err := remove("done", deleteOptions{}); failure.KindOf(err) != failure.Refused || !strings.Contains(err.Error(), "would be deleted: nobody can be asked here") {
		t.Error(err)
	}
	out, errOut, err := remove("done", deleteOptions{keepVolume: true})
	if err != nil || strings.Contains(out, "persistentvolumeclaim") || !strings.HasSuffix(out, "configmap/train-done deleted\n") || errOut != "the volume stays: kubectl get pvc -n ml train-done\n" {
		t.Errorf("%s%s%v", out, errOut, err)
	}
	out, _, err = remove("done", deleteOptions{yes: true})
	if err != nil || !strings.Contains(out, "persistentvolumeclaim/train-done deleted\n") {
		t.Errorf("%s%v", out, err)
	}
	out, _, err = remove("done", deleteOptions{dryRun: "client"})
	if err != nil || strings.Count(out, " deleted (dry run)\n") != 8 {
		t.Errorf("%s%v", out, err)
	}
	if _, _, err = remove("nobody", deleteOptions{yes: true}); err == nil || !strings.Contains(err.Error(), `there is no run "nobody"`) {
		t.Error(err)
	}
}

func TestDeleteKeepsWhatIsServed(t *testing.T) {
	server := runstest.Pod("summarizer", "server", "server-1", 0, func(pod *corev1.Pod) {
		runstest.Running(pod)
		pod.Labels[train.LabelName] = "vllm-summarizer"
		pod.Spec.Volumes = []corev1.Volume{{Name: "adapter", VolumeSource: corev1.VolumeSource{
			PersistentVolumeClaim: &corev1.PersistentVolumeClaimVolumeSource{ClaimName: "train-done"},
		}}}
	})
	for _, o := range []deleteOptions{{yes: true, dryRun: "none"}, {yes: true, keepVolume: true, dryRun: "none"}} {
		out, _, err := call(t, append(three(t), server), func(ctx context.Context, f *factory.Factory, observer *runs.Observer) error {
			return o.run(ctx, f, observer, "done")
		})
		switch {
		case o.keepVolume && err != nil:
			t.Error(err)
		case !o.keepVolume && (failure.KindOf(err) != failure.Refused || out != "" || err.Error() != "release summarizer (pod server-1) serves from the volume of run done"):
			t.Errorf("%s%v", out, err)
		}
	}
}

func TestStop(t *testing.T) {
	halt := func(objects []runtime.Object, name string, timeout time.Duration) (string, string, error) {
		return call(t, objects, func(ctx context.Context, f *factory.Factory, o *runs.Observer) error {
			return stop(ctx, f, o, name, timeout)
		})
	}
	objects := three(t)
	for _, o := range objects {
		if p, ok := o.(*corev1.Pod); ok && p.Name == "train-working-x" {
			runstest.Exited(75, "Error", "")(p) // it has ended by the time that it is looked at
		}
	}
	out, errOut, err := halt(objects, "working", time.Minute)
	if err != nil || out != "run/working stopped\n" || !strings.Contains(errOut, "kubectl summarizer train --resume working -n ml\n") {
		t.Errorf("%q %q %v", out, errOut, err)
	}
	if _, _, err := halt(three(t), "working", 10*time.Millisecond); failure.KindOf(err) != failure.Timeout {
		t.Error(err)
	}
	if _, _, err := halt(three(t), "done", time.Minute); failure.KindOf(err) != failure.Refused || err.Error() != "run done is over: it is succeeded" {
		t.Error(err)
	}
}
