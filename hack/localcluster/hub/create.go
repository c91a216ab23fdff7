package hub

import (
	"encoding/json"
	"errors"
	"net/http"
	"os"
	"path/filepath"
	"strings"
)

// repoRequest is what repos/create and repos/delete are sent.
type repoRequest struct {
	Name string `json:"name"`
	// Organization is the namespace; without one it is the caller's own.
	Organization string `json:"organization"`
	Type         string `json:"type"`
	visibility
}

// visibility is what may be said of who sees a repository.
type visibility struct {
	Visibility string `json:"visibility"`
	Private    *bool  `json:"private"`
}

// decide changes private to what was asked for, if anything was.
func (v visibility) decide(private *bool) error {
	switch {
	case v.Visibility == "private" || v.Visibility == "public":
		*private = v.Visibility == "private"
	case v.Visibility != "":
		return badRequest(`"visibility" must be one of public, private: this Hub has no other`)
	case v.Private != nil:
		*private = *v.Private
	}
	return nil
}

// named finds out which repository a request is about and whether the caller may write in its namespace.
func (s *server) named(w http.ResponseWriter, r *http.Request) (repoRequest, repo, *account, error) {
	var request repoRequest
	who, err := s.store.caller(r)
	if err == nil && who == nil {
		err = errNoToken
	}
	if err == nil {
		err = readJSON(w, r, &request)
	}
	if err != nil {
		return request, repo{}, who, err
	}
	target := repo{Kind: models, Org: request.Organization}
	switch request.Type {
	case "", "model":
	case "dataset":
		target.Kind = datasets
	default:
		return request, target, who, badRequest("this Hub has models and datasets, no %ss", request.Type)
	}
	if target.Org == "" {
		target.Org = who.User
	}
	target.ID = target.Org + "/" + request.Name
	if !namePattern.MatchString(request.Name) || strings.HasSuffix(request.Name, ".git") {
		err = badRequest("Invalid name: %q is not 1 to 96 letters, digits, dots, dashes and underscores, a letter or digit first", request.Name)
	}
	return request, target, who, err
}

// create makes a repository with one commit, as the Hub does.
func (s *server) create(w http.ResponseWriter, r *http.Request) {
	request, target, who, err := s.named(w, r)
	if err != nil {
		refuse(w, err)
		return
	}
	s.faulted(w, r, target.name(), "create", func(w http.ResponseWriter, r *http.Request) {
		if !who.mayWrite(target.Org) {
			refuse(w, forbidden("You don't have the rights to create a %s under the namespace %q", target.word(), target.Org))
			return
		}
		err := request.decide(&target.Private)
		if err == nil {
			err = s.store.create(target)
		}
		answer := map[string]any{"url": address(r) + "/" + target.name(), "name": target.ID}
		switch {
		case errors.Is(err, errExists):
			// A client that does not mind takes the address from this answer.
			message := "You already created this " + target.word() + " repo"
			answer["error"] = message
			w.Header().Set("X-Error-Message", message)
			writeStatus(w, http.StatusConflict, answer)
		case err != nil:
			refuse(w, err)
		default:
			writeJSON(w, answer)
		}
	})
}

var errExists = errors.New("the repository exists")

// create makes a repository whose first commit says which files are LFS.
func (s *store) create(r repo) error {
	if s.uploads == "" {
		return forbidden("this Hub takes no uploads: start it with --uploads DIR")
	}
	s.writing.Lock()
	defer s.writing.Unlock()
	switch _, err := s.repo(r.Kind, r.Org, filepath.Base(r.ID)); {
	case err == nil:
		return errExists
	case !errors.Is(err, errNoRepo):
		return err
	}
	final := filepath.Join(s.uploads, r.Kind, r.ID)
	if err := os.MkdirAll(filepath.Dir(final), 0o755); err != nil {
		return err
	}
	// No name of a repository begins with a dot: it is not there until it is whole.
	made, err := os.MkdirTemp(filepath.Dir(final), ".new-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(made)
	r.dir, r.uploaded = made, true
	if err := r.save(); err != nil {
		return err
	}
	attributes := ""
	for _, suffix := range lfsSuffixes {
		attributes += "*" + suffix + " filter=lfs diff=lfs merge=lfs -text\n"
	}
	first := change{operations: []operation{{key: opFile, Path: ".gitattributes", Content: []byte(attributes)}}}
	if _, err := r.advance("main", "", first); err != nil {
		return err
	}
	return os.Rename(made, final)
}

// save writes repo.json. The caller holds the store's lock for writing.
func (r repo) save() error {
	data, err := json.Marshal(r)
	if err != nil {
		return err
	}
	return replaceFile(filepath.Join(r.dir, "repo.json"), append(data, '\n'))
}

// replaceFile writes a file that is either the old or the new one for all who read it.
func replaceFile(path string, data []byte) error {
	if err := os.WriteFile(path+".new", data, 0o644); err != nil {
		return err
	}
	return os.Rename(path+".new", path)
}
