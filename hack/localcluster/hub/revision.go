package hub

import (
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"strings"
)

// commit makes a new revision of a repository, moves the branch to it and returns its id. Older revisions stay.
func (s *store) commit(r repo, branch string, c change) (string, error) {
	s.writing.Lock()
	defer s.writing.Unlock()
	head, err := r.head(branch)
	if err != nil {
		return "", err
	}
	if !strings.HasPrefix(head, c.parent) {
		return "", refusal{http.StatusPreconditionFailed, "", "A commit has happened since. Please refresh and try again."}
	}
	return r.advance(branch, head, c)
}

// advance builds the revision beside the others, so that it is there as a whole or not at all. The caller holds the
// store's lock for writing.
func (r repo) advance(branch, head string, c change) (string, error) {
	stage, err := os.MkdirTemp(r.dir, "stage-")
	if err != nil {
		return "", err
	}
	defer os.RemoveAll(stage)
	if head != "" {
		if err := linkFiles(filepath.Join(r.dir, head), stage); err != nil {
			return "", err
		}
	}
	for _, o := range c.operations {
		if err := r.apply(stage, o); err != nil {
			return "", err
		}
	}
	// A new id each time: on the Hub it depends on the time too.
	random := make([]byte, 20)
	_, _ = rand.Read(random) // never fails
	id := fmt.Sprintf("%x", random)
	if err := os.Rename(stage, filepath.Join(r.dir, id)); err != nil {
		return "", err
	}
	if err := os.MkdirAll(filepath.Join(r.dir, "refs"), 0o755); err != nil {
		return "", err
	}
	return id, replaceFile(filepath.Join(r.dir, "refs", branch), []byte(id+"\n"))
}

// linkFiles gives the files of one revision a second name in the next: none is ever written to.
func linkFiles(from, to string) error {
	var names []string
	err := fs.WalkDir(os.DirFS(from), ".", func(name string, d fs.DirEntry, err error) error {
		if err == nil && !d.IsDir() {
			names = append(names, name)
		}
		return err
	})
	if err != nil {
		return err
	}
	for _, name := range names {
		target := filepath.Join(to, name)
		if err := os.MkdirAll(filepath.Dir(target), 0o755); err != nil {
			return err
		}
		if err := os.Link(filepath.Join(from, name), target); err != nil {
			return err
		}
	}
	return nil
}

func (r repo) apply(stage string, o operation) error {
	target := filepath.Join(stage, filepath.FromSlash(o.Path))
	info, err := os.Lstat(target)
	there := err == nil
	switch {
	case o.key == opDeleteFolder && there && info.IsDir():
		return os.RemoveAll(target)
	case o.key == opDeleteFile && there && !info.IsDir():
		return os.Remove(target)
	case o.key == opDeleteFile:
		return refusal{http.StatusNotFound, "EntryNotFound", "A file with this name doesn't exist: " + o.Path}
	case o.key == opDeleteFolder:
		return refusal{http.StatusNotFound, "EntryNotFound", "A folder with this name doesn't exist: " + o.Path}
	case there && info.IsDir():
		return badRequest("%s is a folder", o.Path)
	case there:
		// Never written over: an older revision has it too.
		if err := os.Remove(target); err != nil {
			return err
		}
	}
	if err := os.MkdirAll(filepath.Dir(target), 0o755); err != nil {
		return badRequest("a folder of %s is a file", o.Path)
	}
	if o.key == opFile {
		return os.WriteFile(target, o.Content, 0o644)
	}
	err = errors.Join(r.holds(o.OID, o.Size), os.Link(r.object(o.OID), target))
	if errors.Is(err, fs.ErrNotExist) {
		return badRequest("Your push was rejected because an LFS pointer pointed to a file that does not exist. Offending file: %s", o.Path)
	}
	return err
}
