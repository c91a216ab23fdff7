package hub

import (
	"crypto/sha1" //nolint:gosec // git names by it
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
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

// lfsThreshold is the size in bytes from which the Hub keeps a file as LFS, and names it by sha256;
// lfsSuffixes are kept so whatever their size, by the .gitattributes of every new repository.
const lfsThreshold = 10 << 20

var lfsSuffixes = []string{".safetensors", ".bin", ".gguf", ".pt", ".pth", ".onnx"}

// repo is one model repository on disk.
type repo struct {
	ID      string
	Gated   bool `json:"gated"`
	Private bool `json:"private"`
	dir     string
}

// file is one file of a revision.
type file struct {
	Path string
	Size int64
	// Blob is the id of what git keeps: of the file, or of the pointer to an LFS file.
	Blob string
	// SHA256 and PointerSize are those of LFS files only.
	SHA256      string
	PointerSize int
}

// etag names the content: LFS files by sha256, others by their git blob.
func (f file) etag() string {
	if f.SHA256 != "" {
		return `"` + f.SHA256 + `"`
	}
	return `"` + f.Blob + `"`
}

// store reads repositories and remembers file hashes while the file does not change.
type store struct {
	root   string
	mu     sync.Mutex
	hashes map[string]hashed
}

type hashed struct {
	file
	time time.Time
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
	s.mu.Lock()
	defer s.mu.Unlock()
	if h, ok := s.hashes[path]; ok && h.Size == info.Size() && h.time.Equal(info.ModTime()) {
		return h.file, nil
	}
	in, err := os.Open(path)
	if err != nil {
		return file{}, err
	}
	defer in.Close()
	f := file{Path: name, Size: info.Size()}
	if f.Size >= lfsThreshold || slices.Contains(lfsSuffixes, filepath.Ext(name)) {
		sum := sha256.New()
		if _, err := io.Copy(sum, in); err != nil {
			return f, err
		}
		f.SHA256 = fmt.Sprintf("%x", sum.Sum(nil))
		pointer := fmt.Sprintf("version https://git-lfs.github.com/spec/v1\noid sha256:%s\nsize %d\n", f.SHA256, f.Size)
		f.PointerSize = len(pointer)
		f.Blob, err = gitBlob(int64(len(pointer)), strings.NewReader(pointer))
	} else {
		f.Blob, err = gitBlob(f.Size, in)
	}
	if err == nil {
		s.hashes[path] = hashed{f, info.ModTime()}
	}
	return f, err
}

// gitBlob is the id that git gives a file.
func gitBlob(size int64, content io.Reader) (string, error) {
	sum := sha1.New() //nolint:gosec // git names by it
	fmt.Fprintf(sum, "blob %d\x00", size)
	_, err := io.Copy(sum, content)
	return fmt.Sprintf("%x", sum.Sum(nil)), err
}
