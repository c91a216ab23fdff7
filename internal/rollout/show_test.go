package rollout

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"github.com/kubectl-summarizer/kubectl-summarizer/internal/cluster"
	"github.com/kubectl-summarizer/kubectl-summarizer/internal/failure"
	"github.com/kubectl-summarizer/kubectl-summarizer/internal/ui"
)

func TestStuck(t *testing.T) {
	tests := map[string]struct {
		view cluster.View
		says []string
		next string
	}{
		"a crash": {
			view: cluster.View{Pods: []cluster.Pod{{Name: "r-0", Current: true, Phase: cluster.Failing, Reason: "exit code 1", Message: "CUDA out of memory", Next: "lower --max-model-len", Log: []string{"a", "b"}}}},
			says: []string{"pod r-0 cannot start: exit code 1: CUDA out of memory", "  | a\n  | b"},
			next: "lower --max-model-len\nthen, with the mended values: kubectl summarizer install r -n ns",
		},
		"no pod is let in": {
			view: cluster.View{Deployment: "r", Blocked: "exceeded quota"},
			says: []string{"the cluster refuses the pods of r: exceeded quota"},
			next: "then, with the mended values: kubectl summarizer install r -n ns",
		},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			err := Stuck(&tt.view, "then, with the mended values: kubectl summarizer install r -n ns")
			for _, text := range tt.says {
				if !strings.Contains(err.Error(), text) {
					t.Errorf("%q does not say %q", err, text)
				}
			}
			if failure.KindOf(err) != failure.Failed || failure.NextOf(err) != tt.next {
				t.Errorf("kind %d, next %q", failure.KindOf(err), failure.NextOf(err))
			}
		})
	}
}

// Each phase is told once, in the words of somebody who waits; a new detail is not a new line.
func TestShow(t *testing.T) {
	var out bytes.Buffer
	live := ui.NewLive(&out, func() time.Time { return time.Unix(0, 0) })
	pod := func(phase cluster.Phase, message string) *cluster.View {
		return &cluster.View{Desired: 1, Pods: []cluster.Pod{{Current: true, Phase: phase, Message: message}}}
	}
	for _, view := range []*cluster.View{
		{Desired: 1},
		{Desired: 1, Pods: []cluster.Pod{{Phase: cluster.Stopping}}},
		pod(cluster.Unscheduled, "1 Insufficient nvidia.com/gpu"),
		pod(cluster.Downloading, "1 of 14 GiB"),
		pod(cluster.Downloading, "2 of 14 GiB"),
		pod(cluster.Ready, ""),
		{Desired: 2, Available: 1, Pods: []cluster.Pod{{Current: true, Phase: cluster.Loading, Message: "shards"}}},
		{Desired: 1, Blocked: "exceeded quota"},
	} {
		Show(live, view)
	}
	live.Close()
	want := `waiting for the pod
stopping the old pod: it finishes its requests
waiting for a node: 1 Insufficient nvidia.com/gpu
downloading the model: 1 of 14 GiB
loading the model: 1 of 2 ready; shards
the cluster refuses the pod: exceeded quota
`
	if out.String() != want {
		t.Errorf("got:\n%swant:\n%s", out.String(), want)
	}
}
