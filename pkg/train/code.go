package train

import (
	"archive/zip"
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io/fs"
	"path"
	"strings"
	"time"
)

// The program's package in the archive, and where its sources and the lock of its packages lie in program.
const (
	packageName = "summarizer_trainer"
	sources     = "trainer/src/" + packageName
	lockFile    = "trainer/layer.lock"
)

// Code returns the training program as a zip, which Python runs as it is, and the digest that results
// carry as `code`. The digest is of the sources and not of the zip: a run without a cluster has the same one.
func Code() (archive []byte, digest string, err error) {
	files, err := programFiles(program)
	if err != nil {
		return nil, "", fmt.Errorf("the training program cannot be read: %w", err)
	}
	lock, err := program.ReadFile(lockFile)
	if err != nil {
		return nil, "", fmt.Errorf("the lock of the training program's packages cannot be read: %w", err)
	}
	archive, err = pack(append(files, programFile{path.Base(lockFile), lock}))
	return archive, digestOf(files), err
}

// programFile is one file of the program's package, with its path in it.
type programFile struct {
	name string
	data []byte
}

// programFiles returns the sources, sorted by the parts of their paths.
func programFiles(fsys fs.FS) ([]programFile, error) {
	var files []programFile
	err := fs.WalkDir(fsys, sources, func(name string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		data, err := fs.ReadFile(fsys, name)
		files = append(files, programFile{strings.TrimPrefix(name, sources+"/"), data})
		return err
	})
	return files, err
}

// digestOf is FORMATS.md's rule for `code`.
func digestOf(files []programFile) string {
	hash := sha256.New()
	for _, f := range files {
		fmt.Fprintf(hash, "%s\x00%x\n", f.name, sha256.Sum256(f.data))
	}
	return hex.EncodeToString(hash.Sum(nil))
}

// pack writes the same bytes for the same files.
func pack(files []programFile) ([]byte, error) {
	var packed bytes.Buffer
	w := zip.NewWriter(&packed)
	for _, f := range files {
		// A fixed time, the first that a zip can hold.
		entry, err := w.CreateHeader(&zip.FileHeader{
			Name: path.Join(packageName, f.name), Method: zip.Deflate, Modified: time.Date(1980, 1, 1, 0, 0, 0, 0, time.UTC),
		})
		if err == nil {
			_, err = entry.Write(f.data)
		}
		if err != nil {
			return nil, fmt.Errorf("the training program cannot be packed: %s: %w", f.name, err)
		}
	}
	if err := w.Close(); err != nil {
		return nil, fmt.Errorf("the training program cannot be packed: %w", err)
	}
	return packed.Bytes(), nil
}
