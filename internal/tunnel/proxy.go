package tunnel

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"log"
	"net/http"
	"net/http/httputil"
	"strconv"
)

const (
	// maxReplayed is how much of a request's body is kept in case it must be sent again.
	maxReplayed = 16 << 20
	// retryAfter, in seconds, is what a client is told when no pod is ready.
	retryAfter = 5
)

// Proxy serves HTTP locally and passes every request on to a ready pod. A TCP forward would
// be less code, but a client that keeps its connection would stay with one pod until that
// dies; request by request the load spreads, and a pod's end costs nobody a request.
type Proxy struct {
	reverse *httputil.ReverseProxy
}

// NewProxy returns a proxy over transport. Lost, when not nil, hears of answers that broke
// off, which their clients see as a closed connection.
func NewProxy(transport http.RoundTripper, lost func(error)) *Proxy {
	return &Proxy{reverse: &httputil.ReverseProxy{
		Transport:     transport,
		FlushInterval: -1, // every token at once
		ErrorLog:      log.New(io.Discard, "", 0),
		ErrorHandler:  refuse,
		Rewrite: func(r *httputil.ProxyRequest) {
			r.Out.URL.Scheme, r.Out.URL.Host = "http", r.In.Host
			if r.Out.URL.Host == "" {
				r.Out.URL.Host = "localhost"
			}
		},
		ModifyResponse: func(resp *http.Response) error {
			if resp.StatusCode != http.StatusSwitchingProtocols && lost != nil {
				resp.Body = &watchedBody{ReadCloser: resp.Body, ctx: resp.Request.Context(), lost: lost}
			}
			return nil
		},
	}}
}

// ServeHTTP passes one request on.
func (p *Proxy) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if err := replayable(r); err != nil {
		writeError(w, http.StatusBadRequest, "BadRequestError", "the request's body cannot be read: "+err.Error())
		return
	}
	p.reverse.ServeHTTP(w, r)
}

// replayable reads a body of ordinary size, so that the request can go to another pod when
// the first does not take it.
func replayable(r *http.Request) error {
	if r.Body == nil || r.Body == http.NoBody || r.ContentLength > maxReplayed {
		return nil
	}
	head, err := io.ReadAll(io.LimitReader(r.Body, maxReplayed+1))
	if err != nil {
		return err
	}
	if len(head) > maxReplayed {
		r.Body = struct {
			io.Reader
			io.Closer
		}{io.MultiReader(bytes.NewReader(head), r.Body), r.Body}
		return nil
	}
	r.GetBody = func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(head)), nil }
	r.Body, _ = r.GetBody()
	r.ContentLength = int64(len(head))
	r.TransferEncoding = nil
	return nil
}

// watchedBody reports an answer that ends before its end, unless its reader went first.
type watchedBody struct {
	io.ReadCloser
	ctx  context.Context
	lost func(error)
}

func (b *watchedBody) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	if err != nil && !errors.Is(err, io.EOF) && b.ctx.Err() == nil {
		b.lost(err)
	}
	return n, err
}

// refuse answers for a pod that cannot be had.
func refuse(w http.ResponseWriter, r *http.Request, err error) {
	var none *NoPodError
	switch {
	case r.Context().Err() != nil: // nobody is there to read it
	case errors.As(err, &none):
		w.Header().Set("Retry-After", strconv.Itoa(retryAfter))
		writeError(w, http.StatusServiceUnavailable, "ServiceUnavailableError", err.Error())
	default:
		writeError(w, http.StatusBadGateway, "BadGatewayError", err.Error())
	}
}

// writeError writes an error in the shape that OpenAI's clients read.
func writeError(w http.ResponseWriter, status int, kind, message string) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(map[string]any{"error": map[string]any{
		"message": message, "type": kind, "param": nil, "code": status,
	}})
}
