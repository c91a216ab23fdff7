package hub

import (
	"crypto/sha1"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"hash"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"time"
)

var (
	errNoRepo     = errors.New("repository not found")
	errNoRevision = errors.New("revision not found")
	errNoEntry    = errors.New("entry not found")

	commitPattern = regexp.MustCompile(`^[0-9a-f]{40}$`)
	namePattern   = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]*$`)
)

// lfsThreshold is the size in bytes from which the Hub keeps a file as LFS, and names it by sha256.
const lfsThreshold = 10 << 20

// repo is one model repository on disk.
type repo struct {
	ID      string
	Gated   bool `json:"gated"`
	Private bool `json:"private"`
	dir     string
}

// file is one file of a revision. OID is a git blob id, or a sha256 for LFS files.
type file struct {
	Path string
	Size int64
	OID  string
	LFS  bool
}

// store reads repositories and remembers file hashes while the file does not change.
type store struct {
	root   string
	mu     sync.Mutex
	hashes map[string]hashed
}

type hashed struct {
	size int64
	time time.Time
	oid  string
}

func newStore(root string) *store { return &store{root: root, hashes: map[string]hashed{}} }

func (s *store) repo(org, name string) (repo, error) {
	r := repo{ID: org + "/" + name}
	if !namePattern.MatchString(org) || !namePattern.MatchString(name) {
		return r, errNoRepo
	}
	r.dir = filepath.Join(s.root, "models", org, name)
	data, err := os.ReadFile(filepath.Join(r.dir, "repo.json"))
	if errors.Is(err, fs.ErrNotExist) {
		return r, errNoRepo
	}
	if err != nil {
		return r, err
	}
	if err := json.Unmarshal(data, &r); err != nil {
		return r, fmt.Errorf("read %s/repo.json: %w", r.dir, err)
	}
	return r, nil
}

// commit resolves a branch, or a commit that the repository has.
func (r repo) commit(revision string) (string, error) {
	if revision == "" {
		revision = "main"
	}
	if commitPattern.MatchString(revision) {
		if _, err := os.Stat(filepath.Join(r.dir, revision)); err != nil {
			return "", errNoRevision
		}
		return revision, nil
	}
	if !namePattern.MatchString(revision) {
		return "", errNoRevision
	}
	data, err := os.ReadFile(filepath.Join(r.dir, "refs", revision))
	if err != nil {
		return "", errNoRevision
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

// files lists a commit's files in path order.
func (s *store) files(r repo, commit string) ([]file, error) {
	var files []file
	dir := filepath.Join(r.dir, commit)
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || !d.Type().IsRegular() {
			return err
		}
		name, err := filepath.Rel(dir, path)
		if err != nil {
			return err
		}
		f, err := s.describe(path, filepath.ToSlash(name))
		files = append(files, f)
		return err
	})
	return files, err
}

func (s *store) describe(path, name string) (file, error) {
	info, err := os.Stat(path)
	if err != nil {
		return file{}, err
	}
	f := file{Path: name, Size: info.Size(), LFS: info.Size() >= lfsThreshold}
	s.mu.Lock()
	defer s.mu.Unlock()
	if h, ok := s.hashes[path]; ok && h.size == info.Size() && h.time.Equal(info.ModTime()) {
		f.OID = h.oid
		return f, nil
	}
	var sum hash.Hash = sha256.New()
	if !f.LFS {
		sum = sha1.New()
		fmt.Fprintf(sum, "blob %d\x00", f.Size)
	}
	in, err := os.Open(path)
	if err != nil {
		return f, err
	}
	defer in.Close()
	if _, err := io.Copy(sum, in); err != nil {
		return f, err
	}
	f.OID = fmt.Sprintf("%x", sum.Sum(nil))
	s.hashes[path] = hashed{info.Size(), info.ModTime(), f.OID}
	return f, nil
}
