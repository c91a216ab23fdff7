package train

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"crypto/rand"
	"errors"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/kubectl-summarizer/kubectl-summarizer/internal/failure"
	"github.com/kubectl-summarizer/kubectl-summarizer/pkg/train"
)

// write makes files below a new folder.
func write(t *testing.T, files map[string]string) string {
	t.Helper()
	root := t.TempDir()
	for name, text := range files {
		path := filepath.Join(root, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return root
}

// names lists what an archive holds.
func names(t *testing.T, archive []byte) []string {
	t.Helper()
	zip, err := gzip.NewReader(bytes.NewReader(archive))
	if err != nil {
		t.Fatal(err)
	}
	var found []string
	for reader := tar.NewReader(zip); ; {
		header, err := reader.Next()
		if errors.Is(err, io.EOF) {
			return found
		}
		if err != nil {
			t.Fatal(err)
		}
		found = append(found, header.Name)
	}
}

// Only data travel; the same data give the same bytes, whenever they were written.
func TestPack(t *testing.T) {
	files := map[string]string{
		"train.jsonl": "1", "test.csv": "2", "sub/validation.jsonl.gz": "3", "README.md": "not data", ".git/train.jsonl": "hidden",
		"a/b/c/deep.jsonl": "as deep as is read", "a/b/c/d/deeper.jsonl": "deeper",
	}
	root := write(t, files)
	one, err := readSource(root)
	if err != nil {
		t.Fatal(err)
	}
	if got, want := names(t, one.files), []string{"a/b/c/deep.jsonl", "sub/validation.jsonl.gz", "test.csv", "train.jsonl"}; !slices.Equal(got, want) {
		t.Errorf("packed %q, want %q", got, want)
	}
	other := write(t, files)
	old := time.Unix(1e9, 0)
	if err := os.Chtimes(filepath.Join(other, "train.jsonl"), old, old); err != nil {
		t.Fatal(err)
	}
	if again, err := readSource(other); err != nil || !bytes.Equal(one.files, again.files) {
		t.Errorf("the same files give other bytes: %v", err)
	}
	single, err := readSource(filepath.Join(root, "train.jsonl"))
	if err != nil || !slices.Equal(names(t, single.files), []string{"train.jsonl"}) {
		t.Errorf("%v %v", single, err)
	}
}

func TestSources(t *testing.T) {
	large := make([]byte, 2<<20)
	if _, err := rand.Read(large); err != nil {
		t.Fatal(err)
	}
	root := write(t, map[string]string{"notes.txt": "x", "large.jsonl": string(large), "empty/.keep": "", "packed.tgz": "as it is"})
	for data, test := range map[string]struct {
		want source
		says string
		next string
	}{
		"samsum":                         {want: source{uri: "samsum"}},
		"hf://datasets/a/b":              {want: source{uri: "hf://datasets/a/b"}},
		"gs://b/p":                       {want: source{uri: "gs://b/p"}},
		"pvc://claim/in/it":              {want: source{claim: "pvc://claim/in/it"}},
		"pvc://":                         {says: "is no claim"},
		root + "/packed.tgz":             {want: source{files: []byte("as it is")}},
		root + "/notes.txt":              {says: "its format cannot be told"},
		root + "/empty":                  {says: "no file in it ends in one of .jsonl"},
		root + "/large.jsonl":            {says: "the most that travels with a run", next: "pvc://CLAIM/PATH"},
		"knkarthick/dialogsum-not-there": {says: "no such file or folder on this machine", next: "--data hf://datasets/knkarthick/dialogsum-not-there"},
	} {
		got, err := readSource(data)
		if test.says == "" {
			if err != nil || got.uri != test.want.uri || got.claim != test.want.claim || !bytes.Equal(got.files, test.want.files) {
				t.Errorf("%s: %+v %v", data, got, err)
			}
			continue
		}
		if err == nil || !strings.Contains(err.Error(), test.says) || !strings.Contains(failure.NextOf(err), test.next) || failure.KindOf(err) != failure.Usage {
			t.Errorf("%s: %v\n%s", data, err, failure.NextOf(err))
		}
	}
	if len(large) < train.MaxLocalData {
		t.Error("the large file is not large")
	}
}

// The project's own dialogues travel.
func TestTheExamplesFit(t *testing.T) {
	found, err := readSource("../../../examples/dialogues")
	if err != nil || !slices.Equal(names(t, found.files), []string{"test.jsonl", "train.jsonl", "validation.jsonl"}) {
		t.Errorf("%v", err)
	}
}
