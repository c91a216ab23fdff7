package wandb

import (
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/kubectl-summarizer/kubectl-summarizer/internal/web"
)

func TestViewer(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		user, key, _ := r.BasicAuth()
		body, _ := io.ReadAll(r.Body)
		if user != "api" || r.URL.Path != "/graphql" || !strings.Contains(string(body), "viewer") {
			t.Errorf("%s %s as %s: %s", r.Method, r.URL.Path, user, body)
		}
		switch key {
		case "good":
			_, _ = io.WriteString(w, `{"data":{"viewer":{"username":"ann","entity":"team"}}}`)
		case "service":
			_, _ = io.WriteString(w, `{"data":{"viewer":{"username":"","entity":"team"}}}`)
		case "nobody":
			_, _ = io.WriteString(w, `{"data":{"viewer":null}}`)
		case "down":
			w.WriteHeader(http.StatusBadGateway)
		case "portal":
			_, _ = io.WriteString(w, "<html>")
		default:
			http.Error(w, `{"errors":[{"message":"user is not logged in"}]}`, http.StatusUnauthorized)
		}
	}))
	defer server.Close()
	c := &Client{Endpoint: server.URL, HTTP: web.NewHTTP()}
	for key, want := range map[string]string{"good": "ann", "service": "team"} {
		if got, err := c.Viewer(t.Context(), key); got != want || err != nil {
			t.Errorf("%s: %q, %v", key, got, err)
		}
	}
	for key, known := range map[string]bool{"bad": true, "nobody": true, "down": false, "portal": false} {
		if _, err := c.Viewer(t.Context(), key); err == nil || errors.Is(err, ErrKey) != known {
			t.Errorf("%s: %v", key, err)
		}
	}
}
