package catalog

import (
	_ "embed"
	"encoding/json"
	"fmt"
	"path"
	"slices"
	"strings"
	"sync"

	"github.com/kubectl-summarizer/kubectl-summarizer/pkg/nearest"
)

// Model is a model of the catalog.
type Model struct {
	// ID on the Hugging Face Hub, as ORG/NAME.
	ID string
	// Published is the number of parameters that its makers or the Hub state, 0 when none was found.
	Published int64
	// Gated says that the Hub gives it only to accounts that accepted its licence.
	Gated bool
	Architecture
}

//go:embed data/models.json
var modelsJSON []byte

type modelEntry struct {
	Params int64           `json:"params"`
	Gated  bool            `json:"gated"`
	Config json.RawMessage `json:"config"`
}

var models = sync.OnceValue(func() map[string]modelEntry {
	entries := map[string]modelEntry{}
	if err := json.Unmarshal(modelsJSON, &entries); err != nil {
		panic("data/models.json: " + err.Error()) // it is embedded, and read by every test
	}
	return entries
})

// Models returns the ids of the catalog, sorted.
func Models() []string {
	var ids []string
	for id := range models() {
		ids = append(ids, id)
	}
	slices.Sort(ids)
	return ids
}

// UnknownModelError is returned for a model that the catalog does not have.
type UnknownModelError struct {
	ID string
	// Near is the nearest id that the catalog has, "" when none is near.
	Near string
}

// Error says which model is not known, and offers the nearest.
func (e *UnknownModelError) Error() string {
	if e.Near != "" {
		return fmt.Sprintf("the model %q is not in the catalog; did you mean %s?", e.ID, e.Near)
	}
	return fmt.Sprintf("the model %q is not in the catalog", e.ID)
}

// FindModel returns a model by its id on the Hub, by its name alone, or by that of a copy: other organizations, and
// endings that change no shape (such as -Instruct, -AWQ or -FP8, whose quantization it then has). Its error is an
// *UnknownModelError.
func FindModel(id string) (Model, error) {
	if found, ok := exact(id); ok {
		return model(found)
	}
	base, quantization := withoutQuantization(path.Base(id))
	for _, name := range []string{path.Base(id), base} {
		for _, candidate := range candidates(name) {
			m, err := model(candidate)
			if err != nil {
				return Model{}, err
			}
			m.ID = id
			if name == base && quantization.Method != "" {
				m.Quantization = quantization
			}
			return m, nil
		}
	}
	near, _ := nearest.Name(id, Models())
	return Model{}, &UnknownModelError{ID: id, Near: near}
}

func exact(id string) (string, bool) {
	if _, ok := models()[id]; ok {
		return id, true
	}
	for known := range models() {
		if strings.EqualFold(known, id) {
			return known, true
		}
	}
	return "", false
}

// candidates are the catalog's models of this name, whatever their organization and tuning.
func candidates(name string) []string {
	var found []string
	for _, id := range Models() {
		if plain(path.Base(id)) == plain(name) {
			found = append(found, id)
		}
	}
	return found
}

// plain is a model's name without what does not change its shape.
func plain(name string) string {
	name = strings.ToLower(name)
	name = strings.TrimPrefix(name, "meta-")
	for _, ending := range []string{"-instruct", "-it", "-chat-hf", "-hf", "-chat", "-base", "-pt"} {
		name = strings.TrimSuffix(name, ending)
	}
	return strings.ReplaceAll(name, "_", "-")
}

// endings of quantized copies on the Hub.
var endings = []struct{ text, method string }{
	{"-fp8-dynamic", "fp8"}, {"-fp8", "fp8"}, {"-nvfp4", "nvfp4"}, {"-awq-int4", "awq"}, {"-awq", "awq"},
	{"-gptq-int4", "gptq"}, {"-gptq", "gptq"}, {"-bnb-4bit", "bitsandbytes"}, {"-quantized.w4a16", "gptq"}, {"-quantized.w8a8", "int8"}, {"-int4", "gptq"}, {"-int8", "int8"},
}

func withoutQuantization(name string) (string, Quantization) {
	lower := strings.ToLower(name)
	for _, ending := range endings {
		if base, ok := strings.CutSuffix(lower, ending.text); ok {
			q, _ := QuantizationOf(ending.method)
			return base, q
		}
	}
	return name, Quantization{}
}

func model(id string) (Model, error) {
	entry := models()[id]
	architecture, err := ParseConfig(entry.Config)
	if err != nil {
		return Model{}, fmt.Errorf("%s: %w", id, err)
	}
	return Model{ID: id, Published: entry.Params, Gated: entry.Gated, Architecture: architecture}, nil
}
