package web

import (
	"context"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"
)

// A token goes to the host that was asked and to no other, also when that one sends it on.
func TestRedirects(t *testing.T) {
	leaked := ""
	other := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { leaked += r.Header.Get("Authorization") }))
	defer other.Close()
	mux := http.NewServeMux()
	mux.Handle("/away", http.RedirectHandler(other.URL, http.StatusFound))
	mux.Handle("/here", http.RedirectHandler("/there", http.StatusTemporaryRedirect))
	mux.Handle("/round", http.RedirectHandler("/round", http.StatusFound))
	mux.HandleFunc("/there", func(w http.ResponseWriter, r *http.Request) { w.Header().Set("Seen", r.Header.Get("Authorization")) })
	server := httptest.NewServer(mux)
	defer server.Close()
	for path, want := range map[string]int{"/away": http.StatusFound, "/here": http.StatusOK, "/round": http.StatusFound} {
		request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, server.URL+path, nil)
		if err != nil {
			t.Fatal(err)
		}
		request.Header.Set("Authorization", "Bearer canary")
		response, err := NewHTTP().Do(request)
		if err != nil {
			t.Fatal(path, err)
		}
		response.Body.Close()
		if response.StatusCode != want || path == "/here" && response.Header.Get("Seen") != "Bearer canary" {
			t.Errorf("%s: %d, want %d", path, response.StatusCode, want)
		}
	}
	if leaked != "" {
		t.Errorf("the other host got %q", leaked)
	}
}

func TestBase(t *testing.T) {
	if got, err := Base("https://hub.example/mirror/"); err != nil || got != "https://hub.example/mirror" {
		t.Errorf("%q, %v", got, err)
	}
	for _, bad := range []string{"hub.example", "ftp://hub.example", "https://", "https://ann:canary@hub.example", "https://hub.example?token=canary", "http://[canary"} {
		if got, err := Base(bad); err == nil || strings.Contains(err.Error(), "canary") {
			t.Errorf("%s: %q, %v", bad, got, err)
		}
	}
}

func TestReach(t *testing.T) {
	refuses := httptest.NewServer(http.NotFoundHandler())
	defer refuses.Close()
	if err := Reach(t.Context(), NewHTTP(), refuses.URL); err != nil {
		t.Error("an answer is an answer:", err)
	}
	hangs := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }))
	defer hangs.Close()
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if err := Reach(ctx, NewHTTP(), hangs.URL); err == nil || !strings.HasSuffix(err.Error(), "does not answer in time") {
		t.Error(err)
	}
	if err := Reach(t.Context(), NewHTTP(), "http://127.0.0.1:1"); err == nil || err.Error() != "127.0.0.1:1 refuses the connection" {
		t.Error(err)
	}
}
