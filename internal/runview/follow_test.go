package runview

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	batchv1 "k8s.io/api/batch/v1"
	"k8s.io/apimachinery/pkg/runtime"

	"github.com/kubectl-summarizer/kubectl-summarizer/internal/failure"
	"github.com/kubectl-summarizer/kubectl-summarizer/internal/runs"
	"github.com/kubectl-summarizer/kubectl-summarizer/internal/runs/runstest"
	"github.com/kubectl-summarizer/kubectl-summarizer/pkg/train"
)

// followed follows runs to which happen does what it does, as in a log that is no terminal.
func followed(t *testing.T, names []string, timeout time.Duration, happen func(cancel func(), scripts ...runstest.Script)) (stdout, stderr string, err error) {
	var out, errOut buffer
	synctest.Test(t, func(t *testing.T) {
		var objects []runtime.Object
		for _, name := range names {
			objects = append(objects, runstest.Objects(t, runstest.Spec(name), train.Options{})...)
		}
		client := runstest.New(objects...)
		var scripts []runstest.Script
		for _, name := range names {
			scripts = append(scripts, runstest.Script{T: t, Client: client, Run: name})
		}
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		var happening sync.WaitGroup
		happening.Go(func() { happen(cancel, scripts...) })
		defer happening.Wait()
		f := &Follower{
			Observer: &runs.Observer{Client: client, Namespace: runstest.Namespace, Target: " --context c"},
			Out:      &out, ErrOut: &errOut, Now: time.Now, Timeout: timeout,
		}
		err = f.Follow(ctx, names)
	})
	return out.String(), errOut.String(), err
}

// moment is what a change of the cluster needs to be seen.
const moment = 3 * time.Second

// trains has a run prepare, train and end; one change at a time, so that each is seen.
func trains(s runstest.Script, rouge1 float64) {
	change := func(do func()) {
		time.Sleep(moment)
		do()
	}
	s.Client.Say(s.Run+"-p", `{"event":"phase","time":"2026-11-25T10:00:00Z","phase":"weights"}`,
		`{"event":"progress","time":"2026-11-25T10:00:25Z","phase":"weights","done":134217728,"total":269060552,"unit":"bytes"}`)
	change(func() { s.Pod(runstest.Pod(s.Run, train.ComponentPrepare, s.Run+"-p", 1, runstest.Running)) })
	change(func() { s.Pod(runstest.Pod(s.Run, train.ComponentPrepare, s.Run+"-p", 1, runstest.Exited(0, "", ""))) })
	change(func() { s.Job(train.PrepareName(s.Run), runstest.Ended(batchv1.JobComplete, "", "")) })
	change(func() { s.Job(train.ObjectName(s.Run), runstest.Started) })
	change(func() { s.Pod(runstest.Pod(s.Run, train.ComponentTrain, s.Run+"-t", 60, runstest.Running)) })
	for step := 5; step <= 20; step += 5 {
		change(func() {
			s.Client.Say(s.Run+"-t", fmt.Sprintf(`{"event":"step","time":"2026-11-25T10:02:00Z","step":%d,"total":20,"loss":%.2f,"tokensPerSecond":2400,"etaSeconds":%d}`, step, 2.5-float64(step)/20, 60-3*step))
		})
		time.Sleep(20 * time.Second)
	}
	change(func() { s.Record(train.KeyResult, runstest.Result(s.Run, rouge1)) })
	change(func() { s.Pod(runstest.Pod(s.Run, train.ComponentTrain, s.Run+"-t", 60, runstest.Exited(0, "", ""))) })
	change(func() { s.Job(train.ObjectName(s.Run), runstest.Ended(batchv1.JobComplete, "", "")) })
}

func TestFollowOne(t *testing.T) {
	out, errOut, err := followed(t, []string{"r"}, 0, func(_ func(), s ...runstest.Script) { trains(s[0], 0.53) })
	if err != nil {
		t.Fatal(err)
	}
	check(t, "stderr", errOut, `waiting for the pod
starting the program
downloading the model: 134 MB of 269 MB
waiting for the pod: prepared, the training is about to start
starting the program
training: step 5 of 20, loss 2.250, 2400 tokens/s, 45s left
training (30s): step 10 of 20, loss 2.000, 2400 tokens/s, 30s left
training (1m00s): step 15 of 20, loss 1.750, 2400 tokens/s, 15s left
training (1m30s): step 20 of 20, loss 1.500, 2400 tokens/s
r: 1842 steps in 41m40s on NVIDIA L4, loss 2.310 to 1.420, validation 1.510, 2410 tokens/s, 17.4 GiB at most

819 examples of the split test, vllm 0.32.0, rouge-score 0.1.2, stemmer; intervals hold 95%

Try:
  kubectl summarizer promote r -n ml --context c
  kubectl summarizer publish r --repo ORG/NAME -n ml --context c
`)
	check(t, "stdout", out, `SUMMARIES OF    ROUGE-1               ROUGE-2               ROUGE-L               ROUGE-LSUM            LENGTH   NAMES   EMPTY   CUT OFF
tuned           53.0 (52.0 to 54.0)   26.5 (25.5 to 27.5)   42.4 (41.4 to 43.4)   42.4 (41.4 to 43.4)   x1.02    90.0%   0.0%    0.0%
base model      31.0 (30.0 to 32.0)   15.5 (14.5 to 16.5)   24.8 (23.8 to 25.8)   24.8 (23.8 to 25.8)   x1.02    90.0%   0.0%    0.0%
first 3 lines   30.0 (29.0 to 31.0)   15.0 (14.0 to 16.0)   24.0 (23.0 to 25.0)   24.0 (23.0 to 25.0)   x1.02    90.0%   0.0%    0.0%
`)
}

// Several runs: each line names its run, and the table all of them.
func TestFollowTwoOfWhichOneFails(t *testing.T) {
	out, errOut, err := followed(t, []string{"a", "b"}, 0, func(_ func(), s ...runstest.Script) {
		trains(s[0], 0.53)
		time.Sleep(moment)
		s[1].Job("train-b-prepare", runstest.Ended(batchv1.JobFailed, "BackoffLimitExceeded", "Job has reached the specified backoff limit"))
	})
	if failure.KindOf(err) != failure.Unhealthy || err.Error() != "run b failed: BackoffLimitExceeded: Job has reached the specified backoff limit" {
		t.Fatal(err)
	}
	check(t, "next", failure.NextOf(err), `see its log: kubectl summarizer runs logs b --prepare -n ml --context c
go on, with other flags where they help: kubectl summarizer train --resume b -n ml --context c`)
	// The two are followed at once: only the order of each one's lines is sure.
	check(t, "lines of a", linesOf(errOut, "a: "), `a: waiting for the pod
a: starting the program
a: downloading the model: 134 MB of 269 MB
a: waiting for the pod: prepared, the training is about to start
a: starting the program
a: training: step 5 of 20, loss 2.250, 2400 tokens/s, 45s left
a: training: step 10 of 20, loss 2.000, 2400 tokens/s, 30s left
a: training: step 15 of 20, loss 1.750, 2400 tokens/s, 15s left
a: training: step 20 of 20, loss 1.500, 2400 tokens/s
a: succeeded
a: 1842 steps in 41m40s on NVIDIA L4, loss 2.310 to 1.420, validation 1.510, 2410 tokens/s, 17.4 GiB at most
`)
	check(t, "lines of b", linesOf(errOut, "b: "), `b: waiting for the pod
b: waiting for the pod
b: waiting for the pod
b: waiting for the pod
b: failed: Job has reached the specified backoff limit
`)
	if len(out) == 0 {
		t.Error("the scores of the run that ended well are missing")
	}
}

// Ctrl-C ends only the following: it says so, and how to come back.
func TestDetach(t *testing.T) {
	out, errOut, err := followed(t, []string{"r"}, 0, func(cancel func(), _ ...runstest.Script) {
		time.Sleep(5 * time.Second)
		cancel()
	})
	if failure.KindOf(err) != failure.Interrupted || err.Error() != "" || out != "" {
		t.Errorf("%v, stdout %s", err, out)
	}
	check(t, "stderr", errOut, `waiting for the pod
detached; the run goes on. Follow it again: kubectl summarizer runs follow r -n ml --context c
`)
}

func TestFollowEndsEarly(t *testing.T) {
	for name, test := range map[string]struct {
		names  []string
		happen func(func(), ...runstest.Script)
		kind   failure.Kind
		says   string
	}{
		"time is over": {[]string{"r"}, func(func(), ...runstest.Script) {}, failure.Timeout, "not over after 1m00s; it goes on in the cluster"},
		"stopped": {[]string{"r"}, func(_ func(), s ...runstest.Script) {
			s[0].Job("train-r-prepare", func(j *batchv1.Job) { j.Annotations = map[string]string{"kubectl-summarizer/stopped": "now"} })
		}, failure.Unhealthy, "run r is stopped"},
		"out of memory": {[]string{"r"}, func(_ func(), s ...runstest.Script) {
			s[0].Job("train-r-prepare", runstest.Ended(batchv1.JobComplete, "", ""))
			s[0].Record(train.KeyProgress, `{"step":{"event":"step","step":121,"total":1842}}`)
			s[0].Record(train.KeyError, `{"event":"error","kind":"memory","message":"the GPU has 22.0 GiB, and step 121 needed more","next":"--batch-size 2"}`)
			s[0].Job("train-r", runstest.Ended(batchv1.JobFailed, "PodFailurePolicy", "exit code 5"))
		}, failure.Unhealthy, "run r failed at step 121 of 1842: memory: the GPU has 22.0 GiB, and step 121 needed more"},
	} {
		_, _, err := followed(t, test.names, time.Minute, test.happen)
		if failure.KindOf(err) != test.kind || err.Error() != test.says {
			t.Errorf("%s: %d %v", name, failure.KindOf(err), err)
		}
	}
}

func TestFollowWhatIsNotThere(t *testing.T) {
	client := runstest.New(runstest.Objects(t, runstest.Spec("cookies"), train.Options{})...)
	f := &Follower{Observer: &runs.Observer{Client: client, Namespace: runstest.Namespace}, Out: io.Discard, ErrOut: io.Discard, Now: time.Now}
	err := f.Follow(t.Context(), []string{"cookie"})
	if err == nil || err.Error() != `there is no run "cookie" in namespace ml` {
		t.Fatal(err)
	}
	check(t, "next", failure.NextOf(err), "did you mean cookies?\nsee which there are: kubectl summarizer runs -n ml")
}

func linesOf(text, prefix string) string {
	var own strings.Builder
	for line := range strings.Lines(text) {
		if strings.HasPrefix(line, prefix) {
			own.WriteString(line)
		}
	}
	return own.String()
}

func check(t *testing.T, what, got, want string) {
	t.Helper()
	if got != want {
		t.Errorf("%s:\n%s\nwant:\n%s", what, got, want)
	}
}

// buffer may be written and read at once.
type buffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (b *buffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.Write(p)
}

func (b *buffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.String()
}
