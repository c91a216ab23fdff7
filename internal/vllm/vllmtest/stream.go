package vllmtest

import (
	"encoding/json"
	"fmt"
	"net/http"
	"time"
)

// stream answers as vLLM streams: a chunk with the role, one a piece, the last with its
// finish_reason, one with the usage and no choices, and the marker of the end.
func (s *Server) stream(w http.ResponseWriter, r *http.Request, model string, prompt int) {
	w.Header().Set("Content-Type", "text/event-stream; charset=utf-8")
	chunk := func(choices []map[string]any, usage any) {
		body := map[string]any{"id": "chatcmpl-1", "object": "chat.completion.chunk", "model": model, "choices": choices}
		if usage != nil {
			body["usage"] = usage
		}
		data, _ := json.Marshal(body)
		fmt.Fprintf(w, "data: %s\n\n", data)
		w.(http.Flusher).Flush()
	}
	delta := func(content map[string]any, finish any) {
		chunk([]map[string]any{{"index": 0, "delta": content, "logprobs": nil, "finish_reason": finish}}, nil)
	}
	delta(map[string]any{"role": "assistant", "content": ""}, nil)
	for i, piece := range s.Pieces {
		if !s.pause(r) {
			return
		}
		if piece == "" {
			panic(http.ErrAbortHandler)
		}
		var finish any
		if i == len(s.Pieces)-1 {
			finish = s.Finish
		}
		delta(map[string]any{"content": piece}, finish)
	}
	chunk([]map[string]any{}, s.usage(prompt))
	fmt.Fprint(w, "data: [DONE]\n\n")
}

// pause waits before a piece, and says whether the client is still there.
func (s *Server) pause(r *http.Request) bool {
	if s.Pause > 0 {
		select {
		case <-r.Context().Done():
		case <-time.After(s.Pause):
		}
	}
	if r.Context().Err() != nil {
		s.aborted <- struct{}{}
		return false
	}
	return true
}
