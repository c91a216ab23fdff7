package hub

import (
	"errors"
	"net/http"
	"os"
	"path/filepath"
)

// remove deletes a repository with all its revisions.
func (s *server) remove(w http.ResponseWriter, r *http.Request) {
	_, target, who, err := s.named(w, r)
	if err == nil {
		target, err = s.store.readable(target.Kind, target.Org, filepath.Base(target.ID), who)
	}
	if err == nil && !who.mayWrite(target.Org) {
		err = forbidden("You don't have the rights to delete the %s %s", target.word(), target.ID)
	}
	if err == nil {
		err = s.store.remove(target)
	}
	if err != nil {
		refuse(w, err)
		return
	}
	writeJSON(w, map[string]any{})
}

// settings changes who sees a repository and who may read its files.
func (s *server) settings(w http.ResponseWriter, r *http.Request) {
	var request struct {
		// Gated is false, "auto" or "manual".
		Gated any `json:"gated"`
		visibility
	}
	found, err := s.writable(r)
	if err == nil {
		err = readJSON(w, r, &request)
	}
	if err == nil {
		err = request.decide(&found.Private)
	}
	switch request.Gated {
	case nil:
	case false, "auto", "manual":
		found.Gated = request.Gated != false
	default:
		err = errors.Join(err, badRequest(`"gated" must be one of false, "auto", "manual"`))
	}
	if err == nil {
		s.store.writing.Lock()
		err = found.save()
		s.store.writing.Unlock()
	}
	if err != nil {
		refuse(w, err)
		return
	}
	writeJSON(w, map[string]any{"private": found.Private, "gated": request.Gated})
}

// writable finds the repository of a request that would change it.
func (s *server) writable(r *http.Request) (repo, error) {
	found, who, err := s.open(r)
	switch {
	case err != nil:
		return found, err
	case who == nil:
		return found, errNoToken
	case !who.mayWrite(found.Org):
		return found, forbidden("pass `create_pr=1` as a query parameter to create a Pull Request")
	case r.URL.Query().Get("create_pr") != "":
		return found, badRequest("this Hub has no pull requests")
	}
	return found, found.changeable()
}

// changeable refuses what the cache holds: clusters share it.
func (r repo) changeable() error {
	if !r.uploaded {
		return forbidden("%s was made beforehand, and this Hub does not change it: upload to a repository of another name", r.ID)
	}
	return nil
}

func (s *store) remove(r repo) error {
	if err := r.changeable(); err != nil {
		return err
	}
	s.writing.Lock()
	defer s.writing.Unlock()
	gone, err := os.MkdirTemp(s.uploads, ".deleted-")
	if err != nil {
		return err
	}
	// At once for all who ask, then the files.
	return errors.Join(os.Rename(r.dir, filepath.Join(gone, "repo")), os.RemoveAll(gone))
}
