package runs_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	clienttesting "k8s.io/client-go/testing"

	"github.com/kubectl-summarizer/kubectl-summarizer/internal/runs"
	"github.com/kubectl-summarizer/kubectl-summarizer/internal/runs/runstest"
	"github.com/kubectl-summarizer/kubectl-summarizer/pkg/train"
)

func step(n int) string {
	return fmt.Sprintf(`{"event":"step","time":"2026-11-25T10:02:00Z","step":%d,"total":20,"loss":2.0}`, n)
}

// follow follows the run r, to which happen does what it does, and returns what was heard:
// states and events, each once.
func follow(t *testing.T, happen func(runstest.Script), prepare ...func(*runstest.Client)) (heard []string, run *runs.Run, err error) {
	synctest.Test(t, func(t *testing.T) {
		client := runstest.New(with(t, active)...)
		for _, p := range prepare {
			p(client)
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Hour)
		defer cancel()
		var happening sync.WaitGroup
		happening.Go(func() { happen(runstest.Script{T: t, Client: client, Run: "r"}) })
		defer happening.Wait()
		o := &runs.Observer{Client: client, Namespace: runstest.Namespace}
		run, err = o.Follow(ctx, "r", func(u runs.Update) {
			text := string(u.Run.State)
			switch {
			case u.Away != nil:
				text = "away"
			case u.Event != nil:
				text = fmt.Sprintf("%s: %s %d", u.Pod, u.Event.Event, u.Event.Step)
			case u.Line != "":
				text = u.Pod + ": " + u.Line
			}
			if len(heard) == 0 || heard[len(heard)-1] != text {
				heard = append(heard, text)
			}
		})
	})
	return heard, run, err
}

// A run from its beginning to its end, with one pod taken away: everything that was said is
// heard once, in the order in which it was said.
func TestFollowToTheEnd(t *testing.T) {
	heard, run, err := follow(t, func(s runstest.Script) {
		time.Sleep(5 * time.Second)
		s.Pod(runstest.Pod("r", train.ComponentPrepare, "p1", 1, runstest.Running))
		s.Client.Say("p1", `{"event":"phase","time":"t","phase":"weights"}`, "a log line")
		time.Sleep(5 * time.Second)
		s.Pod(runstest.Pod("r", train.ComponentPrepare, "p1", 1, runstest.Exited(0, "", "")))
		s.Job("train-r-prepare", runstest.Ended(batchv1.JobComplete, "", ""))
		s.Job("train-r", runstest.Started)
		s.Pod(runstest.Pod("r", train.ComponentTrain, "t1", 60, runstest.Running))
		s.Client.Say("t1", step(5), step(10))
		time.Sleep(5 * time.Second)
		s.Client.Say("t1", `{"event":"interrupted","time":"t","step":10,"message":"m"}`)
		s.Pod(runstest.Pod("r", train.ComponentTrain, "t1", 60, runstest.Preempted))
		time.Sleep(5 * time.Second)
		s.Pod(runstest.Pod("r", train.ComponentTrain, "t2", 90, runstest.Running))
		s.Client.Say("t2", `{"event":"resume","time":"t","step":10}`, step(15))
		time.Sleep(5 * time.Second)
		s.Client.Say("t2", step(20))
		s.Record(train.KeyResult, runstest.Result("r", 0.5))
		s.Pod(runstest.Pod("r", train.ComponentTrain, "t2", 90, runstest.Exited(0, "", "")))
		s.Job("train-r", runstest.Ended(batchv1.JobComplete, "", ""))
	})
	if err != nil || run.State != runs.Succeeded || run.Disruptions() != 1 {
		t.Fatalf("%+v %v", run, err)
	}
	said := slices.DeleteFunc(slices.Clone(heard), func(h string) bool { return !strings.Contains(h, ": ") })
	want := []string{"p1: phase 0", "p1: a log line", "t1: step 5", "t1: step 10", "t1: interrupted 10", "t2: resume 10", "t2: step 15", "t2: step 20"}
	if !slices.Equal(said, want) {
		t.Errorf("heard %q\nwant %q", said, want)
	}
	for _, state := range []string{"Pending", "Preparing", "Training", "Succeeded"} {
		if !slices.Contains(heard, state) {
			t.Errorf("%s was not heard: %q", state, heard)
		}
	}
}

// A pod on a node that is gone never ends its log; the next one must be heard all the same.
func TestALogWithoutEndIsLeft(t *testing.T) {
	heard, _, _ := follow(t, func(s runstest.Script) {
		s.Job("train-r-prepare", runstest.Ended(batchv1.JobComplete, "", ""))
		s.Job("train-r", runstest.Started)
		s.Pod(runstest.Pod("r", train.ComponentTrain, "t1", 60, func(p *corev1.Pod) {
			runstest.Running(p)
			p.DeletionTimestamp, p.Finalizers = &metav1.Time{Time: runstest.Began}, []string{"x"}
		}))
		s.Client.Say("t1", step(5))
		time.Sleep(5 * time.Second)
		s.Pod(runstest.Pod("r", train.ComponentTrain, "t2", 90, runstest.Running))
		s.Client.Say("t2", step(15))
		time.Sleep(20 * time.Second)
		s.Job("train-r", runstest.Ended(batchv1.JobFailed, "DeadlineExceeded", ""))
	})
	if !slices.Contains(heard, "t1: step 5") || !slices.Contains(heard, "t2: step 15") {
		t.Errorf("%q", heard)
	}
}

// A control plane that is away for a while ends nothing; one that stays away does.
func TestAClusterThatIsAway(t *testing.T) {
	for name, test := range map[string]struct {
		away time.Duration
		ends bool
	}{"for a minute": {time.Minute, false}, "for long": {20 * time.Minute, true}} {
		heard, run, err := follow(t, func(s runstest.Script) {
			time.Sleep(5*time.Second + test.away + 10*time.Second)
			s.Job("train-r-prepare", runstest.Ended(batchv1.JobFailed, "x", "y"))
		}, func(client *runstest.Client) {
			from := time.Now().Add(5 * time.Second)
			client.PrependReactor("get", "configmaps", func(clienttesting.Action) (bool, runtime.Object, error) {
				if since := time.Since(from); since >= 0 && since < test.away {
					return true, nil, apierrors.NewInternalError(errors.New("etcd is away"))
				}
				return false, nil, nil
			})
		})
		if !slices.Contains(heard, "away") || (err != nil) != test.ends || !test.ends && run.State != runs.Failed {
			t.Errorf("%s: %v %q", name, err, heard)
		}
	}
}

// Whoever may not read logs still gets to the end.
func TestFollowWithoutLogs(t *testing.T) {
	_, run, err := follow(t, func(s runstest.Script) {
		s.Pod(runstest.Pod("r", train.ComponentPrepare, "p1", 1, runstest.Running))
		time.Sleep(10 * time.Second)
		s.Job("train-r-prepare", runstest.Ended(batchv1.JobFailed, "x", "y"))
	}, func(client *runstest.Client) {
		client.Refuse = runstest.Status(http.StatusForbidden, metav1.StatusReasonForbidden)
	})
	if err != nil || run.State != runs.Failed {
		t.Errorf("%+v %v", run, err)
	}
}

func TestFollowWhatIsNotThere(t *testing.T) {
	o := &runs.Observer{Client: runstest.New(), Namespace: runstest.Namespace}
	if _, err := o.Follow(t.Context(), "r", func(runs.Update) {}); !errors.Is(err, runs.ErrNotFound) {
		t.Error(err)
	}
}
