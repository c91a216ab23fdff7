package train

import (
	"archive/zip"
	"bytes"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"
)

func archiveFiles(t *testing.T) map[string]string {
	t.Helper()
	archive, _, err := Code()
	if err != nil {
		t.Fatal(err)
	}
	r, err := zip.NewReader(bytes.NewReader(archive), int64(len(archive)))
	if err != nil {
		t.Fatal(err)
	}
	files := map[string]string{}
	for _, f := range r.File {
		content, err := f.Open()
		if err != nil {
			t.Fatal(err)
		}
		data, err := io.ReadAll(content)
		if err != nil {
			t.Fatal(err)
		}
		files[f.Name] = string(data)
	}
	return files
}

// A module in a folder that the embed patterns do not reach would be missing in the cluster alone.
func TestCodeIsTheProgramOnDisk(t *testing.T) {
	onDisk := map[string]string{}
	root := filepath.Join("trainer", "src")
	err := filepath.WalkDir(root, func(name string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() || strings.HasSuffix(name, ".pyc") || strings.Contains(name, ".egg-info") {
			return err
		}
		data, err := os.ReadFile(name)
		onDisk[filepath.ToSlash(strings.TrimPrefix(name, root+string(filepath.Separator)))] = string(data)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	lock, err := os.ReadFile(filepath.Join("trainer", "layer.lock"))
	if err != nil {
		t.Fatal(err)
	}
	onDisk["summarizer_trainer/layer.lock"] = string(lock)
	if diff := cmp.Diff(onDisk, archiveFiles(t)); diff != "" {
		t.Errorf("(- disk, + archive):\n%s", diff)
	}
}

func TestCodeIsTheSameEachTime(t *testing.T) {
	first, digest, err := Code()
	if err != nil {
		t.Fatal(err)
	}
	second, again, err := Code()
	if err != nil || !bytes.Equal(first, second) || digest != again {
		t.Errorf("two archives differ: %v", err)
	}
}

// A ConfigMap takes 1 MiB; half of it leaves the program room to grow unnoticed.
func TestCodeFitsAConfigMap(t *testing.T) {
	archive, _, err := Code()
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("the archive has %d KiB", len(archive)/1024)
	if len(archive) > 512*1024 {
		t.Errorf("the archive has %d bytes", len(archive))
	}
}

// The digest of FORMATS.md, of files that the training program's own test has too: a name that sorts otherwise
// as text is among them.
func TestDigest(t *testing.T) {
	files, err := programFiles(fstest.MapFS{
		sources + "/b.py":          {Data: []byte("b\n")},
		sources + "/part.py":       {Data: []byte("part\n")},
		sources + "/part/inner.py": {Data: []byte("inner\n")},
	})
	if err != nil {
		t.Fatal(err)
	}
	const want = "751b9142dde29722761ed38bbd0cd585639d94461a47bb135d1d35a05c648c78"
	if got := digestOf(files); got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}
