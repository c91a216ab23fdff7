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
	// Like is the model of the catalog whose shape is taken for this one, "" for one that the catalog has itself.
	Like string
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

// FindModel returns a model by its id on the Hub, by its name alone, or by that of a copy or a fine-tune whose name
// holds the name of a model that is known (team/Hermes-3-Llama-3.1-8B-AWQ has the shape of Llama-3.1-8B, and is
// quantized): Like then says which. Its error is an *UnknownModelError.
func FindModel(id string) (Model, error) {
	if found, ok := exact(id); ok {
		return model(found)
	}
	words := wordsOf(path.Base(id))
	best, length := "", 0
	for _, known := range Models() {
		if name := wordsOf(path.Base(known)); len(name) > length && contains(words, name) {
			best, length = known, len(name)
		}
	}
	if best == "" {
		unknown := &UnknownModelError{ID: id}
		if near, ok := nearest.Name(id, Models()); ok {
			unknown.Near = near
		}
		return Model{}, unknown
	}
	m, err := model(best)
	m.ID, m.Like = id, best
	if q := quantizationIn(words); q.Method != "" {
		m.Quantization = q
	}
	return m, err
}

func exact(id string) (string, bool) {
	if _, ok := models()[id]; ok {
		return id, true
	}
	for known := range models() {
		if strings.EqualFold(known, id) || strings.EqualFold(path.Base(known), id) {
			return known, true
		}
	}
	return "", false
}

// sameShape are words of a name that change nothing of a model's shape.
var sameShape = []string{"instruct", "it", "chat", "hf", "base", "pt", "meta"}

// wordsOf are the words of a model's name without those.
func wordsOf(name string) []string {
	words := strings.FieldsFunc(strings.ToLower(name), func(r rune) bool { return r == '-' || r == '_' || r == ' ' })
	return slices.DeleteFunc(words, func(word string) bool { return slices.Contains(sameShape, word) })
}

// contains says whether the words of name follow one another in words.
func contains(words, name []string) bool {
	for i := range words {
		if i+len(name) <= len(words) && slices.Equal(words[i:i+len(name)], name) {
			return true
		}
	}
	return false
}

// methods of quantization by the words for them in the names of copies on the Hub.
var methods = map[string]string{
	"fp8": "fp8", "nvfp4": "nvfp4", "fp4": "nvfp4", "mxfp4": "mxfp4", "awq": "awq", "gptq": "gptq", "bnb": "bitsandbytes", "4bit": "bitsandbytes",
	"int4": "gptq", "int8": "int8", "quantized.w4a16": "gptq", "w4a16": "gptq", "quantized.w8a8": "int8", "w8a8": "int8", "gptqmodel": "gptq",
}

func quantizationIn(words []string) Quantization {
	for _, word := range words {
		if method, known := methods[word]; known {
			q, _ := QuantizationOf(method)
			return q
		}
	}
	return Quantization{}
}

func model(id string) (Model, error) {
	entry := models()[id]
	architecture, err := ParseConfig(entry.Config)
	if err != nil {
		return Model{}, fmt.Errorf("%s: %w", id, err)
	}
	return Model{ID: id, Published: entry.Params, Gated: entry.Gated, Architecture: architecture}, nil
}
