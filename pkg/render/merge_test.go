package render_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	helmvalues "helm.sh/helm/v3/pkg/cli/values"

	"github.com/kubectl-summarizer/kubectl-summarizer/pkg/render"
)

// Whoever uses both programs must get the same values from the same flags.
func TestMergesAsHelmDoes(t *testing.T) {
	dir := t.TempDir()
	write := func(name, text string) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	one := write("one.yaml", "a: 1\nmap: {x: 1, y: [1, 2]}\nempty:\n")
	two := write("two.yaml", "map: {y: [3], z: null}\nb: 1.50\nbig: 10000000\n")
	nothing := write("nothing.yaml", "# only a comment\n")
	text := write("text.txt", "line one\nline two\n")
	for name, o := range map[string]helmvalues.Options{
		"nothing":        {},
		"files":          {ValueFiles: []string{one, two, nothing}},
		"set over files": {ValueFiles: []string{one}, Values: []string{"a=2,map.x=3", "list={p,q}", "n=null", `dotted\.key=1`}},
		"strings":        {StringValues: []string{"a=007", "b=true"}},
		"json":           {JSONValues: []string{`a={"b":1}`, `c=[1,{"d":null}]`}},
		"file":           {FileValues: []string{"t=" + text}},
		"order": {
			JSONValues: []string{`a="json"`, `b="json"`, `c="json"`, `d="json"`}, Values: []string{"b=set,c=set,d=set"},
			StringValues: []string{"c=string,d=string"}, FileValues: []string{"d=" + text},
		},
		"list items": {Values: []string{"l[0].a=1", "l[1].a=2", "l[0].b=3"}},
	} {
		want, err := o.MergeValues(nil)
		if err != nil {
			t.Fatalf("%s: helm: %v", name, err)
		}
		var files []render.ValuesFile
		for _, path := range o.ValueFiles {
			data, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			files = append(files, render.ValuesFile{Name: path, Data: data})
		}
		got, err := render.MergeValues(render.Sources{
			Files: files, JSON: o.JSONValues, Set: o.Values, String: o.StringValues, File: o.FileValues, ReadFile: os.ReadFile,
		})
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s: helm -, ours +\n%s", name, diff)
		}
	}
}

func gpus(n int64) render.Typed {
	return render.Typed{Flag: "--gpus", Path: []string{"gpu", "count"}, Value: n}
}

func TestTypedFlagsComeBetweenFilesAndSet(t *testing.T) {
	file := render.ValuesFile{Name: "f", Data: []byte("gpu: {count: 8, accelerator: a}")}
	values, err := render.MergeValues(render.Sources{Files: []render.ValuesFile{file}, Typed: []render.Typed{gpus(2)}, Set: []string{"gpu.accelerator=b"}})
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]any{"gpu": map[string]any{"count": int64(2), "accelerator": "b"}}
	if diff := cmp.Diff(want, values); diff != "" {
		t.Error(diff)
	}
}

func TestFlagAgainstSet(t *testing.T) {
	adapters := render.Typed{Flag: "--adapter", Path: []string{"adapters"}, Value: []any{map[string]any{"name": "a", "repo": "o/r"}}}
	for _, test := range []struct {
		name     string
		sources  render.Sources
		conflict string
	}{
		{"another value", render.Sources{Typed: []render.Typed{gpus(2)}, Set: []string{"gpu.count=4"}}, "gpu.count"},
		{"the same value", render.Sources{Typed: []render.Typed{gpus(2)}, Set: []string{"gpu.count=2"}}, ""},
		{"beside it", render.Sources{Typed: []render.Typed{gpus(2)}, Set: []string{"gpu.accelerator=x"}}, ""},
		{"the map above it", render.Sources{Typed: []render.Typed{gpus(2)}, Set: []string{"gpu=null"}}, "gpu.count"},
		{"json", render.Sources{Typed: []render.Typed{gpus(2)}, JSON: []string{`gpu={"count":3}`}}, "gpu.count"},
		{"part of a list", render.Sources{Typed: []render.Typed{adapters}, Set: []string{"adapters[0].revision=x"}}, "adapters"},
		{"a default", render.Sources{Typed: []render.Typed{{Flag: "--model", Path: []string{"model", "revision"}, Value: "", Default: true}}, Set: []string{"model.revision=abc"}}, ""},
	} {
		_, err := render.MergeValues(test.sources)
		var conflict *render.ConflictError
		switch {
		case test.conflict == "" && err != nil:
			t.Errorf("%s: %v", test.name, err)
		case test.conflict != "" && (!errors.As(err, &conflict) || conflict.Path != test.conflict):
			t.Errorf("%s: got %v, want a conflict about %s", test.name, err, test.conflict)
		}
	}
}

func TestWhatCannotBeParsed(t *testing.T) {
	for name, test := range map[string]struct {
		sources render.Sources
		want    string
	}{
		"a list":         {render.Sources{Files: []render.ValuesFile{{Name: "v.yaml", Data: []byte("[1]")}}}, "v.yaml: holds a YAML array, not a map of values"},
		"a text":         {render.Sources{Files: []render.ValuesFile{{Name: "v.yaml", Data: []byte("hello")}}}, "v.yaml: holds a YAML string, not a map of values"},
		"broken":         {render.Sources{Files: []render.ValuesFile{{Name: "v.yaml", Data: []byte("a: [")}}}, "v.yaml: is not valid YAML: yaml: line 1"},
		"a key twice":    {render.Sources{Files: []render.ValuesFile{{Name: "v.yaml", Data: []byte("a: 1\na: 2\n")}}}, `key "a" already set`},
		"no equals sign": {render.Sources{Set: []string{"replicas"}}, "--set replicas: has no '='"},
		"bad JSON":       {render.Sources{JSON: []string{"a={"}}, "--set-json a:"},
		"no map on path": {render.Sources{Set: []string{"a=1", "a.b=2"}}, "--set a.b: "},
		"no such file":   {render.Sources{File: []string{"a=/does/not/exist"}, ReadFile: os.ReadFile}, "no such file"},
		"files refused":  {render.Sources{File: []string{"a=x"}}, "--set-file a:"},
	} {
		_, err := render.MergeValues(test.sources)
		var option *render.OptionError
		if !errors.As(err, &option) || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s:\n got %v\nwant %s", name, err, test.want)
		}
	}
}
