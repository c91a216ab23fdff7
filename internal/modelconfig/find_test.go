package modelconfig

import (
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/kubectl-summarizer/kubectl-summarizer/internal/failure"
)

func env(pairs ...string) Env {
	return func(name string) string {
		for i := 0; i+1 < len(pairs); i += 2 {
			if pairs[i] == name {
				return pairs[i+1]
			}
		}
		return ""
	}
}

func TestCached(t *testing.T) {
	home := t.TempDir()
	dir := filepath.Join(home, "hub", "models--team--model", "snapshots", "abc")
	if err := os.MkdirAll(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "config.json"), []byte(`{"a":1}`), 0o600); err != nil {
		t.Fatal(err)
	}
	if got := Cached(env("HF_HOME", home), "team/model"); string(got) != `{"a":1}` {
		t.Errorf("%q", got)
	}
	for _, id := range []string{"team/other", "team/*", "../../etc"} {
		if got := Cached(env("HF_HOME", home), id); got != nil {
			t.Errorf("%s: %q", id, got)
		}
	}
}

// The Hub's answers are told apart, and the token is in none of them.
func TestFetch(t *testing.T) {
	const token = "hf_abcdefghijklmnopqrstuvwxyz012345"
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch {
		case r.URL.Path == "/team/open/resolve/main/config.json" && r.Header.Get("Authorization") == "Bearer "+token:
			_, _ = w.Write([]byte(`{"b":2}`))
		case strings.Contains(r.URL.Path, "gated"):
			w.Header().Set("X-Error-Code", "GatedRepo")
			w.WriteHeader(http.StatusForbidden)
		case strings.Contains(r.URL.Path, "private"):
			w.WriteHeader(http.StatusUnauthorized)
		case strings.Contains(r.URL.Path, "huge"):
			_, _ = w.Write(make([]byte, 5<<20))
		case strings.Contains(r.URL.Path, "broken"):
			w.WriteHeader(http.StatusServiceUnavailable)
		default:
			w.WriteHeader(http.StatusNotFound)
		}
	}))
	defer server.Close()
	e := env("HF_ENDPOINT", server.URL+"/", "HF_TOKEN", token)
	if data, err := Fetch(t.Context(), e, "team/open", ""); err != nil || string(data) != `{"b":2}` {
		t.Errorf("%q, %v", data, err)
	}
	for id, want := range map[string][2]string{
		"team/gated":   {"no access to team/gated (403)", "accept the licence at " + server.URL + "/team/gated"},
		"team/private": {"without a valid token (401)", "export HF_TOKEN"},
		"team/none":    {"no config.json of team/none at revision main (404)", "look at " + server.URL},
		"team/huge":    {"more than 4 MiB", "--config FILE"},
		"team/broken":  {"the Hub answers 503", "--config FILE"},
	} {
		_, err := Fetch(t.Context(), e, id, "")
		if err == nil || !strings.Contains(err.Error(), want[0]) || !strings.Contains(failure.NextOf(err), want[1]) || strings.Contains(err.Error()+failure.NextOf(err), token) {
			t.Errorf("%s: %v\nnext: %s", id, err, failure.NextOf(err))
		}
	}
	server.Close()
	if _, err := Fetch(t.Context(), e, "team/open", ""); err == nil || !strings.Contains(err.Error(), "refuses the connection") {
		t.Errorf("%v", err)
	}
	if _, err := Fetch(t.Context(), env("HF_ENDPOINT", "ftp://x"), "team/open", ""); failure.KindOf(err) != failure.Usage {
		t.Errorf("%v", err)
	}
}
