package train

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/kubectl-summarizer/kubectl-summarizer/internal/failure"
	"github.com/kubectl-summarizer/kubectl-summarizer/internal/ui"
	"github.com/kubectl-summarizer/kubectl-summarizer/pkg/train"
)

// dataSuffixes are the files that the program reads, each also with .gz after it.
var dataSuffixes = []string{".jsonl", ".json", ".parquet", ".csv", ".tsv"}

// folderDepth is how deep the program looks into a folder.
const folderDepth = 4

// elsewhere is where data go that are too large to travel with a run.
const elsewhere = "put them on a volume (--data pvc://CLAIM/PATH), in a bucket (--data gs://BUCKET/PATH or s3://BUCKET/PATH)\n" +
	"or on the Hub (--data hf://datasets/ORG/NAME)"

// source is where the data come from.
type source struct {
	uri   string // of what the program fetches itself
	claim string // pvc://CLAIM/PATH
	files []byte // a .tar.gz of local files
}

// readSource finds out what --data names, and packs local files.
func readSource(data string) (source, error) {
	switch {
	case strings.HasPrefix(data, "pvc://"):
		_, _, err := train.ParseDataClaim(data)
		if err != nil {
			return source{}, failure.New(failure.Usage, fmt.Errorf("--data: %w", err), "")
		}
		return source{claim: data}, nil
	case data == "samsum", strings.Contains(data, "://"):
		return source{uri: data}, nil
	}
	info, err := os.Stat(data)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		next := "it takes a local file or folder, samsum, or an address: hf://datasets/ORG/NAME, gs://, s3://, https://, pvc://CLAIM/PATH"
		if org, name, found := strings.Cut(data, "/"); found && org != "" && org[0] != '.' && !strings.Contains(name, "/") {
			next = "a dataset on the Hub is written: --data hf://datasets/" + data + "\n" + next
		}
		return source{}, failure.New(failure.Usage, fmt.Errorf("--data %s: there is no such file or folder on this machine", data), next)
	case err != nil:
		return source{}, failure.Usagef("--data: %w", err)
	}
	packed, err := pack(data, info)
	if err != nil {
		return source{}, err
	}
	if len(packed) > train.MaxLocalData {
		return source{}, failure.New(failure.Usage, fmt.Errorf("--data %s: packed it is %s, and %s is the most that travels with a run",
			data, ui.Bytes(int64(len(packed))), ui.Bytes(train.MaxLocalData)), elsewhere)
	}
	return source{files: packed}, nil
}

// pack makes a .tar.gz of a file, or of the data in a folder: the same files give the same bytes.
func pack(root string, info fs.FileInfo) ([]byte, error) {
	if !info.IsDir() && isArchive(root) {
		// Beyond the limit no more is read than shows it.
		return readAtMost(root, train.MaxLocalData+1)
	}
	names, err := dataFiles(root, info)
	if err != nil {
		return nil, err
	}
	var packed bytes.Buffer
	zip, err := gzip.NewWriterLevel(&packed, gzip.BestCompression)
	if err != nil {
		return nil, err
	}
	archive := tar.NewWriter(zip)
	for _, name := range names {
		if err := addFile(archive, root, name, info.IsDir()); err != nil {
			return nil, failure.Usagef("--data: %w", err)
		}
		if packed.Len() > train.MaxLocalData {
			return nil, failure.New(failure.Usage, fmt.Errorf("--data %s: packed it is more than %s, the most that travels with a run", root, ui.Bytes(train.MaxLocalData)), elsewhere)
		}
	}
	if err := errors.Join(archive.Close(), zip.Close()); err != nil {
		return nil, err
	}
	return packed.Bytes(), nil
}

func addFile(archive *tar.Writer, root, name string, inFolder bool) error {
	path := root
	if inFolder {
		path = filepath.Join(root, name)
	}
	data, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	// No time and no owner: they differ between machines, and say nothing.
	header := &tar.Header{Name: filepath.ToSlash(name), Mode: 0o644, Size: int64(len(data)), Format: tar.FormatPAX}
	if err := archive.WriteHeader(header); err != nil {
		return err
	}
	_, err = archive.Write(data)
	return err
}

// dataFiles lists what is packed, in order: hidden files and what is no data stay here.
func dataFiles(root string, info fs.FileInfo) ([]string, error) {
	if !info.IsDir() {
		if !isData(root) {
			return nil, failure.Usagef("--data %s: its format cannot be told: its name must end in one of %s", root, strings.Join(dataSuffixes, ", "))
		}
		return []string{filepath.Base(root)}, nil
	}
	var names []string
	err := filepath.WalkDir(root, func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		name, err := filepath.Rel(root, path)
		switch {
		case err != nil:
			return err
		case name == ".":
		case strings.HasPrefix(entry.Name(), "."), entry.IsDir() && strings.Count(filepath.ToSlash(name), "/") >= folderDepth-1:
			if entry.IsDir() {
				return fs.SkipDir
			}
		case !entry.IsDir() && isData(name):
			names = append(names, name)
		}
		return nil
	})
	if err != nil {
		return nil, failure.Usagef("--data: %w", err)
	}
	if len(names) == 0 {
		return nil, failure.Usagef("--data %s: no file in it ends in one of %s", root, strings.Join(dataSuffixes, ", "))
	}
	slices.Sort(names)
	return names, nil
}

func isData(name string) bool {
	name = strings.TrimSuffix(strings.ToLower(name), ".gz")
	return slices.ContainsFunc(dataSuffixes, func(suffix string) bool { return strings.HasSuffix(name, suffix) })
}

func isArchive(name string) bool {
	name = strings.ToLower(name)
	return strings.HasSuffix(name, ".tar.gz") || strings.HasSuffix(name, ".tgz")
}

func readAtMost(path string, limit int64) ([]byte, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, failure.Usagef("--data: %w", err)
	}
	defer file.Close()
	data, err := io.ReadAll(io.LimitReader(file, limit))
	if err != nil {
		return nil, failure.Usagef("--data: %w", err)
	}
	return data, nil
}
