package hub

import (
	"bytes"
	"context"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

const commit = "0123456789abcdef0123456789abcdef01234567"

// size is above the threshold for LFS files, in bytes.
const size = 20_000_000

// What git and git-lfs say of the two files: git hash-object config.json, sha256sum weights.bin, and
// git hash-object of the pointer that git lfs pointer prints.
const (
	configBlob  = "4a036f56bb619924ec4189bd84ed716c766971ae"
	sha256Hex   = "b327ec1c481ac356e6e8aac1928686fbefaa7cf8055d020e3dc93767acb9114e"
	pointerBlob = "474c8a3ee391da96611d5fccbabcb13185a7782e"
	emptySum    = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
)

// testHub makes a Hub with an open, a gated and a private model, two datasets and one package, which takes uploads.
func testHub(t *testing.T) (url string, log *bytes.Buffer) {
	t.Helper()
	log = &bytes.Buffer{}
	server := httptest.NewServer(Handler(testRoot(t), log))
	t.Cleanup(server.Close)
	return server.URL, log
}

func testRoot(t *testing.T) Options {
	t.Helper()
	o := Options{Root: t.TempDir(), Uploads: t.TempDir(), Packages: t.TempDir()}
	write := func(text string, names ...string) {
		path := filepath.Join(names...)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	for id, info := range map[string]string{
		"models/org/open": `{}`, "models/org/gated": `{"gated":true}`, "models/org/private": `{"private":true}`,
		"datasets/org/chats": `{}`, "datasets/org/closed": `{"gated":true}`,
	} {
		dir := filepath.Join(o.Root, id)
		write(info, dir, "repo.json")
		write(commit+"\n", dir, "refs/main")
		if strings.HasPrefix(id, datasets) {
			write("---\nlicense: apache-2.0\n---\n", dir, commit, "README.md")
			write(`{"dialogue":"A: hi","summary":"A greets."}`+"\n", dir, commit, "data/train.jsonl")
			continue
		}
		write(`{"a": 1}`, dir, commit, "config.json")
		write("w", dir, commit, "adapter.safetensors")
		write(strings.Repeat("0123456789", size/10), dir, commit, "sub/weights.bin")
	}
	write(`{"tokens":{"good":{"user":"ann","repos":["org/gated","org/private","datasets/org/closed"]},"other":{"user":"bob","repos":[]},
		"writer":{"user":"carl","writes":["carl","team","org"]}}}`, o.Root, "access.json")
	write(emptySum+"  Some_Pack.Age-1.0-py3-none-any.whl\n"+emptySum+"  an-sdist-2.0.tar.gz\n", o.Packages, sumsFile)
	write("", o.Packages, "Some_Pack.Age-1.0-py3-none-any.whl")
	write("", o.Packages, "an-sdist-2.0.tar.gz")
	write("", o.Packages, "unlisted.whl")
	return o
}

func do(t *testing.T, method, url, token string, header ...string) (*http.Response, string) {
	t.Helper()
	request, err := http.NewRequest(method, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	if token != "" {
		request.Header.Set("Authorization", "Bearer "+token)
	}
	for i := 0; i+1 < len(header); i += 2 {
		request.Header.Set(header[i], header[i+1])
	}
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	body, err := io.ReadAll(answer.Body)
	if err != nil {
		t.Fatal(err)
	}
	return answer, string(body)
}

func TestAnswers(t *testing.T) {
	url, _ := testHub(t)
	file := "/resolve/main/config.json"
	cases := []struct {
		name, path, token string
		status            int
		code, body        string
	}{
		{"file", "/org/open" + file, "", 200, "", `{"a": 1}`},
		{"file by commit", "/org/open/resolve/" + commit + "/sub/weights.bin", "", 200, "", "0123456789"},
		{"info", "/api/models/org/open", "", 200, "", `"sha":"` + commit + `"`},
		{"info by revision", "/api/models/org/open/revision/main", "", 200, "", `"rfilename":"sub/weights.bin"`},
		{"tree", "/api/models/org/open/tree/" + commit + "?recursive=true", "", 200, "", `"path":"sub/weights.bin","size":20000000`},
		{"tree of an LFS file", "/api/models/org/open/tree/main?recursive=True", "", 200, "", `"lfs":{"oid":"` + sha256Hex + `","pointerSize":133,"size":20000000},"oid":"` + pointerBlob + `"`},
		{"tree has folders", "/api/models/org/open/tree/main?recursive=true", "", 200, "", `"path":"sub","size":0,"type":"directory"`},
		{"tree of the top", "/api/models/org/open/tree/main", "", 200, "", `"path":"sub","size":0,"type":"directory"}]`},
		{"info with sizes", "/api/models/org/open?blobs=true", "", 200, "", `{"blobId":"` + pointerBlob + `","lfs":{"pointerSize":133,"sha256":"` + sha256Hex + `","size":20000000},"rfilename":"sub/weights.bin","size":20000000}`},
		{"info with the size of a small file", "/api/models/org/open?blobs=True", "", 200, "", `{"blobId":"` + configBlob + `","rfilename":"config.json","size":8}`},
		{"info without sizes", "/api/models/org/open", "", 200, "", `{"rfilename":"config.json"}`},
		{"gated listing is open", "/api/models/org/gated", "", 200, "", `"gated":"manual"`},
		{"gated without token", "/org/gated" + file, "", 401, "GatedRepo", "log in"},
		{"gated with a token that lacks access", "/org/gated" + file, "other", 403, "GatedRepo", "not in the authorized list"},
		{"gated with access", "/org/gated" + file, "good", 200, "", `{"a": 1}`},
		{"private without token", "/api/models/org/private", "", 401, "RepoNotFound", "not found"},
		{"private with a token that lacks access", "/api/models/org/private", "other", 404, "RepoNotFound", "not found"},
		{"private with access", "/org/private" + file, "good", 200, "", `{"a": 1}`},
		{"unknown token", "/org/open" + file, "bad", 401, "", "Invalid credentials"},
		{"no repository, no token", "/org/none" + file, "", 401, "RepoNotFound", "not found"},
		{"no repository", "/org/none" + file, "good", 404, "RepoNotFound", "not found"},
		{"no revision", "/api/models/org/open/revision/dev", "", 404, "RevisionNotFound", "dev"},
		{"no such commit", "/org/open/resolve/" + strings.Repeat("f", 40) + "/config.json", "", 404, "RevisionNotFound", "Invalid rev"},
		{"no file", "/org/open/resolve/main/none.bin", "", 404, "EntryNotFound", "Entry not found"},
		{"a directory is no file", "/org/open/resolve/main/sub", "", 404, "EntryNotFound", ""},
		{"a path out of the repository", "/org/open/resolve/main/..%2Frepo.json", "", 404, "EntryNotFound", ""},
		{"tree of a folder", "/api/models/org/open/tree/main/sub", "", 200, "", `[{"lfs":{"oid":"` + sha256Hex + `"`},
		{"tree of no folder", "/api/models/org/open/tree/main/none", "", 404, "EntryNotFound", ""},
		{"whoami", "/api/whoami-v2", "good", 200, "", `"name":"ann"`},
		{"whoami of a reader", "/api/whoami-v2", "good", 200, "", `"role":"read"`},
		{"whoami of a writer", "/api/whoami-v2", "writer", 200, "", `"name":"team"`},
		{"whoami without token", "/api/whoami-v2", "", 401, "", ""},
		{"dataset", "/api/datasets/org/chats", "", 200, "", `"siblings":[{"rfilename":"README.md"},{"rfilename":"data/train.jsonl"}]`},
		{"dataset by revision", "/api/datasets/org/chats/revision/" + commit, "", 200, "", `"id":"org/chats"`},
		{"tree of a dataset", "/api/datasets/org/chats/tree/main/data", "", 200, "", `"path":"data/train.jsonl"`},
		{"file of a dataset", "/datasets/org/chats/resolve/main/data/train.jsonl", "", 200, "", "A greets."},
		{"a dataset is no model", "/api/models/org/chats", "good", 404, "RepoNotFound", ""},
		{"a model is no dataset", "/datasets/org/open" + file, "good", 404, "RepoNotFound", ""},
		{"gated dataset without token", "/datasets/org/closed/resolve/main/README.md", "", 401, "GatedRepo", "Access to dataset org/closed"},
		{"gated dataset with a token that lacks access", "/datasets/org/closed/resolve/main/README.md", "other", 403, "GatedRepo", "not in the authorized list"},
		{"gated dataset with access", "/datasets/org/closed/resolve/main/README.md", "good", 200, "", "license"},
		{"whoami with unknown token", "/api/whoami-v2", "bad", 401, "", ""},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			answer, body := do(t, "GET", url+c.path, c.token)
			if answer.StatusCode != c.status || answer.Header.Get("X-Error-Code") != c.code || !strings.Contains(body, c.body) {
				t.Errorf("%s: %d %q %s", c.path, answer.StatusCode, answer.Header.Get("X-Error-Code"), body)
			}
		})
	}
}

func TestHeadAndRange(t *testing.T) {
	url, _ := testHub(t)
	path := url + "/org/open/resolve/main/sub/weights.bin"
	head, _ := do(t, "HEAD", path, "")
	if head.ContentLength != size || head.Header.Get("X-Repo-Commit") != commit || len(head.Header.Get("ETag")) != 66 {
		t.Errorf("HEAD: length %d, headers %v", head.ContentLength, head.Header)
	}
	for _, method := range []string{"HEAD", "GET"} {
		answer, _ := do(t, method, path, "")
		if answer.Header.Get("X-Linked-Etag") != `"`+sha256Hex+`"` || answer.Header.Get("X-Linked-Size") != "20000000" {
			t.Errorf("%s of an LFS file: headers %v", method, answer.Header)
		}
		answer, _ = do(t, method, url+"/org/open/resolve/main/config.json", "")
		if answer.Header.Get("ETag") != `"`+configBlob+`"` || answer.Header.Get("X-Linked-Etag")+answer.Header.Get("X-Linked-Size") != "" {
			t.Errorf("%s of a file that is not LFS: headers %v", method, answer.Header)
		}
	}
	// Weights are LFS files however small they are.
	if small, _ := do(t, "HEAD", url+"/org/open/resolve/main/adapter.safetensors", ""); len(small.Header.Get("X-Linked-Etag")) != 66 {
		t.Errorf("HEAD of small weights: headers %v", small.Header)
	}
	part, body := do(t, "GET", path, "", "Range", "bytes=19999990-")
	if part.StatusCode != http.StatusPartialContent || body != "0123456789" {
		t.Errorf("range: %d %q", part.StatusCode, body)
	}
}

func post(t *testing.T, url, fault string) {
	t.Helper()
	answer, err := http.Post(url+"/_faults", "application/json", strings.NewReader(fault))
	if err != nil {
		t.Fatal(err)
	}
	answer.Body.Close()
	if answer.StatusCode != http.StatusOK {
		t.Fatalf("fault %s: %s", fault, answer.Status)
	}
}

func TestFaults(t *testing.T) {
	url, _ := testHub(t)
	file := url + "/org/open/resolve/main/sub/weights.bin"

	post(t, url, `{"repo":"org/open","status":429,"retryAfter":7,"times":1}`)
	if answer, _ := do(t, "GET", file, ""); answer.StatusCode != http.StatusTooManyRequests || answer.Header.Get("Retry-After") != "7" {
		t.Errorf("first download: %s, want 429", answer.Status)
	}
	if answer, _ := do(t, "GET", file, ""); answer.StatusCode != http.StatusOK {
		t.Errorf("second download: %s, want the fault gone", answer.Status)
	}

	post(t, url, `{"repo":"org/open","file":"sub/*","breakAfterBytes":400,"times":1}`)
	answer, err := http.Get(file)
	if err != nil {
		t.Fatal(err)
	}
	body, err := io.ReadAll(answer.Body)
	answer.Body.Close()
	if err == nil || len(body) != 400 {
		t.Errorf("broken download: %d bytes, error %v", len(body), err)
	}

	post(t, url, `{"repo":"org/open","bytesPerSecond":40000000}`)
	start := time.Now()
	if _, body := do(t, "GET", file, ""); len(body) != size || time.Since(start) < 400*time.Millisecond {
		t.Errorf("20 MB at 40 MB a second took %s", time.Since(start))
	}
	if answer, _ := do(t, "DELETE", url+"/_faults", ""); answer.StatusCode != http.StatusOK {
		t.Error(answer.Status)
	}
	if _, list := do(t, "GET", url+"/_faults", ""); strings.TrimSpace(list) != "[]" {
		t.Errorf("faults after DELETE: %s", list)
	}
	refused, err := http.Post(url+"/_faults", "application/json", strings.NewReader(`{"repository":"x"}`))
	if err != nil {
		t.Fatal(err)
	}
	refused.Body.Close()
	if refused.StatusCode != http.StatusBadRequest {
		t.Errorf("a misspelt fault: %s", refused.Status)
	}
}

// The Hub listens on the machine's outward address.
func TestFaultsAreForThisMachineOnly(t *testing.T) {
	for name, test := range map[string]struct {
		caller, local string
		status        int
	}{
		"loopback":                         {"127.0.0.1:41000", "127.0.0.1:20011", http.StatusOK},
		"loopback of IPv6":                 {"[::1]:41000", "[::1]:20011", http.StatusOK},
		"this machine by its address":      {"192.0.2.7:41000", "192.0.2.7:20011", http.StatusOK},
		"another machine":                  {"192.0.2.8:41000", "192.0.2.7:20011", http.StatusForbidden},
		"a pod, by its Service":            {"10.250.0.9:41000", "192.0.2.7:20011", http.StatusForbidden},
		"who knows":                        {"@", "192.0.2.7:20011", http.StatusForbidden},
		"another machine, as IPv4 in IPv6": {"[::ffff:192.0.2.8]:41000", "[::ffff:192.0.2.7]:20011", http.StatusForbidden},
	} {
		local, err := net.ResolveTCPAddr("tcp", test.local)
		if err != nil {
			t.Fatal(err)
		}
		for method, body := range map[string]string{"POST": `{"repo":"org/open","status":503}`, "GET": "", "DELETE": ""} {
			request := httptest.NewRequest(method, "/_faults", strings.NewReader(body))
			request.RemoteAddr = test.caller
			request = request.WithContext(context.WithValue(request.Context(), http.LocalAddrContextKey, local))
			answer := httptest.NewRecorder()
			Handler(Options{Root: t.TempDir()}, io.Discard).ServeHTTP(answer, request)
			if answer.Code != test.status {
				t.Errorf("%s of %s: %d, want %d", method, name, answer.Code, test.status)
			}
		}
	}
}

func TestLogHasNoToken(t *testing.T) {
	url, log := testHub(t)
	do(t, "GET", url+"/org/gated/resolve/main/config.json", "good")
	do(t, "GET", url+"/org/open/resolve/main/config.json", "secret-canary")
	if text := log.String(); strings.Contains(text, "secret-canary") || strings.Contains(text, "good") || strings.Count(text, "token=yes") != 2 {
		t.Error(text)
	}
}

func TestMainUsage(t *testing.T) {
	for _, args := range [][]string{{}, {"bogus"}, {"serve", "--bogus"}, {"url", "extra"}} {
		if code := Main(args); code != 2 {
			t.Errorf("hub %v: exit code %d, want 2", args, code)
		}
	}
	if code := Main([]string{"serve", "--root", t.TempDir()}); code != 1 {
		t.Errorf("hub serve without models: exit code %d, want 1", code)
	}
}
