package chart

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/kubectl-summarizer/kubectl-summarizer/internal/failure"
	"github.com/kubectl-summarizer/kubectl-summarizer/pkg/render"
)

// checkEmpty refuses a directory that holds something.
func checkEmpty(dir string) error {
	entries, err := os.ReadDir(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	if len(entries) > 0 {
		return failure.Refusedf("give another directory, or write over files of the same names: --force",
			"%s is not empty: it holds %s; nothing was written", dir, entries[0].Name())
	}
	return nil
}

// write writes the files below dir and names each on out.
func write(out io.Writer, dir string, files []render.File) error {
	for _, f := range files {
		path := filepath.Join(dir, filepath.FromSlash(f.Name))
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			return err
		}
		if err := os.WriteFile(path, f.Data, 0o644); err != nil {
			return err
		}
		fmt.Fprintln(out, path)
	}
	return nil
}

// noteForeign names what helm would read as part of the chart and is not: of an older chart, or somebody's own.
func noteForeign(errOut io.Writer, dir string, files []render.File) error {
	ours := map[string]bool{}
	for _, f := range files {
		ours[filepath.Join(dir, filepath.FromSlash(f.Name))] = true
	}
	for _, part := range []string{"templates", "files", "charts"} {
		err := filepath.WalkDir(filepath.Join(dir, part), func(path string, entry fs.DirEntry, err error) error {
			if errors.Is(err, fs.ErrNotExist) {
				return nil
			}
			if err == nil && !entry.IsDir() && !ours[path] {
				fmt.Fprintf(errOut, "note: %s is not of this chart, and helm takes it for a part of it: remove it unless it is yours\n", path)
			}
			return err
		})
		if err != nil {
			return err
		}
	}
	return nil
}
