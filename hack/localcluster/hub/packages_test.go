package hub

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

func serveTest(t *testing.T, o Options) string {
	t.Helper()
	server := httptest.NewServer(Handler(o, io.Discard))
	t.Cleanup(server.Close)
	return server.URL
}

func TestPackageIndex(t *testing.T) {
	url := serveTest(t, testRoot(t))
	for path, want := range map[string]string{
		"/simple/":                   `<a href="an-sdist/">an-sdist</a><br>` + "\n" + `<a href="some-pack-age/">some-pack-age</a><br>`,
		"/simple/some-pack-age/":     `<a href="../../packages/Some_Pack.Age-1.0-py3-none-any.whl#sha256=` + emptySum + `">Some_Pack.Age-1.0-py3-none-any.whl</a>`,
		"/simple/Some.Pack_age":      `#sha256=` + emptySum,
		"/simple/an-sdist/":          `<a href="../../packages/an-sdist-2.0.tar.gz#sha256=`,
		"/packages/none.whl":         "404",
		"/packages/unlisted.whl":     "404",
		"/packages/..%2Faccess.json": "404",
		"/simple/none/":              "404",
	} {
		answer, body := do(t, "GET", url+path, "")
		if answer.StatusCode != http.StatusOK {
			body = answer.Status
		}
		if !strings.Contains(body, want) {
			t.Errorf("%s: %s", path, body)
		}
	}
	if answer, _ := do(t, "GET", url+"/packages/an-sdist-2.0.tar.gz", ""); answer.StatusCode != http.StatusOK || answer.ContentLength != 0 {
		t.Errorf("a package: %s, %d bytes", answer.Status, answer.ContentLength)
	}
	post(t, url, `{"repo":"packages","file":"an-*","status":503,"times":1}`)
	if answer, _ := do(t, "GET", url+"/packages/an-sdist-2.0.tar.gz", ""); answer.StatusCode != http.StatusServiceUnavailable {
		t.Errorf("a package with a fault: %s", answer.Status)
	}
	bare := testRoot(t)
	bare.Packages = ""
	if answer, _ := do(t, "GET", serveTest(t, bare)+"/simple/an-sdist/", ""); answer.StatusCode != http.StatusNotFound {
		t.Errorf("a Hub without packages: %s", answer.Status)
	}
}
