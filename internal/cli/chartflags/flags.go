// Package chartflags are the flags that set chart values, shared by every verb that
// renders the chart.
package chartflags

import (
	"io"
	"io/fs"
	"slices"

	"github.com/spf13/pflag"

	"github.com/kubectl-summarizer/kubectl-summarizer/internal/failure"
	"github.com/kubectl-summarizer/kubectl-summarizer/pkg/catalog"
	"github.com/kubectl-summarizer/kubectl-summarizer/pkg/render"
)

// Flags are the flags and what was given with them.
type Flags struct {
	files      []string
	set        []string
	setString  []string
	setFile    []string
	setJSON    []string
	model      string
	revision   string
	servedName string
	accel      string
	gpus       int64
	maxLen     string
	replicas   int64
	image      string
	hfSecret   string
	adapters   []string
	platform   string
	engine     engineFlags
	sharing    sharingFlags

	flags *pflag.FlagSet
	// last are the values of the last install, given those of this command.
	last, given map[string]any
}

// Over lays what is given over the values of the last install: they are the weakest source.
func (f *Flags) Over(last map[string]any) { f.last = last }

// AddTo registers the flags; Values then reads what was given.
func (f *Flags) AddTo(flags *pflag.FlagSet) {
	f.flags = flags
	flags.StringArrayVarP(&f.files, "values", "f", nil, "file of chart values, or - for standard input; repeat to add more, the last wins")
	flags.StringArrayVar(&f.set, "set", nil, "one chart value, as NAME=VALUE; stronger than -f")
	flags.StringArrayVar(&f.setString, "set-string", nil, "one chart value that stays a text, as NAME=TEXT")
	flags.StringArrayVar(&f.setFile, "set-file", nil, "one chart value from a file, as NAME=FILE")
	flags.StringArrayVar(&f.setJSON, "set-json", nil, "one chart value as JSON, as NAME=JSON")

	flags.StringVar(&f.model, "model", "", "model on the Hugging Face Hub, as ORG/NAME, or a path or gs://, s3:// or az:// URL")
	flags.StringVar(&f.revision, "revision", "", "commit, tag or branch of the model")
	flags.StringVar(&f.servedName, "served-name", "", "name that clients ask for; the model's id when not given")
	flags.StringArrayVar(&f.adapters, "adapter", nil, "LoRA adapter to serve, as NAME=ORG/REPO[@REVISION]; repeat for more")
	flags.StringVar(&f.hfSecret, "hf-secret", "", "Secret with the Hugging Face token, as NAME or NAME:KEY")
	flags.StringVar(&f.accel, "accelerator", "", "GPU to run on, as the cluster labels it, such as nvidia-l4")
	flags.Int64Var(&f.gpus, "gpus", 0, "GPUs for each replica")
	flags.StringVar(&f.maxLen, "max-model-len", "", "longest prompt plus answer, in tokens, such as 8192 or 32k, or auto")
	flags.Int64Var(&f.replicas, "replicas", 0, "number of model servers")
	flags.StringVar(&f.image, "image", "", "image of the model server, as REPOSITORY:TAG or REPOSITORY@sha256:DIGEST")
	flags.StringVar(&f.platform, "platform", "", "what places the pods: gke-autopilot, gke-standard, nvidia (GPU operator), eks or custom")
	f.sharing.addTo(flags)
	f.engine.addTo(flags)
}

// Values merges files, flags and --set into chart values and checks what can be checked
// without the chart's schema. All its errors are usage errors. Hints about what the user
// may have missed go to errOut.
func (f *Flags) Values(chart fs.FS, in io.Reader, errOut io.Writer) (map[string]any, error) {
	files, err := readFiles(f.files, in)
	if err != nil {
		return nil, err
	}
	typed, err := f.typed()
	if err != nil {
		return nil, err
	}
	sources := render.Sources{
		Files: files, Typed: typed,
		JSON: f.setJSON, Set: f.set, String: f.setString, File: f.setFile, ReadFile: readOnce(),
	}
	if f.given, err = render.MergeValues(sources); err != nil {
		return nil, Explain(err)
	}
	model, err := f.otherModel(chart, files)
	if err != nil {
		return nil, err
	}
	sources.Base, sources.Typed = model.last, append(typed, model.follows...)
	values, err := render.MergeValues(sources)
	if err != nil {
		return nil, Explain(err)
	}
	model.note(values, errOut)
	return f.tenantCache(chart, values, errOut)
}

// SecretGiven says whether the user named the Secret with the token, so that its absence
// is an error even where the chart would do without.
func (f *Flags) SecretGiven() bool { return f.changed("hf-secret") }

func (f *Flags) changed(name string) bool { return f.flags != nil && f.flags.Changed(name) }

// typed returns the values of the typed flags that were given.
func (f *Flags) typed() ([]render.Typed, error) {
	var all []render.Typed
	for _, flag := range slices.Concat([]typedFlag{
		{"model", func() ([]render.Typed, error) { return one(f.model, checkModel, "model", "id") }},
		{"revision", func() ([]render.Typed, error) { return one(f.revision, CheckRevision, "model", "revision") }},
		{"served-name", func() ([]render.Typed, error) { return one(f.servedName, checkNotEmpty, "model", "servedName") }},
		{"accelerator", func() ([]render.Typed, error) { return one(canonical(f.accel), checkNotEmpty, "gpu", "accelerator") }},
		{"gpus", func() ([]render.Typed, error) { return one(f.gpus, atLeast(1), "gpu", "count") }},
		{"max-model-len", func() ([]render.Typed, error) { return parseMaxLen(f.maxLen) }},
		{"replicas", func() ([]render.Typed, error) { return one(f.replicas, atLeast(0), "replicas") }},
		{"image", func() ([]render.Typed, error) { return parseImage(f.image) }},
		{"hf-secret", func() ([]render.Typed, error) { return parseSecret(f.hfSecret) }},
		{"adapter", func() ([]render.Typed, error) { return parseAdapters(f.adapters) }},
		{"platform", func() ([]render.Typed, error) { return one(f.platform, checkNotEmpty, "platform") }},
	}, f.sharing.typed(), f.engine.typed()) {
		if !f.changed(flag.name) {
			continue
		}
		values, err := flag.parse()
		if err != nil {
			return nil, failure.Usagef("--%s: %w", flag.name, err)
		}
		for _, v := range values {
			v.Flag = "--" + flag.name
			all = append(all, v)
		}
	}
	return all, nil
}

// typedFlag is a flag that sets values of its own.
type typedFlag struct {
	name  string
	parse func() ([]render.Typed, error)
}

// canonical is GKE's name of an accelerator that is known by another one: an instance type, NVIDIA's label, L4.
func canonical(name string) string {
	if known, err := catalog.FindAccelerator(name); err == nil {
		return known.ID
	}
	return name
}

// one is the commonest flag: one value at one path, checked.
func one[T any](value T, check func(T) error, path ...string) ([]render.Typed, error) {
	if err := check(value); err != nil {
		return nil, err
	}
	return []render.Typed{{Path: path, Value: value}}, nil
}
