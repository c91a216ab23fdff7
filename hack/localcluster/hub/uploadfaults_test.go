package hub

import (
	"net/http"
	"strings"
	"testing"
	"time"
)

func TestFaultsOfUploads(t *testing.T) {
	url, _ := testHub(t)
	u := uploader{t, url, "writer", "/api/models/carl/model"}
	body := map[string]any{"name": "model"}

	post(t, url, `{"repo":"carl/model","upload":"create","status":503,"times":1}`)
	if status, text := u.send("POST", "/api/repos/create", body); status != http.StatusServiceUnavailable {
		t.Errorf("create: %d %s", status, text)
	}
	u.ok("POST", "/api/repos/create", body, nil)

	post(t, url, `{"repo":"carl/model","upload":"commit","loseAnswer":true,"times":1}`)
	if status, text := u.send("POST", u.repo+"/commit/main", header("x", "")+fileLine("a.txt", "a")); status != 0 {
		t.Errorf("a commit whose answer is lost: %d %s", status, text)
	}
	if got := u.files(); got != ".gitattributes a.txt" {
		t.Errorf("after it the repository has %s", got)
	}

	content := strings.Repeat("w", 1<<20)
	upload, _, _ := u.batch(sum(content), len(content))
	post(t, url, `{"repo":"carl/model","upload":"lfs","breakAfterBytes":100000,"times":1}`)
	if status, text := u.send("PUT", upload, content); status == http.StatusOK {
		t.Errorf("a broken upload: %s", text)
	}
	if status, text := u.send("PUT", upload, content); status != http.StatusOK {
		t.Errorf("again: %d %s", status, text)
	}
	slow := strings.Repeat("s", 1<<20)
	upload, _, _ = u.batch(sum(slow), len(slow))
	post(t, url, `{"repo":"carl/model","upload":"lfs","bytesPerSecond":4000000,"times":1}`)
	start := time.Now()
	if status, text := u.send("PUT", upload, slow); status != http.StatusOK || time.Since(start) < 200*time.Millisecond {
		t.Errorf("1 MiB at 4 MB a second took %s: %d %s", time.Since(start), status, text)
	}
	for step, path := range map[string]string{"preupload": u.repo + "/preupload/main", "batch": "/carl/model.git/info/lfs/objects/batch"} {
		post(t, url, `{"repo":"carl/model","upload":"`+step+`","status":429,"times":1}`)
		if status, text := u.send("POST", path, "{}"); status != http.StatusTooManyRequests {
			t.Errorf("%s: %d %s", step, status, text)
		}
	}
	for _, fault := range []string{`{"repo":"a/b","upload":"push"}`, `{"repo":"a/b","upload":"lfs","file":"*"}`, `{"repo":"a/b","loseAnswer":true}`, `{"upload":"lfs"}`} {
		answer, err := http.Post(url+"/_faults", "application/json", strings.NewReader(fault))
		if err != nil {
			t.Fatal(err)
		}
		answer.Body.Close()
		if answer.StatusCode != http.StatusBadRequest {
			t.Errorf("fault %s: %s", fault, answer.Status)
		}
	}
}
