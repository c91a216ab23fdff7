package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// events is what `go test -json` writes of a package with a test of each fate.
const events = `{"Action":"run","Package":"example.com/o/n/p","Test":"TestGood"}
{"Action":"output","Package":"example.com/o/n/p","Test":"TestGood","Output":"chatter of a test that passed\n"}
{"Action":"pass","Package":"example.com/o/n/p","Test":"TestGood"}
{"Action":"output","Package":"example.com/o/n/p","Test":"TestBad","Output":"    p_test.go:7: got 1, want 2\n"}
{"Action":"fail","Package":"example.com/o/n/p","Test":"TestBad"}
{"Action":"output","Package":"example.com/o/n/p","Test":"TestRoot","Output":"=== RUN   TestRoot\n"}
{"Action":"output","Package":"example.com/o/n/p","Test":"TestRoot","Output":"    p_test.go:9: needs root\n"}
{"Action":"skip","Package":"example.com/o/n/p","Test":"TestRoot"}
{"Action":"output","Package":"example.com/o/n/p","Output":"FAIL\n"}
{"Action":"output","Package":"example.com/o/n/p","Output":"FAIL\texample.com/o/n/p\t0.1s\n"}
{"Action":"fail","Package":"example.com/o/n/p"}
not JSON
`

func TestReportShowsFailuresSkipsAndPackages(t *testing.T) {
	var out strings.Builder
	r := newReport(&out)
	read(strings.NewReader(events), r)
	r.end()
	want := `    p_test.go:7: got 1, want 2
FAIL	example.com/o/n/p	0.1s
not JSON
skipped in p, TestRoot: needs root
1 tests passed, 1 failed, 1 skipped
`
	if out.String() != want {
		t.Errorf("got:\n%s\nwant:\n%s", out.String(), want)
	}
	notes := filepath.Join(t.TempDir(), "notes")
	if err := r.note(notes); err != nil {
		t.Fatal(err)
	}
	data, err := os.ReadFile(notes)
	if want := "1 tests passed, 1 failed, 1 skipped\nleft out in p, TestRoot: needs root\n"; err != nil || string(data) != want {
		t.Errorf("notes: %q, %v", data, err)
	}
}
