package vllm_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/kubectl-summarizer/kubectl-summarizer/internal/vllm"
	"github.com/kubectl-summarizer/kubectl-summarizer/internal/vllm/vllmtest"
)

func client(t *testing.T, url string) *vllm.Client {
	t.Helper()
	c, err := vllm.New(url, &http.Transport{})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

var request = vllm.ChatRequest{
	Model: "smol", MaxTokens: 32, Messages: vllm.SummaryMessages("", vllm.Instruction, "A: hi\nB: hello"),
}

func TestStream(t *testing.T) {
	server := vllmtest.Start(t)
	server.Pause = 40 * time.Millisecond
	var pieces []string
	answer, err := client(t, server.URL).ChatStream(t.Context(), request, func(s string) error {
		pieces = append(pieces, s)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if got := strings.Join(pieces, "|"); got != "Amanda| baked| cookies|." || answer.Text != "Amanda baked cookies." {
		t.Fatalf("pieces %s, text %q", got, answer.Text)
	}
	if answer.FinishReason != "stop" || answer.Usage.CompletionTokens != 4 || answer.Usage.PromptTokens == 0 {
		t.Fatalf("answer %+v", answer)
	}
	// A busy machine may see the first token late, the pauses are the least that all takes.
	if answer.FirstToken < 40*time.Millisecond || answer.Total < 160*time.Millisecond || answer.Total-answer.FirstToken < 20*time.Millisecond {
		t.Fatalf("first token after %s, all after %s", answer.FirstToken, answer.Total)
	}
	sent := server.Requests()[0]
	if sent["temperature"] != 0.0 || sent["max_tokens"] != 32.0 || fmt.Sprint(sent["stream_options"]) != "map[include_usage:true]" {
		t.Fatalf("sent %v", sent)
	}
}

func TestTokensPerSecond(t *testing.T) {
	for tokens, want := range map[int]float64{0: 0, 1: 0, 2: 0.5, 9: 4} {
		answer := vllm.Answer{FirstToken: 3 * time.Second, Total: 5 * time.Second, Usage: vllm.Usage{CompletionTokens: tokens}}
		if got := answer.TokensPerSecond(); got != want {
			t.Errorf("%d tokens: %g tokens/s, want %g", tokens, got, want)
		}
	}
}

func TestChatWhole(t *testing.T) {
	server := vllmtest.Start(t)
	answer, err := client(t, server.URL+"/v1").Chat(t.Context(), request)
	if err != nil || answer.Text != "Amanda baked cookies." || answer.Usage.CompletionTokens != 4 {
		t.Fatalf("%+v, %v", answer, err)
	}
}

func TestModelsTokenizeVersion(t *testing.T) {
	server := vllmtest.Start(t)
	c := client(t, server.URL)
	models, err := c.Models(t.Context())
	if err != nil || len(models) != 2 || models[0].MaxModelLen != 2048 || models[1].Parent != "smol" || models[1].MaxModelLen != 0 {
		t.Fatalf("%+v, %v", models, err)
	}
	tokens, err := c.Tokenize(t.Context(), "smol", request.Messages)
	if err != nil || tokens.Count < 10 || tokens.MaxModelLen != 2048 {
		t.Fatalf("%+v, %v", tokens, err)
	}
	version, err := c.Version(t.Context())
	if err != nil || version != "0.32.0" {
		t.Fatalf("%q, %v", version, err)
	}
	if err := c.Health(t.Context()); err != nil {
		t.Fatal(err)
	}
}

func ignore(string) error { return nil }

func TestStreamThatBreaksOff(t *testing.T) {
	event := func(data string) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "text/event-stream")
			fmt.Fprint(w, `data: {"choices":[{"delta":{"content":"Amändä"}}]}`+"\n\n"+data)
		}
	}
	for name, c := range map[string]struct {
		answer http.HandlerFunc
		want   string
	}{
		"no end marker": {event(""), "the answer broke off after 6 characters"},
		"connection cut": {func(w http.ResponseWriter, r *http.Request) {
			event("")(w, r)
			w.(http.Flusher).Flush()
			panic(http.ErrAbortHandler)
		}, "the answer broke off after 6 characters: unexpected EOF"},
		"error inside": {event(`data: {"error":{"message":"EngineCore encountered an issue","type":"InternalServerError","code":500}}` + "\n\ndata: [DONE]\n\n"),
			"the answer broke off after 6 characters: the server answered 500: EngineCore encountered an issue"},
		"not JSON": {event("data: {\"choices\":\n\n"), "the answer broke off after 6 characters: a piece of it is not valid: unexpected end of JSON input"},
	} {
		t.Run(name, func(t *testing.T) {
			server := vllmtest.Start(t)
			server.Fail(c.answer)
			answer, err := client(t, server.URL).ChatStream(t.Context(), request, ignore)
			var broken *vllm.TruncatedError
			if !errors.As(err, &broken) || broken.Characters != 6 || err.Error() != c.want {
				t.Fatalf("got %v, want %s", err, c.want)
			}
			if answer.Text != "Amändä" {
				t.Fatalf("kept %q", answer.Text)
			}
		})
	}
}

func TestErrorsOfEveryShape(t *testing.T) {
	for name, c := range map[string]struct {
		status int
		body   string
		want   vllm.APIError
	}{
		"vLLM": {404, "{\"error\":{\"message\":\"The model `nope` does not exist.\",\"type\":\"NotFoundError\",\"param\":\"model\",\"code\":404}}",
			vllm.APIError{Status: 404, Type: "NotFoundError", Message: "The model `nope` does not exist.", Param: "model"}},
		"OpenAI":        {401, `{"error":{"message":"no key","type":"invalid_request_error","param":null,"code":"invalid_api_key"}}`, vllm.APIError{Status: 401, Type: "invalid_request_error", Message: "no key"}},
		"flat":          {400, `{"object":"error","message":"bad","type":"BadRequestError","code":400}`, vllm.APIError{Status: 400, Type: "BadRequestError", Message: "bad"}},
		"FastAPI":       {404, `{"detail":"Not Found"}`, vllm.APIError{Status: 404, Message: "Not Found"}},
		"FastAPI list":  {422, `{"detail":[{"msg":"field required"}]}`, vllm.APIError{Status: 422, Message: `[{"msg":"field required"}]`}},
		"bare":          {500, `{"error":"boom"}`, vllm.APIError{Status: 500, Message: "boom"}},
		"a proxy":       {502, "<html>\n<h1>Bad Gateway</h1>", vllm.APIError{Status: 502, Message: "<html>"}},
		"nothing":       {500, "", vllm.APIError{Status: 500}},
		"escape codes":  {500, `{"error":{"message":"a\u001b[2Jb"}}`, vllm.APIError{Status: 500, Message: "a [2Jb"}},
		"a no-content":  {204, "", vllm.APIError{Status: 204}},
		"broken quoted": {500, `{"error":`, vllm.APIError{Status: 500, Message: `{"error":`}},
	} {
		t.Run(name, func(t *testing.T) {
			server := vllmtest.Start(t)
			server.Fail(func(w http.ResponseWriter, _ *http.Request) {
				w.WriteHeader(c.status)
				fmt.Fprint(w, c.body)
			})
			_, err := client(t, server.URL).Chat(t.Context(), request)
			var got *vllm.APIError
			if !errors.As(err, &got) || *got != c.want {
				t.Fatalf("got %#v (%v)\nwant %#v", got, err, c.want)
			}
		})
	}
}

func TestIdle(t *testing.T) {
	server := vllmtest.Start(t)
	stuck := func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/event-stream")
		fmt.Fprint(w, `data: {"choices":[{"delta":{"content":"A"}}]}`+"\n\n")
		w.(http.Flusher).Flush()
		<-r.Context().Done()
	}
	c := client(t, server.URL)
	c.Idle = 50 * time.Millisecond
	for name, fault := range map[string]http.HandlerFunc{
		"before the answer": func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() },
		"in the answer":     stuck,
	} {
		server.Fail(fault)
		_, err := c.ChatStream(t.Context(), request, ignore)
		var idle *vllm.IdleError
		if !errors.As(err, &idle) || !strings.HasSuffix(err.Error(), "the server sent nothing for 50ms") {
			t.Errorf("%s: %v", name, err)
		}
	}
	// A steady stream is never idle, however long it lasts.
	server.Pieces, server.Pause = strings.Split(strings.Repeat("a ", 20), " ")[:20], 10*time.Millisecond
	if answer, err := c.ChatStream(t.Context(), request, ignore); err != nil || answer.Total < 200*time.Millisecond {
		t.Fatalf("%+v, %v", answer, err)
	}
}

func TestKeepAlivesAreSignsOfLife(t *testing.T) {
	server := vllmtest.Start(t)
	server.Fail(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/event-stream")
		for range 20 {
			fmt.Fprint(w, ": keep-alive\n\n")
			w.(http.Flusher).Flush()
			time.Sleep(10 * time.Millisecond)
		}
		fmt.Fprint(w, `data: {"choices":[{"delta":{"content":"A"},"finish_reason":"stop"}]}`+"\n\ndata: [DONE]\n\n")
	})
	c := client(t, server.URL)
	c.Idle = 100 * time.Millisecond
	if answer, err := c.ChatStream(t.Context(), request, ignore); err != nil || answer.Text != "A" {
		t.Fatalf("%+v, %v", answer, err)
	}
}

func TestCancelStopsTheServer(t *testing.T) {
	server := vllmtest.Start(t)
	server.Pieces, server.Pause = strings.Split(strings.Repeat("a ", 1000), " ")[:1000], 5*time.Millisecond
	ctx, cancel := context.WithCancel(t.Context())
	n := 0
	_, err := client(t, server.URL).ChatStream(ctx, request, func(string) error {
		if n++; n == 3 {
			cancel()
		}
		return nil
	})
	if !errors.Is(err, context.Canceled) {
		t.Fatalf("got %v", err)
	}
	select {
	case <-server.Aborted():
	case <-time.After(5 * time.Second):
		t.Fatal("the server went on")
	}
}

func TestNotAStream(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "<html>hello</html>") }))
	defer server.Close()
	c := client(t, server.URL)
	if _, err := c.ChatStream(t.Context(), request, ignore); err == nil || !strings.Contains(err.Error(), `"text/html", not a stream of events`) {
		t.Fatal(err)
	}
	if _, err := c.Models(t.Context()); err == nil || !strings.Contains(err.Error(), "is this an OpenAI-compatible server?") {
		t.Fatal(err)
	}
}

func TestAddresses(t *testing.T) {
	for base, want := range map[string]string{
		"http://h:8000": "http://h:8000", "http://h:8000/": "http://h:8000", "http://h/v1": "http://h", "https://h/a/v1/": "https://h/a",
		"http://user:secret@h": "http://h",
	} {
		c, err := vllm.New(base, nil)
		if err != nil || c.Address() != want {
			t.Errorf("%s: %v, %v", base, c, err)
		}
	}
	for _, base := range []string{"", "h:8000", "ftp://h", "http://", "http://h?key=secret", "http://user:secret@h:x", "://user:secret@h"} {
		if _, err := vllm.New(base, nil); err == nil || strings.Contains(err.Error(), "secret") {
			t.Errorf("%s: %v", base, err)
		}
	}
}

func TestRedirectIsAnError(t *testing.T) {
	server := httptest.NewServer(http.RedirectHandler("http://elsewhere.invalid/login", http.StatusFound))
	defer server.Close()
	_, err := client(t, server.URL).Models(t.Context())
	if err == nil || !strings.Contains(err.Error(), "the server redirects to http://elsewhere.invalid/login") {
		t.Fatal(err)
	}
}
