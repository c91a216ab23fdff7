package vllm_test

import (
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/kubectl-summarizer/kubectl-summarizer/internal/vllm"
	"github.com/kubectl-summarizer/kubectl-summarizer/internal/vllm/vllmtest"
)

func retrying(t *testing.T, url string, attempts int) *vllm.Client {
	t.Helper()
	c, err := vllm.New(url, &vllm.Retrying{Base: &http.Transport{}, Attempts: attempts, Backoff: time.Millisecond})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func cut(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }

func TestRetriesUntilTheServerAnswers(t *testing.T) {
	server := vllmtest.Start(t)
	server.Fail(vllmtest.Busy, vllmtest.Draining, cut)
	answer, err := retrying(t, server.URL, 6).ChatStream(t.Context(), request, ignore)
	if err != nil || answer.Text != "Amanda baked cookies." {
		t.Fatalf("%+v, %v", answer, err)
	}
	sent := server.Requests()
	if len(sent) != 4 {
		t.Fatalf("%d requests", len(sent))
	}
	for _, body := range sent {
		if body["model"] != "smol" {
			t.Fatalf("a repeat lost its body: %v", sent)
		}
	}
}

func TestRetriesEnd(t *testing.T) {
	server := vllmtest.Start(t)
	server.Fail(vllmtest.Draining, vllmtest.Busy, vllmtest.Draining, vllmtest.Busy)
	_, err := retrying(t, server.URL, 3).Chat(t.Context(), request)
	var refused *vllm.APIError
	if !errors.As(err, &refused) || !refused.ShuttingDown() || !refused.Transient() || len(server.Requests()) != 3 {
		t.Fatalf("%v after %d requests", err, len(server.Requests()))
	}
}

func TestOtherErrorsAreNotRetried(t *testing.T) {
	server := vllmtest.Start(t)
	server.Fail(func(w http.ResponseWriter, _ *http.Request) {
		vllmtest.Refuse(w, 500, "InternalServerError", "", strings.Repeat("long ", 2000)+"end")
	})
	_, err := retrying(t, server.URL, 6).Chat(t.Context(), request)
	var refused *vllm.APIError
	// The body was looked into: it must still be whole, up to the length that a message may have.
	if !errors.As(err, &refused) || refused.Transient() || len(server.Requests()) != 1 || len(refused.Message) < 600 {
		t.Fatalf("%v after %d requests", err, len(server.Requests()))
	}
}

// TestBrokenAnswerIsNotRepeated: once text has come, repeating would print it twice.
func TestBrokenAnswerIsNotRepeated(t *testing.T) {
	server := vllmtest.Start(t)
	server.Pieces = []string{"Amanda", ""}
	var got strings.Builder
	_, err := retrying(t, server.URL, 6).ChatStream(t.Context(), request, func(s string) error { got.WriteString(s); return nil })
	var broken *vllm.TruncatedError
	if !errors.As(err, &broken) || got.String() != "Amanda" || len(server.Requests()) != 1 {
		t.Fatalf("%v, %q, %d requests", err, got.String(), len(server.Requests()))
	}
}
