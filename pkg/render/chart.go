package render

import (
	"bytes"
	"fmt"
	"io/fs"

	"helm.sh/helm/v3/pkg/chart"
	"helm.sh/helm/v3/pkg/chart/loader"
)

// File is one file of a chart, with its slash-separated path from the chart's root.
type File struct {
	Name string
	Data []byte
}

// utf8BOM is what some editors write first; Helm drops it from a chart's files too.
var utf8BOM = []byte{0xEF, 0xBB, 0xBF}

// ChartFiles reads every file below the root of chart, in lexical order.
func ChartFiles(chart fs.FS) ([]File, error) {
	var files []File
	err := fs.WalkDir(chart, ".", func(name string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		data, err := fs.ReadFile(chart, name)
		files = append(files, File{Name: name, Data: bytes.TrimPrefix(data, utf8BOM)})
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("cannot read the chart: %w", err)
	}
	return files, nil
}

// load builds Helm's chart anew for every render, because Helm writes its merged values
// into the chart that it is given.
func load(fsys fs.FS) (*chart.Chart, error) {
	files, err := ChartFiles(fsys)
	if err != nil {
		return nil, err
	}
	buffered := make([]*loader.BufferedFile, len(files))
	for i, f := range files {
		buffered[i] = &loader.BufferedFile{Name: f.Name, Data: f.Data}
	}
	c, err := loader.LoadFiles(buffered)
	if err != nil {
		return nil, fmt.Errorf("the chart cannot be loaded: %w", err)
	}
	return c, nil
}

// DefaultValues returns the values.yaml of chart.
func DefaultValues(chart fs.FS) (map[string]any, error) {
	data, err := fs.ReadFile(chart, "values.yaml")
	if err != nil {
		return nil, fmt.Errorf("cannot read the chart: %w", err)
	}
	values, err := parseYAML(data)
	if err != nil {
		return nil, fmt.Errorf("the chart's values.yaml cannot be read: %w", err)
	}
	return values, nil
}
