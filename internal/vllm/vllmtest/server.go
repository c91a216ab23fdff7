// Package vllmtest is a server for tests that answers word for word as vLLM 0.32.0 was seen
// to, in the parts of its API that the client uses. Its text is set by the test.
package vllmtest

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"
)

// Server is a served model with one adapter. Change its fields before the first request.
type Server struct {
	*httptest.Server

	Model, Adapter string
	MaxModelLen    int
	// Pieces are streamed one a chunk; a piece that is "" breaks the connection off there.
	Pieces []string
	// Finish is the last piece's finish_reason.
	Finish string
	// Pause is waited before each piece.
	Pause time.Duration

	mu       sync.Mutex
	faults   []http.HandlerFunc
	requests []map[string]any
	aborted  chan struct{}
}

// Start runs a server until the test ends.
func Start(t testing.TB) *Server {
	s := &Server{
		Model: "smol", Adapter: "demo", MaxModelLen: 2048,
		Pieces: []string{"Amanda", " baked", " cookies", "."}, Finish: "stop",
		aborted: make(chan struct{}, 64),
	}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /health", func(http.ResponseWriter, *http.Request) {})
	mux.HandleFunc("GET /version", func(w http.ResponseWriter, _ *http.Request) { reply(w, map[string]any{"version": "0.32.0"}) })
	mux.HandleFunc("GET /v1/models", s.models)
	mux.HandleFunc("POST /tokenize", s.tokenize)
	mux.HandleFunc("POST /v1/chat/completions", s.chat)
	mux.HandleFunc("/", func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(http.StatusNotFound)
		reply(w, map[string]any{"detail": "Not Found"})
	})
	s.Server = httptest.NewServer(mux)
	t.Cleanup(func() {
		s.CloseClientConnections()
		s.Close()
	})
	return s
}

// Fail makes the next chat requests be answered by these handlers, one each.
func (s *Server) Fail(handlers ...http.HandlerFunc) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.faults = append(s.faults, handlers...)
}

// Requests returns the bodies of the chat requests so far.
func (s *Server) Requests() []map[string]any {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]map[string]any(nil), s.requests...)
}

// Aborted delivers once for every chat request whose client went away before its end.
func (s *Server) Aborted() <-chan struct{} { return s.aborted }

// Busy is what a full queue answers (--max-num-queued-reqs).
func Busy(w http.ResponseWriter, _ *http.Request) {
	Refuse(w, http.StatusServiceUnavailable, "ServiceUnavailableError", "",
		"The engine is currently busy and cannot accept new requests. Please try again later or on a different instance.")
}

// Draining is what a server answers between SIGTERM and its end.
func Draining(w http.ResponseWriter, _ *http.Request) {
	Refuse(w, http.StatusInternalServerError, "InternalServerError", "", "cannot schedule new futures after shutdown")
}

// Refuse writes an error in vLLM's shape.
func Refuse(w http.ResponseWriter, status int, kind, param, message string) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	body := map[string]any{"message": message, "type": kind, "param": nil, "code": status}
	if param != "" {
		body["param"] = param
	}
	_ = json.NewEncoder(w).Encode(map[string]any{"error": body})
}

func reply(w http.ResponseWriter, body any) {
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(body)
}

func (s *Server) models(w http.ResponseWriter, _ *http.Request) {
	reply(w, map[string]any{"object": "list", "data": []map[string]any{
		{"id": s.Model, "object": "model", "owned_by": "vllm", "root": "/models/" + s.Model, "parent": nil, "max_model_len": s.MaxModelLen},
		{"id": s.Adapter, "object": "model", "owned_by": "vllm", "root": "/adapters/" + s.Adapter, "parent": s.Model},
	}})
}

// count takes every word for a token, and three for the template.
func count(messages []any) int {
	n := 3
	for _, m := range messages {
		text, _ := m.(map[string]any)["content"].(string)
		n += len(strings.Fields(text))
	}
	return n
}

func (s *Server) tokenize(w http.ResponseWriter, r *http.Request) {
	body := decode(r)
	messages, _ := body["messages"].([]any)
	n := count(messages)
	reply(w, map[string]any{"count": n, "max_model_len": s.MaxModelLen, "tokens": make([]int, n), "token_strs": nil})
}

func decode(r *http.Request) map[string]any {
	var body map[string]any
	_ = json.NewDecoder(r.Body).Decode(&body)
	return body
}

// fault returns the handler that is to fail this request, or nil.
func (s *Server) fault(body map[string]any) http.HandlerFunc {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.requests = append(s.requests, body)
	if len(s.faults) == 0 {
		return nil
	}
	next := s.faults[0]
	s.faults = s.faults[1:]
	return next
}

func (s *Server) chat(w http.ResponseWriter, r *http.Request) {
	body := decode(r)
	if fault := s.fault(body); fault != nil {
		fault(w, r)
		return
	}
	model, _ := body["model"].(string)
	messages, _ := body["messages"].([]any)
	tokens := count(messages)
	switch {
	case model != s.Model && model != s.Adapter:
		Refuse(w, http.StatusNotFound, "NotFoundError", "model",
			fmt.Sprintf("The model `%s` does not exist. Valid aliases: %s.", model, s.Model))
	case tokens > s.MaxModelLen:
		Refuse(w, http.StatusBadRequest, "BadRequestError", "input_tokens", fmt.Sprintf(
			"This model's maximum context length is %d tokens. However, your prompt contains at least %d input tokens, for a total of at least %d tokens.",
			s.MaxModelLen, s.MaxModelLen+1, s.MaxModelLen+1))
	case body["stream"] == true:
		s.stream(w, r, model, tokens)
	default:
		reply(w, map[string]any{
			"id": "chatcmpl-1", "object": "chat.completion", "model": model,
			"choices": []map[string]any{{"index": 0, "finish_reason": s.Finish,
				"message": map[string]any{"role": "assistant", "content": strings.Join(s.Pieces, "")}}},
			"usage": s.usage(tokens),
		})
	}
}

func (s *Server) usage(prompt int) map[string]any {
	return map[string]any{"prompt_tokens": prompt, "completion_tokens": len(s.Pieces), "total_tokens": prompt + len(s.Pieces)}
}
