package doctor

import (
	"context"
	"net/http"
	"strings"
	"testing"
	"time"
)

// Without a cluster its checks say why they were skipped, and the others run.
func TestWithoutCluster(t *testing.T) {
	s := subject(t)
	answers(t, s, world)
	s.Client, s.Dynamic, s.NoCluster, s.HFToken, s.WandBKey = nil, nil, "no cluster is configured", "hf_write", "wb"
	s.Model, s.PublishRepo, s.Image = "gated/model", "lab/sums", strings.TrimPrefix(s.Hub.Endpoint, "http://")+"/vllm:v1"
	found := Run(t.Context(), s, 5*time.Second)
	for i, f := range found {
		want := Pass
		if checks[i].cluster {
			want = Skipped
		}
		if f.ID != checks[i].id || f.Result != want || want == Skipped && f.Detail != "no cluster is configured" {
			t.Errorf("%+v", f)
		}
	}
	if r := NewReport(s, found); !r.Healthy || r.Counts() != "5 passed, 0 warned, 0 failed, 13 skipped" {
		t.Errorf("%+v", r)
	}
}

// A check that gets no answer ends when its time is over, and holds up no other.
func TestTimeout(t *testing.T) {
	s := subject(t)
	answers(t, s, func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() })
	start := time.Now()
	results := map[string]Finding{}
	for _, f := range Run(t.Context(), s, time.Second) {
		results[f.ID] = f
	}
	if took := time.Since(start); took > 3*time.Second {
		t.Errorf("took %s", took)
	}
	if f := results["model-access"]; f.Result != Skipped || f.Detail == "" {
		t.Errorf("%+v", f)
	}
	if f := results["pod-security"]; f.Result == Pass || f.Detail != "namespace ml does not exist" {
		t.Errorf("%+v", f)
	}
}

// A client that does not heed its context is left behind.
func TestLeftBehind(t *testing.T) {
	s := subject(t)
	released := make(chan struct{})
	defer close(released)
	hangs := func(*Subject, context.Context) Finding { <-released; return pass("") }
	if f := s.do(t.Context(), check{id: "storage", title: "x", cluster: true, run: hangs}, time.Millisecond); f.Result != Skipped || f.Detail != "no answer within 1ms (--timeout)" {
		t.Errorf("%+v", f)
	}
	if f := s.do(t.Context(), check{id: "cluster", title: "x", cluster: true, run: hangs}, time.Millisecond); f.Result != Fail || !strings.HasSuffix(f.Fix, "--context lab") {
		t.Errorf("%+v", f)
	}
}
