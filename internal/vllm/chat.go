package vllm

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"strings"
	"time"
	"unicode/utf8"
)

const chatPath = "/v1/chat/completions"

// chatCompletion is a whole answer, and a chunk of a streamed one.
type chatCompletion struct {
	Model   string `json:"model"`
	Choices []struct {
		Message      content `json:"message"`
		Delta        content `json:"delta"`
		FinishReason string  `json:"finish_reason"`
	} `json:"choices"`
	Usage *Usage          `json:"usage"`
	Error json.RawMessage `json:"error"`
}

type content struct {
	Content string `json:"content"`
}

// Chat asks for an answer and returns it whole.
func (c *Client) Chat(ctx context.Context, request ChatRequest) (*Answer, error) {
	start := time.Now()
	var completion chatCompletion
	if err := c.call(ctx, http.MethodPost, chatPath, request, &completion); err != nil {
		return nil, err
	}
	if len(completion.Choices) == 0 {
		return nil, errors.New("the server's answer holds no text (is this an OpenAI-compatible server?)")
	}
	answer := &Answer{
		Model:        completion.Model,
		Text:         completion.Choices[0].Message.Content,
		FinishReason: completion.Choices[0].FinishReason,
		Total:        time.Since(start),
	}
	if completion.Usage != nil {
		answer.Usage = *completion.Usage
	}
	return answer, nil
}

// streamRequest is a ChatRequest that wants the answer in pieces, with the token counts at
// the end.
type streamRequest struct {
	ChatRequest
	Stream        bool          `json:"stream"`
	StreamOptions streamOptions `json:"stream_options"`
}

type streamOptions struct {
	IncludeUsage bool `json:"include_usage"`
}

// ChatStream asks for an answer and hands over its pieces as they come; an error of emit
// ends the request. When the answer breaks off, it returns what came with a TruncatedError.
func (c *Client) ChatStream(ctx context.Context, request ChatRequest, emit func(text string) error) (*Answer, error) {
	start := time.Now()
	resp, err := c.send(ctx, http.MethodPost, chatPath,
		streamRequest{ChatRequest: request, Stream: true, StreamOptions: streamOptions{IncludeUsage: true}})
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	if kind, _, _ := mime.ParseMediaType(resp.Header.Get("Content-Type")); kind != "text/event-stream" {
		return nil, fmt.Errorf("the server's answer is %q, not a stream of events (is this an OpenAI-compatible server?)", kind)
	}
	s := &streamed{start: start, emit: emit}
	err = s.read(NewEventReader(resp.Body))
	s.answer.Text = s.text.String()
	s.answer.Total = time.Since(start)
	return &s.answer, err
}

type streamed struct {
	start  time.Time
	emit   func(string) error
	text   strings.Builder
	answer Answer
}

func (s *streamed) read(events *EventReader) error {
	for {
		data, err := events.Next()
		switch {
		case errors.Is(err, io.EOF):
			return s.truncated(nil)
		case err != nil:
			return s.truncated(err)
		case string(data) == "[DONE]":
			return nil
		}
		var chunk chatCompletion
		if err := json.Unmarshal(data, &chunk); err != nil {
			return s.truncated(fmt.Errorf("a piece of it is not valid: %w", err))
		}
		if err := s.take(&chunk); err != nil {
			return err
		}
	}
}

func (s *streamed) take(chunk *chatCompletion) error {
	if e := decodeInner(chunk.Error); e != nil {
		return s.truncated(e)
	}
	if chunk.Model != "" {
		s.answer.Model = chunk.Model
	}
	if chunk.Usage != nil {
		s.answer.Usage = *chunk.Usage
	}
	if len(chunk.Choices) == 0 {
		return nil
	}
	choice := &chunk.Choices[0]
	if choice.FinishReason != "" {
		s.answer.FinishReason = choice.FinishReason
	}
	piece := choice.Delta.Content
	if piece == "" {
		return nil
	}
	if s.answer.FirstToken == 0 {
		s.answer.FirstToken = time.Since(s.start)
	}
	s.text.WriteString(piece)
	return s.emit(piece)
}

func (s *streamed) truncated(cause error) error {
	return &TruncatedError{Characters: utf8.RuneCountInString(s.text.String()), Cause: cause}
}
