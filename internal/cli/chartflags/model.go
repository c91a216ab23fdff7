package chartflags

import (
	"fmt"
	"io"
	"io/fs"

	"github.com/kubectl-summarizer/kubectl-summarizer/pkg/render"
)

// otherModel is what follows from --model beyond the id itself.
type otherModel struct {
	// revision keeps the revision of one model from being asked of another.
	revision []render.Typed
	// id is the model, "" when it is the chart's default; weights are the default's GiB.
	id      string
	weights any
}

// otherModel compares --model with the model that would be served without it. Without
// --revision another model is taken from its main branch, unless the chart pins it.
func (f *Flags) otherModel(chart fs.FS, files []render.ValuesFile) (otherModel, error) {
	if !f.changed("model") {
		return otherModel{}, nil
	}
	defaults, err := render.DefaultValues(chart)
	if err != nil {
		return otherModel{}, err
	}
	given, err := render.MergeFiles(files)
	if err != nil {
		return otherModel{}, Explain(err)
	}
	var m otherModel
	revision := text(defaults, "model", "revision")
	if f.model != text(defaults, "model", "id") {
		m.id, m.weights, revision = f.model, at(defaults, "model", "weightsGiB"), ""
	}
	before := text(given, "model", "id")
	for _, below := range []map[string]any{f.Base, defaults} {
		if before == "" {
			before = text(below, "model", "id")
		}
	}
	if f.model != before && !f.changed("revision") {
		m.revision = []render.Typed{{Flag: "--model", Path: []string{"model", "revision"}, Value: revision, Default: true}}
	}
	return m, nil
}

// note reminds of the size, from which memory, disk and time follow.
func (m otherModel) note(values map[string]any, w io.Writer) {
	if m.id != "" && at(values, "model", "weightsGiB") == nil {
		fmt.Fprintf(w, "note: memory, disk and time are those of a model of %v GiB; say how large %s is: --set model.weightsGiB=N\n", m.weights, m.id)
	}
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
