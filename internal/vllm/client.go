package vllm

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"
)

// DefaultIdle is how long a server may say nothing. A long text behind a full queue takes
// minutes to its first token.
const DefaultIdle = 5 * time.Minute

// maxBody bounds an answer that is read whole.
const maxBody = 64 << 20

// Client talks to one endpoint. It is safe for concurrent use.
type Client struct {
	// Idle ends a request during which the server sends nothing for this long; 0 waits forever.
	Idle time.Duration

	base *url.URL
	http *http.Client
}

// New returns a client of the server at base, such as http://127.0.0.1:8000; a trailing
// /v1, as OpenAI's own tools want it, is accepted. A nil transport is http.DefaultTransport.
func New(base string, transport http.RoundTripper) (*Client, error) {
	u, err := url.Parse(base)
	if err != nil || u.Host == "" || (u.Scheme != "http" && u.Scheme != "https") {
		return nil, fmt.Errorf("%q is not an http:// or https:// address", redacted(base))
	}
	if u.RawQuery != "" || u.Fragment != "" {
		return nil, fmt.Errorf("%q has more than a host and a path", redacted(base))
	}
	u.Path = strings.TrimSuffix(strings.TrimSuffix(u.Path, "/"), "/v1")
	return &Client{Idle: DefaultIdle, base: u, http: &http.Client{Transport: transport, CheckRedirect: noRedirect}}, nil
}

// redacted keeps a password in an address out of messages, even when it does not parse.
func redacted(base string) string {
	scheme, rest, found := strings.Cut(base, "://")
	if !found {
		scheme, rest = "", base
	} else {
		scheme += "://"
	}
	if at := strings.LastIndex(rest, "@"); at >= 0 {
		rest = "…" + rest[at:]
	}
	if before, _, cut := strings.Cut(rest, "?"); cut {
		rest = before + "?…"
	}
	return scheme + rest
}

// noRedirect: a redirected POST silently becomes a GET.
func noRedirect(req *http.Request, _ []*http.Request) error {
	return fmt.Errorf("the server redirects to %s: give that address", req.URL.Redacted())
}

// send makes one request and returns its answer when the status is 200. The caller closes
// the body.
func (c *Client) send(ctx context.Context, method, path string, body any) (*http.Response, error) {
	ctx, guard := guard(ctx, c.Idle)
	resp, err := c.sendGuarded(ctx, method, path, body)
	if err != nil {
		if ctx.Err() != nil {
			err = context.Cause(ctx)
		}
		guard.stop()
		return nil, err
	}
	resp.Body = &guardedBody{ReadCloser: resp.Body, guard: guard, ctx: ctx}
	guard.heard()
	if resp.StatusCode == http.StatusOK {
		return resp, nil
	}
	defer resp.Body.Close()
	return nil, errorOf(resp)
}

func (c *Client) sendGuarded(ctx context.Context, method, path string, body any) (*http.Response, error) {
	var payload io.Reader
	if body != nil {
		encoded, err := json.Marshal(body)
		if err != nil {
			return nil, err
		}
		payload = bytes.NewReader(encoded)
	}
	req, err := http.NewRequestWithContext(ctx, method, c.base.JoinPath(path).String(), payload)
	if err != nil {
		return nil, err
	}
	if body != nil {
		req.Header.Set("Content-Type", "application/json")
		// An empty list marks the request as safe to repeat for net/http, and is not sent: an idle
		// connection that the server closes just then costs nothing.
		req.Header["Idempotency-Key"] = []string{}
	}
	resp, err := c.http.Do(req)
	var urlErr *url.Error
	if errors.As(err, &urlErr) {
		err = urlErr.Err // method and address say nothing that the caller does not know
	}
	return resp, err
}

// call makes one request and decodes its JSON answer.
func (c *Client) call(ctx context.Context, method, path string, body, into any) error {
	resp, err := c.send(ctx, method, path, body)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	data, err := io.ReadAll(io.LimitReader(resp.Body, maxBody))
	if err != nil {
		return fmt.Errorf("the answer to %s broke off: %w", path, err)
	}
	if into == nil {
		return nil
	}
	if err := json.Unmarshal(data, into); err != nil {
		return fmt.Errorf("the server's answer to %s is not what vLLM sends (is this an OpenAI-compatible server?): %w", path, err)
	}
	return nil
}

func retryAfter(header string) time.Duration {
	var seconds int
	if _, err := fmt.Sscanf(header, "%d", &seconds); err != nil || seconds < 0 {
		return 0
	}
	return time.Duration(min(seconds, 1<<30)) * time.Second // no server means a longer one
}

// Address is where the server is, without the credentials that it may hold.
func (c *Client) Address() string {
	bare := *c.base
	bare.User = nil
	return bare.String()
}
