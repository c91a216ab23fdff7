package hub

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"
)

// uploader speaks the protocol of uploads by hand.
type uploader struct {
	t          *testing.T
	url, token string
	// repo is a repository's path below /api/.
	repo string
}

// send returns the status and the body; what is no text or bytes is sent as JSON.
func (u uploader) send(method, path string, body any) (int, string) {
	u.t.Helper()
	var in io.Reader
	switch b := body.(type) {
	case nil:
	case string:
		in = strings.NewReader(b)
	default:
		data, err := json.Marshal(b)
		if err != nil {
			u.t.Fatal(err)
		}
		in = bytes.NewReader(data)
	}
	if strings.HasPrefix(path, "/") {
		path = u.url + path
	}
	request, err := http.NewRequest(method, path, in)
	if err != nil {
		u.t.Fatal(err)
	}
	if u.token != "" {
		request.Header.Set("Authorization", "Bearer "+u.token)
	}
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		return 0, err.Error()
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	if err != nil {
		return 0, err.Error()
	}
	return answer.StatusCode, strings.TrimSpace(string(text))
}

// ok sends and decodes an answer that must be 200.
func (u uploader) ok(method, path string, body, into any) {
	u.t.Helper()
	status, text := u.send(method, path, body)
	if status != http.StatusOK {
		u.t.Fatalf("%s %s: %d %s", method, path, status, text)
	}
	if into != nil {
		if err := json.Unmarshal([]byte(text), into); err != nil {
			u.t.Fatalf("%s %s: %v: %s", method, path, err, text)
		}
	}
}

// created is an uploader for a new repository ORG/NAME.
func created(t *testing.T, url, token, id string) uploader {
	t.Helper()
	u := uploader{t, url, token, "/api/models/" + id}
	org, name, _ := strings.Cut(id, "/")
	u.ok("POST", "/api/repos/create", map[string]any{"name": name, "organization": org}, nil)
	return u
}

func line(key string, value any) string {
	data, _ := json.Marshal(map[string]any{"key": key, "value": value})
	return string(data) + "\n"
}

func header(summary, parent string) string {
	return line("header", map[string]string{"summary": summary, "parentCommit": parent})
}

func fileLine(path, text string) string {
	return line("file", map[string]string{"path": path, "encoding": "base64", "content": base64.StdEncoding.EncodeToString([]byte(text))})
}

func lfsLine(path, content string) string {
	return line("lfsFile", map[string]any{"path": path, "algo": "sha256", "oid": sum(content), "size": len(content)})
}

func sum(content string) string { return fmt.Sprintf("%x", sha256.Sum256([]byte(content))) }

// commit sends lines to main and returns the new commit.
func (u uploader) commit(lines ...string) string {
	u.t.Helper()
	var answer struct{ CommitOid, CommitURL string }
	u.ok("POST", u.repo+"/commit/main", strings.Join(lines, ""), &answer)
	if !strings.HasSuffix(answer.CommitURL, strings.TrimPrefix(u.repo, "/api/models")+"/commit/"+answer.CommitOid) {
		u.t.Errorf("the commit's address is %s", answer.CommitURL)
	}
	return answer.CommitOid
}

// batch asks where to send one object.
func (u uploader) batch(oid string, size int) (upload, verify, message string) {
	u.t.Helper()
	var answer struct {
		Objects []struct {
			Actions struct{ Upload, Verify struct{ Href string } }
			Error   struct{ Message string }
		}
	}
	path := strings.Replace(u.repo, "/api/models", "", 1) + ".git/info/lfs/objects/batch"
	u.ok("POST", path, map[string]any{"operation": "upload", "objects": []any{map[string]any{"oid": oid, "size": size}}}, &answer)
	if len(answer.Objects) != 1 {
		u.t.Fatalf("%d objects", len(answer.Objects))
	}
	o := answer.Objects[0]
	return o.Actions.Upload.Href, o.Actions.Verify.Href, o.Error.Message
}

// put uploads one object.
func (u uploader) put(content string) {
	u.t.Helper()
	upload, verify, _ := u.batch(sum(content), len(content))
	// S3 gets no token.
	stranger := u
	stranger.token = ""
	if status, text := stranger.send("PUT", upload, content); status != http.StatusOK {
		u.t.Fatalf("PUT: %d %s", status, text)
	}
	u.ok("POST", verify, map[string]any{"oid": sum(content), "size": len(content)}, nil)
}

func (u uploader) read(path string) string {
	u.t.Helper()
	status, text := u.send("GET", strings.Replace(u.repo, "/api/models", "", 1)+"/resolve/"+path, nil)
	if status != http.StatusOK {
		return fmt.Sprint(status)
	}
	return text
}

func (u uploader) files() string {
	u.t.Helper()
	var info struct{ Siblings []struct{ Rfilename string } }
	u.ok("GET", u.repo, nil, &info)
	var names []string
	for _, s := range info.Siblings {
		names = append(names, s.Rfilename)
	}
	return strings.Join(names, " ")
}

func TestUploadAsTheClientDoes(t *testing.T) {
	url, _ := testHub(t)
	u := uploader{t, url, "writer", "/api/models/team/tuned"}
	var made struct{ URL string }
	u.ok("POST", "/api/repos/create", map[string]any{"name": "tuned", "organization": "team", "visibility": "private"}, &made)
	if made.URL != url+"/team/tuned" {
		t.Errorf("the repository's address is %s", made.URL)
	}
	const weights = "some weights"
	type modes struct {
		Files []struct{ Path, UploadMode, Oid string }
	}
	preupload := func() (m modes) {
		u.ok("POST", u.repo+"/preupload/main", map[string]any{"files": []any{
			map[string]any{"path": "adapter_model.safetensors", "size": len(weights), "sample": ""},
			map[string]any{"path": "config.json", "size": 2}, map[string]any{"path": "empty.bin", "size": 0}, map[string]any{"path": "big.json", "size": lfsThreshold},
		}}, &m)
		return m
	}
	if got := fmt.Sprint(preupload()); got != "{[{adapter_model.safetensors lfs } {config.json regular } {empty.bin regular } {big.json lfs }]}" {
		t.Errorf("preupload: %s", got)
	}
	u.put(weights)
	first := u.commit(header("Upload", ""), fileLine("config.json", "{}"), lfsLine("adapter_model.safetensors", weights))
	if got := u.files(); got != ".gitattributes adapter_model.safetensors config.json" {
		t.Errorf("files: %s", got)
	}
	if got := u.read(first + "/adapter_model.safetensors"); got != weights {
		t.Errorf("read back: %q", got)
	}
	// By these the client finds out that nothing has changed.
	if got := fmt.Sprint(preupload().Files[:2]); got != "[{adapter_model.safetensors lfs "+sum(weights)+"} {config.json regular 9e26dfeeb6e641a33dae4961196235bdb965b21b}]" {
		t.Errorf("preupload again: %s", got)
	}
	if upload, _, _ := u.batch(sum(weights), len(weights)); upload != "" {
		t.Errorf("an object that is here is asked for at %s", upload)
	}
	for token, want := range map[string]int{"": 401, "good": 404, "other": 404, "writer": 200} {
		for _, path := range []string{u.repo, "/team/tuned/resolve/main/config.json"} {
			if answer, body := do(t, "GET", url+path, token); answer.StatusCode != want {
				t.Errorf("%s of a private repository by %q: %d %s", path, token, answer.StatusCode, body)
			}
		}
	}
}

func TestRevisions(t *testing.T) {
	url, _ := testHub(t)
	u := created(t, url, "writer", "carl/model")
	first := u.commit(header("one", ""), fileLine("a.txt", "old"), fileLine("dir/b.txt", "b"), fileLine("dir/sub/c.txt", "c"))
	second := u.commit(header("two", first), fileLine("a.txt", "new"), line("deletedFolder", map[string]string{"path": "dir/"}), fileLine("dir", "a file now"))
	if first == second || len(second) != 40 {
		t.Fatalf("commits %s and %s", first, second)
	}
	for path, want := range map[string]string{
		first + "/a.txt": "old", first + "/dir/b.txt": "b", second + "/a.txt": "new", "main/a.txt": "new",
		"main/dir": "a file now", "main/dir/b.txt": "404", second + "/dir/sub/c.txt": "404",
	} {
		if got := u.read(path); got != want {
			t.Errorf("%s: %q, want %q", path, got, want)
		}
	}
	u.commit(header("three", second[:8]), line("deletedFile", map[string]string{"path": "dir"}))
	if got := u.files(); got != ".gitattributes a.txt" {
		t.Errorf("files: %s", got)
	}
}

func TestSignedAddresses(t *testing.T) {
	s := newServer(testRoot(t))
	server := httptest.NewServer(s.handler(io.Discard))
	t.Cleanup(server.Close)
	u := created(t, server.URL, "writer", "carl/model")
	good, verify, _ := u.batch(sum("12345"), 5)
	other, _, _ := u.batch(sum("54321"), 5)
	found, err := s.store.repo(models, "carl", "model")
	if err != nil {
		t.Fatal(err)
	}
	expired := server.URL + s.sign(found, object{sum("12345"), 5}, time.Now().Add(-time.Minute))
	for name, test := range map[string]struct {
		href, body string
		status     int
		want       string
	}{
		"other bytes":      {good, "12346", 400, "BadDigest"},
		"too few":          {good, "1234", 400, "IncompleteBody"},
		"too many":         {good, "123456", 400, "IncompleteBody"},
		"another size":     {strings.Replace(good, "size=5", "size=6", 1), "123456", 403, "signature"},
		"another's":        {strings.Replace(other, sum("54321"), sum("12345"), 1), "12345", 403, "signature"},
		"no signature":     {strings.Split(good, "?")[0], "12345", 403, "AccessDenied"},
		"expired":          {expired, "12345", 403, "expired"},
		"no repository":    {strings.Replace(good, "carl/model", "carl/none", 1), "12345", 403, "AccessDenied"},
		"one made earlier": {strings.Replace(good, "carl/model", "org/open", 1), "12345", 403, "AccessDenied"},
	} {
		if status, text := u.send("PUT", test.href, test.body); status != test.status || !strings.Contains(text, test.want) {
			t.Errorf("%s: %d %s", name, status, text)
		}
	}
	asked := map[string]any{"oid": sum("12345"), "size": 5}
	if status, text := u.send("POST", verify, asked); status != http.StatusNotFound {
		t.Errorf("verified before it was there: %d %s", status, text)
	}
	if status, text := u.send("PUT", good, "12345"); status != http.StatusOK {
		t.Errorf("the right bytes: %d %s", status, text)
	}
	u.ok("POST", verify, asked, nil)
	// Who knows a hash has not got the file.
	thief := created(t, server.URL, "writer", "team/model")
	if upload, _, _ := thief.batch(sum("12345"), 5); upload == "" {
		t.Error("an object of another repository counts as here")
	}
	if _, _, message := u.batch(sum("x"), maxObject+1); !strings.Contains(message, "5368709120 bytes") {
		t.Errorf("a huge object: %q", message)
	}
	if _, _, message := u.batch("../../etc/passwd", 5); !strings.Contains(message, "sha256") {
		t.Errorf("no hash: %q", message)
	}
}
