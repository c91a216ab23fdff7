// Package hub asks the Hugging Face Hub, or a mirror of it, what a token is worth and what a model
// is. It reads and never writes.
package hub

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"

	"github.com/kubectl-summarizer/kubectl-summarizer/internal/web"
)

// Public is the Hub that everybody means.
const Public = "https://huggingface.co"

// maxAnswer is the size of the largest answer that is read.
const maxAnswer = 1 << 20

// Client asks one Hub.
type Client struct {
	// Endpoint is the Hub's address without a slash at its end.
	Endpoint string
	// HTTP must not carry a token to another host; web.NewHTTP does not.
	HTTP *http.Client
}

// Refusal is an answer other than the one that was asked for, in the Hub's words.
type Refusal struct {
	Status int
	// Code is the Hub's own: GatedRepo, RepoNotFound, RevisionNotFound, EntryNotFound, or "".
	Code string
	// Message is for people; it may be empty.
	Message string
}

// Codes of refusals.
const (
	GatedRepo     = "GatedRepo"
	RepoNotFound  = "RepoNotFound"
	EntryNotFound = "EntryNotFound"
)

func (r *Refusal) Error() string {
	return strings.TrimSuffix(fmt.Sprintf("%d: %s", r.Status, r.Message), ": ")
}

// Readable asks whether a model's files may be read: nil when they may, a *Refusal when the Hub
// says no. The list of a gated model is public, a file is not.
func (c *Client) Readable(ctx context.Context, token, id string) error {
	response, err := c.ask(ctx, http.MethodHead, "/"+id+"/resolve/main/config.json", token)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	switch status := response.StatusCode; {
	case status < http.StatusMultipleChoices:
		return nil
	// Files may lie elsewhere: the Hub sends on only those who may read them, and says of which commit.
	case status < http.StatusBadRequest && response.Header.Get("X-Repo-Commit") != "":
		return nil
	}
	return refusalOf(response)
}

// Exists asks whether there is a model of that id which the token can see.
func (c *Client) Exists(ctx context.Context, token, id string) (bool, error) {
	response, err := c.ask(ctx, http.MethodGet, "/api/models/"+id, token)
	if err != nil {
		return false, err
	}
	defer response.Body.Close()
	switch response.StatusCode {
	case http.StatusOK:
		return true, nil
	case http.StatusNotFound:
		return false, nil
	}
	return false, refusalOf(response)
}

func (c *Client) ask(ctx context.Context, method, path, token string) (*http.Response, error) {
	request, err := http.NewRequestWithContext(ctx, method, c.Endpoint+path, nil)
	if err != nil {
		return nil, err
	}
	if token != "" {
		request.Header.Set("Authorization", "Bearer "+token)
	}
	response, err := c.HTTP.Do(request)
	if err != nil {
		return nil, web.Explain(err)
	}
	return response, nil
}

// get reads a JSON answer.
func (c *Client) get(ctx context.Context, path, token string, into any) error {
	response, err := c.ask(ctx, http.MethodGet, path, token)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return refusalOf(response)
	}
	if err := json.NewDecoder(io.LimitReader(response.Body, maxAnswer)).Decode(into); err != nil {
		return fmt.Errorf("%s%s does not answer as the Hub does: %w", c.Endpoint, path, err)
	}
	return nil
}

// refusalOf takes the Hub's words from its headers, or else from the body.
func refusalOf(response *http.Response) error {
	r := &Refusal{Status: response.StatusCode, Code: response.Header.Get("X-Error-Code"), Message: response.Header.Get("X-Error-Message")}
	if r.Message == "" {
		var body struct{ Error string }
		if err := json.NewDecoder(io.LimitReader(response.Body, maxAnswer)).Decode(&body); err == nil {
			r.Message = body.Error
		}
	}
	return r
}

// AsRefusal returns the Hub's refusal in an error, nil when it is something else.
func AsRefusal(err error) *Refusal {
	var r *Refusal
	if errors.As(err, &r) {
		return r
	}
	return nil
}
