package status

import (
	"bytes"
	"testing"
	"time"

	"github.com/kubectl-summarizer/kubectl-summarizer/internal/cluster"
)

func TestText(t *testing.T) {
	now := time.Date(2026, 11, 1, 12, 0, 0, 0, time.UTC)
	r := &report{
		Release: "r", Namespace: "ns", Chart: "vllm-summarizer 0.1.0", Revision: 3, Updated: now.Add(-90 * time.Minute),
		Summary: "Failing: 1 of 2 replicas available", now: now,
		Served: &served{Model: "org/model", MaxModelLen: 8192, Adapters: []string{"a", "b"}, VLLM: "0.32.0"},
		Pods: []cluster.Pod{
			{Name: "r-1", Node: "n1", GPUs: 1, Phase: cluster.Ready, Current: true, Created: now.Add(-time.Hour)},
			{Name: "r-2", GPUs: 1, Phase: cluster.Failing, Current: true, Restarts: 2, LastExit: "exit code 1", Created: now.Add(-5 * time.Minute),
				Reason: "exit code 1", Message: "the weights fill the GPU", Log: []string{"ValueError: x"}, Next: "use a larger GPU\nor a smaller model"},
			{Name: "r-0", Node: "n1", GPUs: 1, Phase: cluster.Ready, Created: now.Add(-72 * time.Hour)},
		},
	}
	var out bytes.Buffer
	if err := r.text(&out); err != nil {
		t.Fatal(err)
	}
	want := `release    r in ns, revision 3, vllm-summarizer 0.1.0, installed 1h30m ago
state      Failing: 1 of 2 replicas available
model      org/model, context 8192 tokens, vLLM 0.32.0
adapters   a, b

POD   PHASE         NODE   GPUS   RESTARTS                AGE
r-1   Ready         n1     1      0                       1h00m
r-2   Failing       -      1      2 (last: exit code 1)   5m00s
r-0   Ready (old)   n1     1      0                       3d

r-2: exit code 1: the weights fill the GPU
  | ValueError: x
  next: use a larger GPU
        or a smaller model
`
	if out.String() != want {
		t.Errorf("got:\n%s\nwant:\n%s", out.String(), want)
	}
}

func TestSummary(t *testing.T) {
	tests := []struct {
		view   cluster.View
		record string
		want   string
	}{
		{cluster.View{Deployment: "d", Healthy: true, Desired: 2, Available: 2}, "deployed", "healthy: 2 of 2 replicas available"},
		{cluster.View{}, "pending-install", "not installed whole (pending-install): run install again"},
		{cluster.View{}, "deployed", "its Deployment is gone: run install again"},
		{cluster.View{Deployment: "d"}, "deployed", "scaled to 0 replicas"},
		{cluster.View{Deployment: "d", Desired: 1, Blocked: "exceeded quota"}, "deployed", "the cluster refuses its pods: exceeded quota"},
		{cluster.View{Deployment: "d", Desired: 1}, "deployed", "no pod yet"},
		{cluster.View{Deployment: "d", Desired: 1, Pods: []cluster.Pod{{Current: true, Phase: cluster.Loading}}}, "deployed", "Loading: 0 of 1 replicas available"},
	}
	for _, tt := range tests {
		if got := summary(&tt.view, tt.record); got != tt.want {
			t.Errorf("summary = %q, want %q", got, tt.want)
		}
	}
}
