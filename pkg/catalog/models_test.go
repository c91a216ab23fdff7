package catalog_test

import (
	"errors"
	"math"
	"testing"

	"github.com/kubectl-summarizer/kubectl-summarizer/pkg/catalog"
)

// Counted from the configuration, a model has the parameters that are published: to the digit for text models, within
// 2 % where an encoder of images is counted from its outline.
func TestCountsArePublished(t *testing.T) {
	for _, id := range catalog.Models() {
		m, err := catalog.FindModel(id)
		if err != nil {
			t.Fatal(err)
		}
		if m.Published == 0 {
			continue
		}
		off := math.Abs(float64(m.Params()-m.Published)) / float64(m.Published)
		if m.Params() != m.Published && (m.VisionParams == 0 || off > 0.02) {
			t.Errorf("%s: counted %d, published %d (%.3f %%)", id, m.Params(), m.Published, 100*off)
		}
	}
}

func TestFindModel(t *testing.T) {
	for typed, want := range map[string]struct {
		params int64
		method string
	}{
		"mistralai/Mistral-7B-Instruct-v0.3":     {7_248_023_552, ""},
		"MISTRALAI/mistral-7b-instruct-v0.3":     {7_248_023_552, ""},
		"NousResearch/Meta-Llama-3.1-8B":         {8_030_261_248, ""},
		"Qwen/Qwen2.5-7B-Instruct-AWQ":           {7_615_616_512, "awq"},
		"RedHatAI/Qwen3-8B-FP8-dynamic":          {8_190_735_360, "fp8"},
		"NousResearch/Hermes-3-Llama-3.1-8B-AWQ": {8_030_261_248, "awq"},
		"Qwen3-8B":                               {8_190_735_360, ""},
		"google/gemma-3-1b-pt":                   {999_885_952, ""},
		"nvidia/Llama-3.1-8B-Instruct-NVFP4":     {8_030_261_248, "nvfp4"},
		"unsloth/Llama-3.2-3B-Instruct-bnb-4bit": {3_212_749_824, "bitsandbytes"},
	} {
		m, err := catalog.FindModel(typed)
		if err != nil || m.Params() != want.params || m.Quantization.Method != want.method {
			t.Errorf("%s: %v, %d parameters, %q", typed, err, m.Params(), m.Quantization.Method)
		}
	}
	_, err := catalog.FindModel("mistralai/Mistral-7B-Instruct-v0.33")
	var unknown *catalog.UnknownModelError
	if !errors.As(err, &unknown) || unknown.Near != "mistralai/Mistral-7B-Instruct-v0.3" {
		t.Errorf("%v", err)
	}
}
