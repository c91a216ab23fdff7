package hub

import (
	"crypto/sha1" //nolint:gosec // git names by it
	"crypto/sha256"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// lfsThreshold is the size in bytes from which the Hub keeps a file as LFS, and names it by sha256;
// lfsSuffixes are kept so whatever their size, by the .gitattributes of every new repository.
const lfsThreshold = 10 << 20

var lfsSuffixes = []string{".safetensors", ".bin", ".gguf", ".pt", ".pth", ".onnx", ".parquet"}

// isLFS says how the Hub would keep a file. Clients send empty files as regular ones: S3 takes none.
func isLFS(name string, size int64) bool {
	return size >= lfsThreshold || size > 0 && slices.Contains(lfsSuffixes, filepath.Ext(name))
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

// oid names the content: LFS files by sha256, others by their git blob.
func (f file) oid() string {
	if f.SHA256 != "" {
		return f.SHA256
	}
	return f.Blob
}

func (f file) etag() string { return `"` + f.oid() + `"` }

// entry is a file in a tree, as the API shows it.
func (f file) entry() map[string]any {
	entry := map[string]any{"type": "file", "path": f.Path, "size": f.Size, "oid": f.Blob}
	if f.SHA256 != "" {
		entry["lfs"] = map[string]any{"oid": f.SHA256, "size": f.Size, "pointerSize": f.PointerSize}
	}
	return entry
}

type hashed struct {
	file
	time time.Time
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
	if isLFS(name, f.Size) {
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
