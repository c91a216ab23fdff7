package query

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/kubectl-summarizer/kubectl-summarizer/internal/failure"
	"github.com/kubectl-summarizer/kubectl-summarizer/internal/vllm"
	"github.com/kubectl-summarizer/kubectl-summarizer/pkg/nearest"
)

// templateBytes is more than a chat template adds to a text.
const templateBytes = 1024

// streamAttempts is how often an answer that breaks off before its first token is asked for.
const streamAttempts = 3

// session is one question to one server.
type session struct {
	*options
	server   *server
	status   *waiting
	messages []vllm.Message
	request  vllm.ChatRequest
}

// prepare settles the model and the answer's length, and refuses what cannot work.
func (s *session) prepare(ctx context.Context) error {
	s.status.set("connecting to " + s.server.name)
	models, err := s.server.client.Models(ctx)
	if err != nil {
		return err
	}
	model, context, err := choose(models, s.model)
	if err != nil {
		return err
	}
	s.request = vllm.ChatRequest{Model: model, Messages: s.messages, MaxTokens: s.maxTokens, Temperature: s.temperature}
	return s.fit(ctx, context)
}

// choose returns the model to ask and its context in tokens (0: unknown). Without a name it
// is the first base model.
func choose(models []vllm.Model, name string) (string, int, error) {
	if len(models) == 0 {
		return "", 0, errors.New("the server serves no model")
	}
	lengths := map[string]int{}
	var names []string
	for _, m := range models {
		lengths[m.ID] = m.MaxModelLen
		names = append(names, m.ID)
	}
	for _, m := range models {
		if name == "" && m.Parent == "" || name == m.ID {
			return m.ID, max(m.MaxModelLen, lengths[m.Parent]), nil
		}
	}
	if name == "" {
		return models[0].ID, models[0].MaxModelLen, nil
	}
	next := "served: " + strings.Join(names, ", ")
	if near, ok := nearest.Name(name, names); ok {
		next = "did you mean --model " + near + "?\n" + next
	}
	return "", 0, failure.Refusedf(next, "model %q is not served", name)
}

// fit refuses a text that is longer than the context, and shortens an answer of default
// length to what is left.
func (s *session) fit(ctx context.Context, context int) error {
	size := templateBytes
	for _, m := range s.messages {
		size += len(m.Content)
	}
	// No token is shorter than a byte: most texts fit whatever their count is.
	if context > 0 && size+s.maxTokens <= context {
		return nil
	}
	tokens, err := s.server.client.Tokenize(ctx, s.request.Model, s.messages)
	var refused *vllm.APIError
	if errors.As(err, &refused) && (refused.Status == 404 || refused.Status == 405) {
		return nil // not vLLM: the server must judge for itself
	}
	if err != nil {
		return err
	}
	if tokens.MaxModelLen > 0 {
		context = tokens.MaxModelLen
	}
	if context == 0 {
		return nil
	}
	room := context - tokens.Count
	switch {
	case room < 1:
		return failure.Refusedf(s.server.longer(tokens.Count+s.maxTokens),
			"the text is too long: with the instruction it has %d tokens, and the context of %s is %d",
			tokens.Count, s.request.Model, context)
	case room < s.maxTokens && s.maxTokensGiven:
		return failure.Refusedf(fmt.Sprintf("give --max-tokens %d or less, or a shorter text", room),
			"%d tokens of text and %d for the answer are more than the context of %s, %d",
			tokens.Count, s.maxTokens, s.request.Model, context)
	}
	s.request.MaxTokens = min(s.maxTokens, room)
	return nil
}

// ask streams the answer. Until its first token it may be asked for again: nothing has been
// shown, and a pod that is gone is replaced by another.
func (s *session) ask(ctx context.Context) (*vllm.Answer, error) {
	s.status.set("waiting for the first token from " + s.server.name)
	for attempt := 1; ; attempt++ {
		answer, err := s.server.client.ChatStream(ctx, s.request, s.emit())
		var broken *vllm.TruncatedError
		if attempt < streamAttempts && ctx.Err() == nil && errors.As(err, &broken) && broken.Characters == 0 {
			s.status.again(err)
			continue
		}
		return answer, err
	}
}

// emit returns what to do with a piece of the answer.
func (s *session) emit() func(string) error {
	if s.output == "json" {
		return func(string) error {
			s.status.set("reading the answer of " + s.server.name)
			return nil
		}
	}
	w := newPrinter(s.f.Streams.Out)
	return func(piece string) error {
		s.status.stop()
		return w.print(piece)
	}
}
