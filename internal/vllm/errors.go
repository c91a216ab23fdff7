package vllm

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"
	"unicode"
)

// shutdownMessage is what a draining vLLM 0.32 answers to a new request, with status 500.
const shutdownMessage = "cannot schedule new futures after shutdown"

const (
	maxErrorBody    = 64 << 10
	maxErrorMessage = 600
)

// APIError is a refusal by the server.
type APIError struct {
	Status  int // the HTTP status; for an error inside a stream its code, or 0
	Type    string
	Message string
	Param   string // the request's field that is at fault, when the server says so
	// RetryAfter is what the server asked for; 0 when it did not.
	RetryAfter time.Duration
}

// Error returns the server's own words with the status.
func (e *APIError) Error() string {
	switch {
	case e.Message == "":
		return fmt.Sprintf("the server answered %d %s", e.Status, http.StatusText(e.Status))
	case e.Status == 0:
		return "the server says: " + e.Message
	}
	return fmt.Sprintf("the server answered %d: %s", e.Status, e.Message)
}

// Transient says whether the same request may well succeed on another replica or a little
// later: the server is busy, draining, or a proxy before it has no server.
func (e *APIError) Transient() bool {
	return transientStatus(e.Status) || e.ShuttingDown()
}

// ShuttingDown says whether this is a server that drains before it stops. It finishes the
// streams it has, and will never take this request.
func (e *APIError) ShuttingDown() bool {
	return e.Status == http.StatusInternalServerError && strings.Contains(e.Message, shutdownMessage)
}

func transientStatus(status int) bool {
	switch status {
	case http.StatusTooManyRequests, http.StatusBadGateway, http.StatusServiceUnavailable, http.StatusGatewayTimeout:
		return true
	}
	return false
}

// TruncatedError is a stream that broke off before the server said that it was done.
type TruncatedError struct {
	Characters int   // how much text had come
	Cause      error // nil when the connection was closed without a word
}

// Error says how much arrived.
func (e *TruncatedError) Error() string {
	came := "before any text came"
	if e.Characters > 0 {
		came = fmt.Sprintf("after %d characters", e.Characters)
	}
	if e.Cause == nil {
		return "the answer broke off " + came
	}
	return fmt.Sprintf("the answer broke off %s: %v", came, e.Cause)
}

// Unwrap gives the cause.
func (e *TruncatedError) Unwrap() error { return e.Cause }

// IdleError is a server that said nothing for too long.
type IdleError struct {
	Limit time.Duration
}

// Error names the limit.
func (e *IdleError) Error() string { return fmt.Sprintf("the server sent nothing for %s", e.Limit) }

// wireError has the shapes in which servers and proxies tell an error: OpenAI's and vLLM's
// {"error":{…}}, the older flat {"object":"error",…}, and FastAPI's {"detail":"…"}.
type wireError struct {
	Error   json.RawMessage `json:"error"`
	Message string          `json:"message"`
	Type    string          `json:"type"`
	Param   string          `json:"param"`
	Detail  json.RawMessage `json:"detail"`
}

type wireErrorBody struct {
	Message string          `json:"message"`
	Type    string          `json:"type"`
	Param   string          `json:"param"`
	Code    json.RawMessage `json:"code"` // a number in vLLM, a string or null in OpenAI
}

func errorOf(resp *http.Response) *APIError {
	body, _ := io.ReadAll(io.LimitReader(resp.Body, maxErrorBody))
	e := decodeError(body)
	e.Status = resp.StatusCode
	e.RetryAfter = retryAfter(resp.Header.Get("Retry-After"))
	return e
}

func decodeError(body []byte) *APIError {
	var wire wireError
	if err := json.Unmarshal(body, &wire); err != nil {
		return &APIError{Message: printable(firstLine(string(body)))}
	}
	if e := decodeInner(wire.Error); e != nil {
		return e
	}
	message := wire.Message
	if message == "" && len(wire.Detail) > 0 {
		if json.Unmarshal(wire.Detail, &message) != nil {
			message = string(wire.Detail)
		}
	}
	return &APIError{Message: printable(message), Type: wire.Type, Param: wire.Param}
}

// decodeInner reads the value of "error", an object or a bare string; nil when there is none.
func decodeInner(raw json.RawMessage) *APIError {
	if len(raw) == 0 || string(raw) == "null" {
		return nil
	}
	var body wireErrorBody
	if json.Unmarshal(raw, &body) == nil {
		e := &APIError{Message: printable(body.Message), Type: body.Type, Param: body.Param}
		_ = json.Unmarshal(body.Code, &e.Status) // a code in words is not a status
		return e
	}
	var message string
	if json.Unmarshal(raw, &message) != nil {
		message = string(raw)
	}
	return &APIError{Message: printable(message)}
}

func firstLine(s string) string {
	line, _, _ := strings.Cut(strings.TrimSpace(s), "\n")
	return line
}

// printable keeps a server's text from moving the cursor or filling the screen.
func printable(s string) string {
	s = strings.Map(func(r rune) rune {
		if unicode.IsControl(r) {
			return ' '
		}
		return r
	}, strings.ToValidUTF8(strings.TrimSpace(s), "?"))
	if runes := []rune(s); len(runes) > maxErrorMessage {
		return string(runes[:maxErrorMessage]) + "…"
	}
	return s
}
