package hub

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
)

// The kinds of repositories, as the API's addresses and the folders name them.
const (
	models   = "models"
	datasets = "datasets"
)

var (
	commitPattern = regexp.MustCompile(`^[0-9a-f]{40}$`)
	namePattern   = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]{0,95}$`)
)

// repo is one repository on disk.
type repo struct {
	Gated   bool `json:"gated"`
	Private bool `json:"private"`

	Kind string `json:"-"`
	Org  string `json:"-"`
	// ID is ORG/NAME.
	ID  string `json:"-"`
	dir string
	// uploaded is false for those that were made beforehand: they cannot be changed.
	uploaded bool
}

// name is the repository's path on the Hub.
func (r repo) name() string {
	if r.Kind == models {
		return r.ID
	}
	return r.Kind + "/" + r.ID
}

// word is what the Hub calls one repository of this kind.
func (r repo) word() string { return strings.TrimSuffix(r.Kind, "s") }

// store reads and writes repositories, and remembers file hashes while the file does not change.
type store struct {
	// root holds what was made beforehand and is never written to; uploads, what clients made: "" where they may not.
	root, uploads string

	mu     sync.Mutex
	hashes map[string]hashed
	// writing keeps two changes apart: a commit builds on the one before it.
	writing sync.Mutex
}

func newStore(root, uploads string) *store {
	return &store{root: root, uploads: uploads, hashes: map[string]hashed{}}
}

// repo finds a repository among the uploaded ones, then among those that were made beforehand.
func (s *store) repo(kind, org, name string) (repo, error) {
	r := repo{Kind: kind, Org: org, ID: org + "/" + name}
	if !namePattern.MatchString(org) || !namePattern.MatchString(name) {
		return r, errNoRepo
	}
	for _, root := range []string{s.uploads, s.root} {
		if root == "" {
			continue
		}
		r.dir, r.uploaded = filepath.Join(root, kind, org, name), root == s.uploads
		data, err := os.ReadFile(filepath.Join(r.dir, "repo.json"))
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return r, err
		}
		if err := json.Unmarshal(data, &r); err != nil {
			return r, fmt.Errorf("read %s/repo.json: %w", r.dir, err)
		}
		return r, nil
	}
	return r, errNoRepo
}

// readable finds a repository that the caller may know of. Without a token the Hub does not tell a missing
// repository from a hidden one.
func (s *store) readable(kind, org, name string, who *account) (repo, error) {
	r, err := s.repo(kind, org, name)
	if err == nil && r.Private && !who.mayRead(r) {
		err = errNoRepo
	}
	if errors.Is(err, errNoRepo) && who == nil {
		err = refusal{http.StatusUnauthorized, errNoRepo.code, errNoRepo.message}
	}
	return r, err
}

// commit resolves a branch, or a commit that the repository has.
func (r repo) commit(revision string) (string, error) {
	if revision == "" {
		revision = "main"
	}
	if commitPattern.MatchString(revision) {
		if _, err := os.Stat(filepath.Join(r.dir, revision)); err != nil {
			return "", errNoRevision(revision)
		}
		return revision, nil
	}
	return r.head(revision)
}

// head is the newest commit of a branch.
func (r repo) head(branch string) (string, error) {
	if !namePattern.MatchString(branch) || commitPattern.MatchString(branch) {
		return "", errNoRevision(branch)
	}
	data, err := os.ReadFile(filepath.Join(r.dir, "refs", branch))
	if err != nil {
		return "", errNoRevision(branch)
	}
	return strings.TrimSpace(string(data)), nil
}

// path is where a file of a commit lies; it never leaves the commit's directory.
func (r repo) path(commit, name string) (string, error) {
	if !filepath.IsLocal(name) {
		return "", errNoEntry
	}
	path := filepath.Join(r.dir, commit, name)
	if info, err := os.Stat(path); err != nil || !info.Mode().IsRegular() {
		return "", errNoEntry
	}
	return path, nil
}
