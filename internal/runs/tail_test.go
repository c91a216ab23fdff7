package runs

import (
	"context"
	"net/http"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/kubectl-summarizer/kubectl-summarizer/internal/runs/runstest"
	"github.com/kubectl-summarizer/kubectl-summarizer/pkg/train"
)

// Each answer is all that was said so far, cut off: every line must come once, in order.
func TestTailOverBrokenConnections(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		pod := runstest.Pod("r", train.ComponentTrain, "t1", 0, runstest.Running)
		client := runstest.New(pod)
		client.Say("t1", "one", "two", "")
		var got []string
		done := make(chan error, 1)
		go func() {
			follow := &tail{client: client, namespace: runstest.Namespace, pod: "t1", container: train.ContainerName}
			done <- follow.run(t.Context(), func(line string) { got = append(got, line) })
		}()
		time.Sleep(3 * reopen)
		client.Say("t1", "three", strings.Repeat("x", 200_000))
		ended := pod.DeepCopy()
		runstest.Exited(0, "Completed", "")(ended)
		if _, err := client.Clientset.CoreV1().Pods(runstest.Namespace).UpdateStatus(t.Context(), ended, metav1.UpdateOptions{}); err != nil {
			t.Fatal(err)
		}
		if err := <-done; err != nil {
			t.Error(err)
		}
		if want := []string{"one", "two", "", "three", strings.Repeat("x", 200_000)}; !slices.Equal(got, want) {
			t.Errorf("%d lines: %.300q", len(got), got)
		}
	})
}

func TestTailEnds(t *testing.T) {
	refuse := func(code int, reason metav1.StatusReason) func() *http.Response { return runstest.Status(code, reason) }
	for name, test := range map[string]struct {
		refuse  func() *http.Response
		gone    bool
		cancel  bool
		want    string
		forever bool
	}{
		"the pod is gone":              {gone: true},
		"no right to read logs":        {refuse: refuse(http.StatusForbidden, metav1.StatusReasonForbidden), want: "forbidden"},
		"the node does not answer yet": {refuse: refuse(http.StatusInternalServerError, metav1.StatusReasonInternalError), cancel: true, want: "context canceled"},
	} {
		synctest.Test(t, func(t *testing.T) {
			client := runstest.New(runstest.Pod("r", train.ComponentTrain, "t1", 0, runstest.Running))
			client.Refuse = test.refuse
			if test.gone {
				client = runstest.New()
			}
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			if test.cancel {
				time.AfterFunc(time.Minute, cancel)
			}
			follow := &tail{client: client, namespace: runstest.Namespace, pod: "t1", container: train.ContainerName}
			err := follow.run(ctx, func(string) { t.Errorf("%s: a line", name) })
			if test.want == "" && err != nil || test.want != "" && (err == nil || !strings.Contains(strings.ToLower(err.Error()), test.want)) {
				t.Errorf("%s: %v", name, err)
			}
		})
	}
}

// Lines of one moment are told apart by how many they were.
func TestLinesOfOneMoment(t *testing.T) {
	at := "2026-11-25T10:00:00.5Z "
	follow := &tail{}
	var got []string
	read := func(text string) {
		again := follow.seen
		for line := range strings.Lines(text) {
			when, rest := stamped(strings.TrimSpace(line))
			if when.Equal(follow.last) && again > 0 {
				again--
				continue
			}
			follow.note(when)
			got = append(got, rest)
		}
	}
	read(at + "a\n" + at + "b\n")
	read(at + "a\n" + at + "b\n" + at + "c\n")
	if !slices.Equal(got, []string{"a", "b", "c"}) {
		t.Error(got)
	}
}
