package vllm_test

import (
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/kubectl-summarizer/kubectl-summarizer/internal/vllm"
)

// slowServer plays one that takes a while for each answer; the tests' clock is not the real one.
type slowServer struct {
	answers  []slowAnswer // the last one goes on
	requests int
}

type slowAnswer struct {
	after      time.Duration
	status     int // 0: the connection breaks
	retryAfter string
}

var errBroken = errors.New("connection reset")

func (s *slowServer) RoundTrip(*http.Request) (*http.Response, error) {
	answer := s.answers[min(s.requests, len(s.answers)-1)]
	s.requests++
	time.Sleep(answer.after)
	if answer.status == 0 {
		return nil, errBroken
	}
	return &http.Response{
		StatusCode: answer.status, Header: http.Header{"Retry-After": {answer.retryAfter}},
		Body: io.NopCloser(strings.NewReader(`{"error":{"message":"no pod is ready"}}`)),
	}, nil
}

// TestBudget: however slowly a server fails, and whatever it asks for, a request is not
// repeated later than the budget allows.
func TestBudget(t *testing.T) {
	for name, c := range map[string]struct {
		answers  []slowAnswer
		requests int
		took     time.Duration // the most
		fails    bool
	}{
		// Our own port-forward, which waits 10 s for a pod before it says that there is none.
		"a port-forward without a pod": {[]slowAnswer{{10 * time.Second, 503, "5"}}, 2, 25 * time.Second, true},
		"it asks for a minute":         {[]slowAnswer{{0, 503, "60"}}, 1, 0, true},
		"it asks for an age":           {[]slowAnswer{{0, 503, "99999999999999"}}, 1, 0, true},
		"it asks for what it gets":     {[]slowAnswer{{0, 503, "7"}, {0, 200, ""}}, 2, 7 * time.Second, false},
		"it says no at once":           {[]slowAnswer{{0, 503, ""}}, 6, 4 * time.Second, true},
		"connections hang and break":   {[]slowAnswer{{10 * time.Second, 0, ""}}, 3, 31 * time.Second, true},
		// A server that dies while a request waits in its queue: another may take it.
		"it breaks off after a minute": {[]slowAnswer{{time.Minute, 0, ""}, {time.Minute, 200, ""}}, 2, 2 * time.Minute, false},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				server := &slowServer{answers: c.answers}
				var told []string
				transport := &vllm.Retrying{
					Base: server, Attempts: 6, Backoff: 250 * time.Millisecond,
					Budget:    func() *vllm.Budget { return vllm.NewBudget(15 * time.Second) },
					Repeating: func(why error) { told = append(told, why.Error()) },
				}
				start := time.Now()
				resp, err := transport.RoundTrip(get(t))
				if resp != nil {
					defer resp.Body.Close()
				}
				failed := err != nil || resp.StatusCode != http.StatusOK
				if took := time.Since(start); failed != c.fails || server.requests != c.requests || took > c.took {
					t.Errorf("failed %v after %s and %d requests, want %v, %s and %d", failed, took, server.requests, c.fails, c.took, c.requests)
				}
				for _, why := range told {
					if why != "the server answered 503: no pod is ready" && why != errBroken.Error() {
						t.Errorf("told why: %q", why)
					}
				}
				if len(told) != c.requests-1 {
					t.Errorf("told of %d repeats", len(told))
				}
			})
		})
	}
}

func get(t *testing.T) *http.Request {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://server/v1/models", nil)
	if err != nil {
		t.Fatal(err)
	}
	return req
}

// TestBudgetOfSeveralRequests: what one request has used up, the next does not have; the
// time that a repeat took to be answered is not used up.
func TestBudgetOfSeveralRequests(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		budget := vllm.NewBudget(15 * time.Second)
		// Eight seconds of waiting and a minute in the queue, and then again.
		server := &slowServer{answers: []slowAnswer{{0, 503, "8"}, {time.Minute, 200, ""}, {0, 503, "8"}, {0, 200, ""}}}
		transport := &vllm.Retrying{Base: server, Attempts: 6, Budget: func() *vllm.Budget { return budget }}
		for i, want := range []int{200, 503} {
			resp, err := transport.RoundTrip(get(t))
			if err != nil {
				t.Fatal(err)
			}
			resp.Body.Close()
			if resp.StatusCode != want {
				t.Errorf("request %d got %d, want %d", i+1, resp.StatusCode, want)
			}
		}
		if !budget.Allows(7*time.Second) || budget.Allows(8*time.Second) {
			t.Error("not 7 of the 15 seconds are left")
		}
	})
}
