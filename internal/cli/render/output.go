package render

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/cli-runtime/pkg/genericiooptions"

	"github.com/kubectl-summarizer/kubectl-summarizer/charts"
	"github.com/kubectl-summarizer/kubectl-summarizer/internal/failure"
	"github.com/kubectl-summarizer/kubectl-summarizer/pkg/render"
)

// ours begins every file that this verb writes, and no file of anybody else.
const ours = "---\n# Source: " + charts.Name + "/"

func printJSON(w io.Writer, objects []*unstructured.Unstructured) error {
	items := make([]any, len(objects))
	for i, object := range objects {
		items[i] = object.Object
	}
	encoder := json.NewEncoder(w)
	encoder.SetIndent("", "  ")
	encoder.SetEscapeHTML(false)
	return encoder.Encode(map[string]any{"apiVersion": "v1", "kind": "List", "items": items})
}

// writeDir writes one file for each document and names it on stdout. A file that this
// verb did not write is never overwritten: then nothing at all is written.
func writeDir(streams genericiooptions.IOStreams, dir, release string, documents []render.Document) error {
	files := make(map[string]bool, len(documents))
	for _, d := range documents {
		path := filepath.Join(dir, fileName(d))
		files[path] = true
		existing, err := os.ReadFile(path)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return err
		}
		if !bytes.HasPrefix(existing, []byte(ours)) {
			return failure.Refusedf("move it away, or give another --output-dir",
				"%s exists and was not written by render: nothing was written", path)
		}
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	for _, d := range documents {
		path := filepath.Join(dir, fileName(d))
		if err := replaceFile(path, d.YAML()); err != nil {
			return err
		}
		fmt.Fprintln(streams.Out, path)
	}
	return noteStale(streams.ErrOut, dir, release, files)
}

func fileName(d render.Document) string {
	return strings.ToLower(d.Kind) + "-" + d.Name + ".yaml"
}

// replaceFile writes beside the file and renames, so that a reader never sees half of it.
func replaceFile(path string, data []byte) error {
	temporary, err := os.CreateTemp(filepath.Dir(path), ".render-*")
	if err != nil {
		return err
	}
	defer os.Remove(temporary.Name())
	_, err = temporary.Write(data)
	if err := errors.Join(err, temporary.Chmod(0o644), temporary.Close()); err != nil {
		return err
	}
	return os.Rename(temporary.Name(), path)
}

// noteStale names files of an earlier render of the same release that this one does not
// have: GitOps would go on applying them.
func noteStale(w io.Writer, dir, release string, current map[string]bool) error {
	present, err := filepath.Glob(filepath.Join(dir, "*.yaml"))
	if err != nil {
		return err
	}
	for _, path := range present {
		if current[path] {
			continue
		}
		data, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		if bytes.HasPrefix(data, []byte(ours)) && isOf(data, release) {
			fmt.Fprintf(w, "note: %s is from an earlier render and no longer part of it: remove it\n", path)
		}
	}
	return nil
}

// isOf says whether an object is of the release: a chart may put the label's value in quotes.
func isOf(object []byte, release string) bool {
	const label = "app.kubernetes.io/instance: "
	return bytes.Contains(object, []byte(label+strconv.Quote(release)+"\n")) || bytes.Contains(object, []byte(label+release+"\n"))
}
