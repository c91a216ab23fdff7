package chartflags

import (
	"fmt"
	"io"
	"io/fs"
	"maps"
	"math"
	"strings"

	"github.com/kubectl-summarizer/kubectl-summarizer/pkg/catalog"
	"github.com/kubectl-summarizer/kubectl-summarizer/pkg/fit"
	"github.com/kubectl-summarizer/kubectl-summarizer/pkg/render"
)

// otherModel is what follows from another model beyond the id itself.
type otherModel struct {
	// last are the values of the last install without what was said of its model alone.
	last map[string]any
	// follows keeps the revision of one model from being asked of another, and has the size of its weights where the
	// catalog knows it.
	follows []render.Typed
	// id is the model, "" when it is the chart's default; weights are the default's GiB.
	id      string
	weights any
	// before is the last install's model, and kept are its companions that may stay.
	before string
	kept   [][]string
}

// companions are made for one model, and may or may not fit another.
var companions = [][]string{{"adapters"}, {"model", "servedName"}, {"model", "chatTemplate"}, {"engine", "quantization"}}

// otherModel compares the model that is asked for with the last install's, and with the one
// that would be served without --model. Without --revision another model is taken from its
// main branch, unless the chart pins it.
func (f *Flags) otherModel(chart fs.FS, files []render.ValuesFile) (otherModel, error) {
	m := otherModel{last: f.last}
	asked := text(f.given, "model", "id")
	if asked == "" {
		return m, nil
	}
	defaults, err := render.DefaultValues(chart)
	if err != nil {
		return m, err
	}
	given, err := render.MergeFiles(files)
	if err != nil {
		return m, Explain(err)
	}
	pinned := text(defaults, "model", "id")
	last := or(text(f.last, "model", "id"), pinned)
	changes := f.last != nil && asked != last
	if changes {
		m.last, m.before = without(f.last, "model", "revision", "weightsGiB"), last
		for _, path := range companions {
			if at(f.given, path...) == nil && at(f.last, path...) != nil {
				m.kept = append(m.kept, path)
			}
		}
	}
	if !changes && !f.changed("model") {
		return m, nil
	}
	revision := text(defaults, "model", "revision")
	if asked != pinned {
		m.id, m.weights, revision = asked, at(defaults, "model", "weightsGiB"), ""
	}
	if known, err := catalog.FindModel(m.id); m.id != "" && err == nil && at(given, "model", "weightsGiB") == nil && at(m.last, "model", "weightsGiB") == nil {
		m.follows = append(m.follows, render.Typed{Flag: "--model", Path: []string{"model", "weightsGiB"}, Value: math.Ceil(10*fit.CheckpointGiB(known.Architecture)) / 10, Default: true})
	}
	// Whose revision it would be: the model's that the files name, else the last install's.
	whose := or(text(given, "model", "id"), last)
	if at(given, "model", "revision") == nil && at(m.last, "model", "revision") == nil {
		whose = pinned
	}
	if asked != whose && !f.changed("revision") {
		m.follows = append(m.follows, render.Typed{Flag: "--model", Path: []string{"model", "revision"}, Value: revision, Default: true})
	}
	return m, nil
}

// note reminds of the size, from which memory, disk and time follow, and of what was meant
// for the model before.
func (m otherModel) note(values map[string]any, w io.Writer) {
	if m.id != "" && at(values, "model", "weightsGiB") == nil {
		fmt.Fprintf(w, "note: memory, disk and time are those of a model of %v GiB; say how large %s is: --set model.weightsGiB=N\n", m.weights, m.id)
	}
	var kept []string
	for _, path := range m.kept {
		if !empty(at(values, path...)) {
			kept = append(kept, strings.Join(path, "."))
		}
	}
	if len(kept) > 0 {
		fmt.Fprintf(w, "warning: still as the last install set it for %s: %s; set it anew, or start from the chart's defaults: --reset-values\n", m.before, strings.Join(kept, ", "))
	}
}

// without returns values without some keys of one map in them; values stay as they are.
func without(values map[string]any, name string, keys ...string) map[string]any {
	inner, ok := values[name].(map[string]any)
	if !ok {
		return values
	}
	inner = maps.Clone(inner)
	for _, key := range keys {
		delete(inner, key)
	}
	values = maps.Clone(values)
	values[name] = inner
	return values
}

func empty(value any) bool {
	list, isList := value.([]any)
	return value == nil || value == "" || isList && len(list) == 0
}

func at(values map[string]any, path ...string) any {
	var found any = values
	for _, key := range path {
		m, ok := found.(map[string]any)
		if !ok {
			return nil
		}
		found = m[key]
	}
	return found
}

func text(values map[string]any, path ...string) string {
	s, _ := at(values, path...).(string)
	return s
}

func or(first, second string) string {
	if first != "" {
		return first
	}
	return second
}
