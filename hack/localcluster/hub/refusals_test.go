package hub

import (
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"
)

func TestWhoMayWrite(t *testing.T) {
	url, _ := testHub(t)
	created(t, url, "writer", "team/mine")
	hidden := created(t, url, "writer", "team/hidden")
	hidden.ok("PUT", hidden.repo+"/settings", map[string]any{"visibility": "private", "gated": "manual"}, nil)
	create := func(org, name string) map[string]any {
		return map[string]any{"name": name, "organization": org}
	}
	for _, c := range []struct {
		name, token, method, path string
		body                      any
		status                    int
		want                      string
	}{
		{"create without token", "", "POST", "/api/repos/create", create("team", "x"), 401, "Invalid username or password."},
		{"create with an unknown token", "bad", "POST", "/api/repos/create", create("team", "x"), 401, "Invalid credentials"},
		{"create for others", "good", "POST", "/api/repos/create", create("team", "x"), 403, `You don't have the rights to create a model under the namespace \"team\"`},
		{"create what is there", "writer", "POST", "/api/repos/create", create("team", "mine"), 409, `"url":"` + url + `/team/mine"`},
		{"create what was made beforehand", "writer", "POST", "/api/repos/create", create("org", "open"), 409, "You already created this model repo"},
		{"create in one's own namespace", "writer", "POST", "/api/repos/create", map[string]any{"name": "own", "type": "dataset"}, 200, `/datasets/carl/own"`},
		{"create with a bad name", "writer", "POST", "/api/repos/create", create("team", "../x"), 400, "Invalid name"},
		{"create a space", "writer", "POST", "/api/repos/create", map[string]any{"name": "x", "type": "space"}, 400, "no spaces"},
		{"create half private", "writer", "POST", "/api/repos/create", map[string]any{"name": "x", "visibility": "protected"}, 400, "must be one of public, private"},
		{"create with no JSON", "writer", "POST", "/api/repos/create", "{", 400, "is not the JSON"},
		{"commit without token", "", "POST", "/api/models/team/mine/commit/main", header("x", ""), 401, "Invalid username"},
		{"commit by a reader", "good", "POST", "/api/models/team/mine/commit/main", header("x", ""), 403, "create a Pull Request"},
		{"commit to what was made beforehand", "writer", "POST", "/api/models/org/open/commit/main", header("x", ""), 403, "made beforehand"},
		{"a pull request", "writer", "POST", "/api/models/team/mine/commit/main?create_pr=1", header("x", ""), 400, "no pull requests"},
		{"preupload by a reader", "good", "POST", "/api/models/team/mine/preupload/main", "{}", 403, "create a Pull Request"},
		{"preupload to what is hidden", "good", "POST", "/api/models/team/hidden/preupload/main", "{}", 404, "Repository not found"},
		{"batch by a reader", "good", "POST", "/team/mine.git/info/lfs/objects/batch", "{}", 403, "create a Pull Request"},
		{"batch for a download", "writer", "POST", "/team/mine.git/info/lfs/objects/batch", map[string]any{"operation": "download"}, 400, "uploads only"},
		{"settings by a reader", "good", "PUT", "/api/models/team/mine/settings", map[string]any{"private": false}, 403, ""},
		{"settings with a strange gate", "writer", "PUT", "/api/models/team/mine/settings", map[string]any{"gated": "maybe"}, 400, "must be one of false"},
		{"delete without token", "", "DELETE", "/api/repos/delete", create("team", "mine"), 401, ""},
		{"delete by a reader", "good", "DELETE", "/api/repos/delete", create("team", "mine"), 403, "rights to delete"},
		{"delete what is hidden", "good", "DELETE", "/api/repos/delete", create("team", "hidden"), 404, "Repository not found"},
		{"delete what was made beforehand", "writer", "DELETE", "/api/repos/delete", create("org", "open"), 403, "made beforehand"},
		{"delete nothing", "writer", "DELETE", "/api/repos/delete", create("team", "none"), 404, "Repository not found"},
		{"Xet", "writer", "GET", "/api/models/team/mine/xet-write-token/main", nil, 404, "not found"},
		{"delete", "writer", "DELETE", "/api/repos/delete", create("team", "mine"), 200, ""},
		{"what was deleted", "writer", "GET", "/api/models/team/mine", nil, 404, "Repository not found"},
		{"create again", "writer", "POST", "/api/repos/create", create("team", "mine"), 200, ""},
	} {
		u := uploader{t: t, url: url, token: c.token}
		if status, text := u.send(c.method, c.path, c.body); status != c.status || !strings.Contains(text, c.want) {
			t.Errorf("%s: %d %s", c.name, status, text)
		}
	}
	if answer, _ := do(t, "GET", url+"/team/hidden/resolve/main/.gitattributes", "writer"); answer.StatusCode != http.StatusOK {
		t.Errorf("a writer reads a private and gated repository of the namespace: %s", answer.Status)
	}
}

func TestHubWithoutUploads(t *testing.T) {
	o := testRoot(t)
	o.Uploads = ""
	u := uploader{t: t, url: serveTest(t, o), token: "writer"}
	status, text := u.send("POST", "/api/repos/create", map[string]any{"name": "x"})
	if status != http.StatusForbidden || !strings.Contains(text, "--uploads") {
		t.Errorf("%d %s", status, text)
	}
}

func TestCommitsThatAreRefused(t *testing.T) {
	url, _ := testHub(t)
	u := created(t, url, "writer", "carl/model")
	before := u.commit(header("one", ""), fileLine("dir/a.txt", "a"))
	after := u.commit(header("two", ""), fileLine("b.txt", "b"))
	u.put("weights")
	long := strings.Repeat("x", lfsThreshold+1)
	for _, c := range []struct {
		name, body string
		status     int
		want       string
	}{
		{"an old parent", header("x", before) + fileLine("c.txt", "c"), 412, "A commit has happened since. Please refresh and try again."},
		{"no header", fileLine("c.txt", "c"), 400, "one header, in its first line"},
		{"two headers", header("x", "") + header("y", ""), 400, "line 2 of the commit: a commit has one header"},
		{"no summary", header("", ""), 400, "no header with a summary"},
		{"nothing", "", 400, "no header"},
		{"no JSON", header("x", "") + "{", 400, "line 2"},
		{"a path out of the repository", header("x", "") + fileLine("../c.txt", "c"), 400, "Invalid path"},
		{"a path from the root", header("x", "") + fileLine("/etc/passwd", "c"), 400, "Invalid path"},
		{"git's own folder", header("x", "") + fileLine("sub/.git/config", "c"), 400, "Invalid path"},
		{"no path", header("x", "") + fileLine("", "c"), 400, "Invalid path"},
		{"a file in a file", header("x", "") + fileLine("b.txt/c", "c"), 400, "a folder of b.txt/c is a file"},
		{"a file for a folder", header("x", "") + fileLine("dir", "c"), 400, "dir is a folder"},
		{"a large file", header("x", "") + fileLine("c.txt", long), 400, "larger than 10 MiB"},
		{"text", header("x", "") + line("file", map[string]string{"path": "c.txt", "encoding": "utf-8"}), 400, "not base64"},
		{"an unknown operation", header("x", "") + line("copyFile", map[string]string{"path": "c.txt"}), 400, `no operation \"copyFile\"`},
		{"an object that is not here", header("x", "") + lfsLine("w.bin", "other"), 400, "LFS pointer pointed to a file that does not exist. Offending file: w.bin"},
		{"an object of another size", header("x", "") + strings.Replace(lfsLine("w.bin", "weights"), `"size":7`, `"size":8`, 1), 400, "LFS pointer"},
		{"no hash", header("x", "") + line("lfsFile", map[string]string{"path": "w.bin", "algo": "sha256", "oid": "../../repo.json"}), 400, "no sha256"},
		{"delete no file", header("x", "") + line("deletedFile", map[string]string{"path": "none"}), 404, "A file with this name doesn't exist"},
		{"delete a folder as a file", header("x", "") + line("deletedFile", map[string]string{"path": "dir"}), 404, "A file with this name doesn't exist"},
		{"delete a file as a folder", header("x", "") + line("deletedFolder", map[string]string{"path": "b.txt/"}), 404, "A folder with this name doesn't exist"},
		{"a bad card", header("x", "") + fileLine("README.md", "---\nlicense: 5\n---\n"), 400, `\"license[0]\" must be a string`},
		{"too much", header("x", "") + strings.Repeat(" ", maxCommit), 413, "larger than"},
	} {
		// Whatever else a refused commit holds must not arrive either.
		first, rest, _ := strings.Cut(c.body, "\n")
		body := first + "\n" + fileLine("half.txt", "h") + rest
		if status, text := u.send("POST", u.repo+"/commit/main", c.body); status != c.status || !strings.Contains(text, c.want) {
			t.Errorf("%s: %d %s", c.name, status, text)
		}
		if status, text := u.send("POST", u.repo+"/commit/main", body); status == http.StatusOK {
			t.Errorf("%s is taken behind another file: %s", c.name, text)
		}
		if got := u.files(); got != ".gitattributes b.txt dir/a.txt" {
			t.Fatalf("%s: the repository has %s", c.name, got)
		}
	}
	for revision, want := range map[string]int{"dev": 404, "refs%2Fpr%2F1": 404, after: 404} {
		if status, text := u.send("POST", u.repo+"/commit/"+revision, header("x", "")); status != want {
			t.Errorf("commit to %s: %d %s", revision, status, text)
		}
	}
	if status, text := u.send("POST", u.repo+"/preupload/main", strings.Repeat(" ", maxJSON)+"{}"); status != http.StatusRequestEntityTooLarge {
		t.Errorf("a long preupload: %d %s", status, text)
	}
}

func TestCommitsAtOnce(t *testing.T) {
	url, _ := testHub(t)
	u := created(t, url, "writer", "carl/model")
	parent := u.commit(header("start", ""))
	const many = 12
	for _, race := range []struct{ name, parent string }{{"mindful", parent}, {"careless", ""}} {
		var won sync.Map
		var all sync.WaitGroup
		for i := range many {
			all.Go(func() {
				body := header("race", race.parent) + fileLine(fmt.Sprintf("%s-%02d", race.name, i), "x")
				status, text := u.send("POST", u.repo+"/commit/main", body)
				if status == http.StatusOK {
					won.Store(i, true)
				} else if status != http.StatusPreconditionFailed {
					t.Errorf("%d %s", status, text)
				}
			})
		}
		all.Wait()
		winners := 0
		won.Range(func(any, any) bool { winners++; return true })
		if want := map[string]int{"mindful": 1, "careless": many}[race.name]; winners != want || strings.Count(u.files(), race.name) != want {
			t.Errorf("%s: %d commits were taken, the repository has %s", race.name, winners, u.files())
		}
	}
}
