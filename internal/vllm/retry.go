package vllm

import (
	"bytes"
	"context"
	"io"
	"math/rand/v2"
	"net/http"
	"strings"
	"time"
)

// Retrying is a transport that repeats a request which the server never began to answer: it
// was busy or draining, or the connection failed. Asking a model changes nothing on the
// server, so a repeat is safe; once an answer has begun, it is never repeated.
type Retrying struct {
	Base http.RoundTripper
	// Attempts is the most times a request is made, the first included.
	Attempts int
	// Backoff is the wait after the second attempt; it doubles with each and is jittered. The
	// first repeat is immediate: another replica is usually free.
	Backoff time.Duration
	// Budget gives a request the budget that bounds its repeats beside Attempts, which alone
	// bounds nothing when every attempt hangs; nil: none.
	Budget func() *Budget
	// Fatal says which errors of Base no repeat can cure; nil: none.
	Fatal func(error) bool
	// Repeating, when set, hears why a request is going to be sent again.
	Repeating func(why error)
}

// RoundTrip makes the request, as often as needed and allowed.
func (t *Retrying) RoundTrip(req *http.Request) (*http.Response, error) {
	var budget *Budget
	if t.Budget != nil {
		budget = t.Budget()
	}
	for attempt := 1; ; attempt++ {
		sent := time.Now()
		resp, err := t.Base.RoundTrip(req)
		wait, again := t.again(req, resp, err, attempt)
		if !again {
			budget.answered(sent)
			return resp, err
		}
		if !budget.Allows(wait) {
			return resp, err
		}
		t.tell(resp, err)
		if resp != nil {
			resp.Body.Close()
		}
		if err := sleep(req.Context(), wait); err != nil {
			return nil, err
		}
		if req, err = rewound(req); err != nil {
			return nil, err
		}
	}
}

func (t *Retrying) again(req *http.Request, resp *http.Response, err error, attempt int) (time.Duration, bool) {
	if attempt >= t.Attempts || !repeatable(req) || req.Context().Err() != nil {
		return 0, false
	}
	wait := t.wait(attempt)
	if err != nil {
		return wait, t.Fatal == nil || !t.Fatal(err)
	}
	if transientStatus(resp.StatusCode) {
		return max(wait, retryAfter(resp.Header.Get("Retry-After"))), true
	}
	return wait, resp.StatusCode == http.StatusInternalServerError && shuttingDown(resp)
}

// tell passes on why there is a repeat, in the words of the error that it would have become.
func (t *Retrying) tell(resp *http.Response, err error) {
	if t.Repeating == nil {
		return
	}
	if err == nil {
		err = errorOf(resp)
	}
	t.Repeating(err)
}

func (t *Retrying) wait(attempt int) time.Duration {
	if attempt == 1 {
		return 0
	}
	backoff := t.Backoff << (attempt - 2)
	return backoff/2 + rand.N(backoff/2+1)
}

// repeatable: loading and unloading adapters are the requests that change a server.
func repeatable(req *http.Request) bool {
	if strings.Contains(req.URL.Path, "load_lora_adapter") {
		return false
	}
	return req.Body == nil || req.Body == http.NoBody || req.GetBody != nil
}

// shuttingDown looks into an error's body and puts it back.
func shuttingDown(resp *http.Response) bool {
	head, err := io.ReadAll(io.LimitReader(resp.Body, 4<<10))
	resp.Body = &rejoined{Reader: io.MultiReader(bytes.NewReader(head), resp.Body), Closer: resp.Body}
	return err == nil && strings.Contains(string(head), shutdownMessage)
}

type rejoined struct {
	io.Reader
	io.Closer
}

func rewound(req *http.Request) (*http.Request, error) {
	again := req.Clone(req.Context())
	if req.GetBody == nil {
		return again, nil
	}
	body, err := req.GetBody()
	again.Body = body
	return again, err
}

func sleep(ctx context.Context, d time.Duration) error {
	if d == 0 {
		return ctx.Err()
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return context.Cause(ctx)
	case <-timer.C:
		return nil
	}
}
