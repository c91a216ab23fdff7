package chartflags

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"strings"

	"github.com/kubectl-summarizer/kubectl-summarizer/internal/failure"
	"github.com/kubectl-summarizer/kubectl-summarizer/pkg/render"
)

// largestFile is far above any file of values, and keeps a model given to -f by mistake
// out of memory.
const largestFile = 5 << 20

func readFiles(names []string, in io.Reader) ([]render.ValuesFile, error) {
	var files []render.ValuesFile
	stdin := false
	for _, name := range names {
		if name == "-" {
			if stdin {
				return nil, failure.Usagef("-f - is given twice, but standard input can be read once only")
			}
			stdin = true
		}
		data, err := readFile(name, in)
		if err != nil {
			return nil, err
		}
		label := name
		if name == "-" {
			label = "standard input"
		}
		files = append(files, render.ValuesFile{Name: label, Data: data})
	}
	return files, nil
}

func readFile(name string, in io.Reader) ([]byte, error) {
	if strings.Contains(name, "://") {
		return nil, failure.New(failure.Usage, fmt.Errorf("-f %s: values are read from files only", name),
			"curl -fsSL "+name+" | kubectl summarizer ... -f -")
	}
	source := in
	if name != "-" {
		file, err := os.Open(name)
		if err != nil {
			return nil, fileError(name, err)
		}
		defer file.Close()
		source = file
	}
	data, err := io.ReadAll(io.LimitReader(source, largestFile+1))
	switch {
	case err != nil:
		return nil, fileError(name, err)
	case len(data) > largestFile:
		return nil, failure.Usagef("-f %s: is larger than 5 MiB: this is not a file of values", name)
	case bytes.IndexByte(data, 0) >= 0:
		return nil, failure.Usagef("-f %s: is binary: this is not a file of values", name)
	}
	return data, nil
}

// readOnce returns a reader of files that reads each once: sources are merged more than once,
// and a pipe gives what it has only once.
func readOnce() func(string) ([]byte, error) {
	read := map[string][]byte{}
	return func(name string) ([]byte, error) {
		if data, ok := read[name]; ok {
			return data, nil
		}
		data, err := os.ReadFile(name)
		if err == nil {
			read[name] = data
		}
		return data, err
	}
}

func fileError(name string, err error) error {
	var path *fs.PathError
	if errors.As(err, &path) {
		err = path.Err
	}
	return failure.Usagef("-f %s: %w", name, err)
}
