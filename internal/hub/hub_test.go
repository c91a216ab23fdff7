package hub

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/kubectl-summarizer/kubectl-summarizer/internal/web"
)

func TestMayWrite(t *testing.T) {
	const fine = `{"name":"ann","orgs":[{"name":"team","roleInOrg":"write"}],"auth":{"accessToken":{"role":"fineGrained","fineGrained":{"scoped":[%]}}}}`
	tests := map[string]struct {
		account string
		want    Write
	}{
		"write, of no team":            {`{"name":"ann","auth":{"accessToken":{"role":"write"}}}`, WriteForeign},
		"write, member":                {`{"name":"ann","orgs":[{"name":"Team","roleInOrg":"admin"}],"auth":{"accessToken":{"role":"write"}}}`, WriteAll},
		"write, contributor":           {`{"name":"ann","orgs":[{"name":"team","roleInOrg":"contributor"}],"auth":{"accessToken":{"role":"write"}}}`, WriteOwn},
		"write, reader of the team":    {`{"name":"ann","orgs":[{"name":"team","roleInOrg":"read"}],"auth":{"accessToken":{"role":"write"}}}`, WriteReader},
		"write, the namespace is mine": {`{"name":"team","auth":{"accessToken":{"role":"write"}}}`, WriteAll},
		"read":                         {`{"name":"team","auth":{"accessToken":{"role":"read"}}}`, WriteNo},
		"role not told":                {`{"name":"team","auth":{}}`, WriteUnknown},
		"fine, the team":               {strings.Replace(fine, "%", `{"entity":{"type":"org","name":"team"},"permissions":["repo.content.read","repo.write"]}`, 1), WriteAll},
		"fine, one model":              {strings.Replace(fine, "%", `{"entity":{"type":"model","name":"team/sums"},"permissions":["repo.write"]}`, 1), WriteExisting},
		"fine, another model":          {strings.Replace(fine, "%", `{"entity":{"type":"model","name":"team/other"},"permissions":["repo.write"]}`, 1), WriteNo},
		"fine, reads and discusses":    {strings.Replace(fine, "%", `{"entity":{"type":"org","name":"team"},"permissions":["repo.content.read","discussion.write"]}`, 1), WriteNo},
		"fine, nothing":                {strings.Replace(fine, "%", "", 1), WriteNo},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			account := &Account{}
			if err := json.Unmarshal([]byte(tt.account), account); err != nil {
				t.Fatal(err)
			}
			if got := account.MayWrite("team/sums"); got != tt.want {
				t.Errorf("%d, want %d", got, tt.want)
			}
		})
	}
}

func TestAnswers(t *testing.T) {
	mux := http.NewServeMux()
	mux.HandleFunc("HEAD /a/file/resolve/main/config.json", func(http.ResponseWriter, *http.Request) {})
	mux.HandleFunc("HEAD /a/cdn/resolve/main/config.json", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("X-Repo-Commit", strings.Repeat("a", 40))
		w.Header().Set("Location", "http://cdn.invalid/x")
		w.WriteHeader(http.StatusFound)
	})
	mux.HandleFunc("HEAD /a/login/resolve/main/config.json", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Location", "http://login.invalid/")
		w.WriteHeader(http.StatusFound)
	})
	mux.HandleFunc("HEAD /a/gated/resolve/main/config.json", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("X-Error-Code", GatedRepo)
		w.Header().Set("X-Error-Message", "Access to model a/gated is restricted")
		w.WriteHeader(http.StatusForbidden)
	})
	mux.HandleFunc("GET /api/models/a/file", func(http.ResponseWriter, *http.Request) {})
	mux.HandleFunc("GET /api/models/a/down", func(w http.ResponseWriter, _ *http.Request) { http.Error(w, `{"error":"busy"}`, http.StatusBadGateway) })
	mux.HandleFunc("GET /api/whoami-v2", func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Authorization") == "" {
			http.Error(w, `{"error":"Invalid username or password."}`, http.StatusUnauthorized)
			return
		}
		_, _ = w.Write([]byte("<html>"))
	})
	server := httptest.NewServer(mux)
	defer server.Close()
	c := &Client{Endpoint: server.URL, HTTP: web.NewHTTP()}
	for id, want := range map[string]string{"a/file": "", "a/cdn": "", "a/login": "302", "a/gated": "403: Access to model a/gated is restricted", "a/none": "404"} {
		got := ""
		if err := c.Readable(t.Context(), "token", id); err != nil {
			got = err.Error()
		}
		if !strings.HasPrefix(got, want) || want == "" && got != "" {
			t.Errorf("%s: %q, want %q", id, got, want)
		}
	}
	if r := AsRefusal(c.Readable(t.Context(), "token", "a/gated")); r == nil || r.Code != GatedRepo || r.Status != http.StatusForbidden {
		t.Errorf("%+v", r)
	}
	if there, err := c.Exists(t.Context(), "", "a/file"); !there || err != nil {
		t.Error(there, err)
	}
	if there, err := c.Exists(t.Context(), "", "a/none"); there || err != nil {
		t.Error(there, err)
	}
	if _, err := c.Exists(t.Context(), "", "a/down"); AsRefusal(err) == nil || err.Error() != "502: busy" {
		t.Error(err)
	}
	if _, err := c.WhoAmI(t.Context(), ""); AsRefusal(err) == nil || err.Error() != "401: Invalid username or password." {
		t.Error(err)
	}
	if _, err := c.WhoAmI(t.Context(), "token"); err == nil || AsRefusal(err) != nil || !strings.Contains(err.Error(), "does not answer as the Hub does") {
		t.Error(err)
	}
}
