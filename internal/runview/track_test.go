package runview

import (
	"encoding/json"
	"errors"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/kubectl-summarizer/kubectl-summarizer/internal/cluster"
	"github.com/kubectl-summarizer/kubectl-summarizer/internal/runs"
	"github.com/kubectl-summarizer/kubectl-summarizer/pkg/train"
)

// at is a run whose pod t1 is at work.
func at(state runs.State, change ...func(*runs.Run)) *runs.Run {
	run := &runs.Run{Name: "r", State: state, Pods: []runs.Pod{{Pod: cluster.Pod{Name: "t1", Phase: cluster.Running, Current: true}, Component: train.ComponentTrain}}}
	for _, c := range change {
		c(run)
	}
	return run
}

func parse(t *testing.T, line string) *train.Event {
	t.Helper()
	e, ok := train.ParseEvent([]byte(line))
	if !ok {
		t.Fatalf("%s is no event", line)
	}
	return &e
}

// What the formats' own examples look like to somebody who follows the run.
func TestEventsOfTheFormats(t *testing.T) {
	text, err := os.ReadFile("../../pkg/train/testdata/formats/events.jsonl")
	if err != nil {
		t.Fatal(err)
	}
	tr := newTrack("r", time.Now)
	var lines, seen []string
	for line := range strings.Lines(string(text)) {
		lines = append(lines, tr.take(runs.Update{Run: at(runs.Training), Event: parse(t, line), Pod: "t1"})...)
		phase, detail := tr.status(0)
		if now := strings.TrimSuffix(phase+": "+detail, ": "); len(seen) == 0 || seen[len(seen)-1] != now {
			seen = append(seen, now)
		}
	}
	wantSeen := []string{
		"starting the program",
		"installing packages: 45 packages",
		"installing packages: 12 of 45 packages",
		"checking access: HuggingFaceTB/SmolLM2-135M-Instruct",
		"downloading the model: 134 MB of 269 MB",
		"training: step 55 of 1842, loss 1.873, 2412 tokens/s, 39m40s left, 17.4 GiB",
		"training: step 55 of 1842, loss 1.873, validation 1.642, 2412 tokens/s, 39m40s left, 17.4 GiB",
	}
	if !slices.Equal(seen, wantSeen) {
		t.Errorf("status:\n%s\nwant:\n%s", strings.Join(seen, "\n"), strings.Join(wantSeen, "\n"))
	}
	wantLines := []string{
		"data: 14728 examples to train, 818 examples to validate, 819 examples to judge; 4 of 16369 left out (1 empty, 3 too long); the longest has 1020 tokens",
		"goes on from step 50; not complete, and skipped: checkpoint-100",
		"warning: Weights & Biases cannot be reached: the run goes on and is kept in runs/cookies/wandb",
	}
	if !slices.Equal(lines, wantLines) {
		t.Errorf("lines:\n%s\nwant:\n%s", strings.Join(lines, "\n"), strings.Join(wantLines, "\n"))
	}
}

func TestStatus(t *testing.T) {
	blocked := func(r *runs.Run) { r.Pods, r.Blocked = nil, "exceeded quota" }
	says := func(m string) func(*runs.Run) { return func(r *runs.Run) { r.Message = m } }
	for name, test := range map[string]struct {
		update        runs.Update
		phase, detail string
	}{
		"no node":            {runs.Update{Run: at(runs.Waiting, says("Insufficient nvidia.com/gpu"))}, "waiting for a node", "Insufficient nvidia.com/gpu"},
		"no image":           {runs.Update{Run: at(runs.Waiting, says("manifest unknown"), func(r *runs.Run) { r.Reason = "ImagePullBackOff" })}, "the pod cannot start", "manifest unknown"},
		"pulling":            {runs.Update{Run: at(runs.Pulling, says(`"vllm"`))}, "pulling the image", `"vllm"`},
		"queued":             {runs.Update{Run: at(runs.Queued, says("in the queue gpus"))}, "waiting for its turn", "in the queue gpus"},
		"no pod":             {runs.Update{Run: at(runs.Pending)}, "waiting for the pod", ""},
		"refused":            {runs.Update{Run: at(runs.Pending, blocked)}, "the cluster refuses the pod", "exceeded quota"},
		"nothing said yet":   {runs.Update{Run: at(runs.Training)}, "starting the program", ""},
		"the cluster's away": {runs.Update{Run: at(runs.Training), Away: errors.New("etcd")}, "the cluster does not answer", "etcd"},
	} {
		tr := newTrack("r", time.Now)
		tr.take(test.update)
		if phase, detail := tr.status(0); phase != test.phase || detail != test.detail {
			t.Errorf("%s: %q, %q", name, phase, detail)
		}
	}
}

// A pod that was taken away is told once, with the step from which the next goes on; whatever
// the last pod said is not what the new one does.
func TestPreempted(t *testing.T) {
	tr := newTrack("r", time.Now)
	tr.take(runs.Update{Run: at(runs.Training), Pod: "t1", Event: parse(t, `{"event":"checkpoint","time":"t","step":50,"reason":"steps"}`)})
	tr.take(runs.Update{Run: at(runs.Training), Pod: "t1", Event: parse(t, `{"event":"interrupted","time":"t","step":57}`)})
	gone := at(runs.Pending, func(r *runs.Run) {
		r.Pods[0].Phase, r.Pods[0].Current, r.Pods[0].Over, r.Pods[0].Disrupted = cluster.Failing, false, true, "DeletionByTaintManager"
	})
	want := []string{"preempted (DeletionByTaintManager); a new pod goes on from step 57"}
	if lines := tr.take(runs.Update{Run: gone}); !slices.Equal(lines, want) {
		t.Errorf("%q", lines)
	}
	again := at(runs.Training, func(r *runs.Run) {
		r.Pods = append([]runs.Pod{{Pod: cluster.Pod{Name: "t2", Phase: cluster.Running, Current: true}, Component: train.ComponentTrain}}, gone.Pods...)
	})
	if lines := tr.take(runs.Update{Run: again}); lines != nil {
		t.Errorf("told again: %q", lines)
	}
	if phase, _ := tr.status(0); phase != "starting the program" {
		t.Error(phase)
	}
}

// A pod that failed may have ended the run: that it goes on is told once another is there.
func TestFailedAndTriedAgain(t *testing.T) {
	tr := newTrack("r", time.Now)
	failed := at(runs.Pending, func(r *runs.Run) {
		r.Pods[0].Phase, r.Pods[0].Current, r.Pods[0].Over, r.Pods[0].Message = cluster.Failing, false, true, "the network is away"
	})
	if lines := tr.take(runs.Update{Run: failed}); lines != nil {
		t.Errorf("%q", lines)
	}
	again := at(runs.Training, func(r *runs.Run) {
		r.Pods = append([]runs.Pod{{Pod: cluster.Pod{Name: "t2", Phase: cluster.Running, Current: true}, Component: train.ComponentTrain}}, failed.Pods...)
	})
	want := []string{"failed (the network is away); a new pod goes on from the last checkpoint"}
	if lines := tr.take(runs.Update{Run: again}); !slices.Equal(lines, want) {
		t.Errorf("%q", lines)
	}
}

// Who may not read logs sees what the record says; who may is not shown what is older.
func TestTheRecordIsReadWhereLogsAreNot(t *testing.T) {
	now := time.Unix(0, 0)
	var progress runs.Progress
	if err := json.Unmarshal([]byte(`{"phase":{"event":"phase","phase":"train"},"step":{"event":"step","step":40,"total":100,"loss":2.5}}`), &progress); err != nil {
		t.Fatal(err)
	}
	run := at(runs.Training, func(r *runs.Run) { r.Progress = progress })
	for name, test := range map[string]struct {
		after time.Duration
		heard bool
		want  string
	}{
		"at first":    {time.Second, false, "starting the program"},
		"after long":  {deaf, false, "training"},
		"with a log":  {deaf, true, "starting the program"},
		"much later ": {time.Hour, false, "training"},
	} {
		clock := now
		tr := newTrack("r", func() time.Time { return clock })
		if test.heard {
			tr.take(runs.Update{Run: run, Pod: "t1", Line: "a line"})
		}
		clock = clock.Add(test.after)
		tr.take(runs.Update{Run: run})
		if phase, _ := tr.status(0); phase != test.want {
			t.Errorf("%s: %s", name, phase)
		}
	}
}

func TestRate(t *testing.T) {
	tr := newTrack("r", time.Now)
	for _, line := range []string{
		`{"event":"progress","time":"2026-11-25T10:00:00Z","phase":"weights","done":1000000,"total":269060552,"unit":"bytes"}`,
		`{"event":"progress","time":"2026-11-25T10:00:04Z","phase":"weights","done":109000000,"total":269060552,"unit":"bytes"}`,
	} {
		tr.take(runs.Update{Run: at(runs.Preparing), Pod: "t1", Event: parse(t, line)})
	}
	if _, detail := tr.status(0); detail != "109 MB of 269 MB, 27.0 MB/s" {
		t.Error(detail)
	}
	if _, detail := tr.status(12); detail != "│████      │ 109 MB of 269 MB, 27.0 MB/s" {
		t.Error(detail)
	}
}
