package vllm

import (
	"context"
	"net/http"
)

// Models returns what is served: the base model under its names, then the adapters.
func (c *Client) Models(ctx context.Context) ([]Model, error) {
	var list struct {
		Data []Model `json:"data"`
	}
	err := c.call(ctx, http.MethodGet, "/v1/models", nil, &list)
	return list.Data, err
}

// Tokenize counts the tokens of a conversation as the model will see it. The error that an
// over-long chat request gets stops counting one past the limit, so this is the only way to
// know by how much a text is too long.
func (c *Client) Tokenize(ctx context.Context, model string, messages []Message) (Tokens, error) {
	var tokens Tokens
	err := c.call(ctx, http.MethodPost, "/tokenize", struct {
		Model    string    `json:"model"`
		Messages []Message `json:"messages"`
	}{model, messages}, &tokens)
	return tokens, err
}

// Health returns nil when the server says that it works. A draining vLLM says so too.
func (c *Client) Health(ctx context.Context) error {
	return c.call(ctx, http.MethodGet, "/health", nil, nil)
}

// Version returns the server's vLLM version.
func (c *Client) Version(ctx context.Context) (string, error) {
	var answer struct {
		Version string `json:"version"`
	}
	err := c.call(ctx, http.MethodGet, "/version", nil, &answer)
	return answer.Version, err
}
