package fit_test

import (
	"errors"
	"math"
	"strings"
	"testing"

	"github.com/kubectl-summarizer/kubectl-summarizer/pkg/catalog"
	"github.com/kubectl-summarizer/kubectl-summarizer/pkg/fit"
)

func request(t *testing.T, model, gpu string) fit.Request {
	t.Helper()
	m, err := catalog.FindModel(model)
	if err != nil {
		t.Fatal(err)
	}
	a, err := catalog.FindAccelerator(gpu)
	if err != nil {
		t.Fatal(err)
	}
	return fit.Request{Name: model, Model: m.Architecture, GPU: a}
}

// KV tokens that vLLM logged in public logs, each of another kind: old sampler, new runner, first and repeated start,
// tied embeddings, quantized weights, two GPUs, image encoder, linear attention.
func TestTokensAreThoseOfLogs(t *testing.T) {
	for name, c := range map[string]struct {
		model, gpu string
		change     func(*fit.Request)
		logged     int
	}{
		"Llama 8B, L4, first start":  {"NousResearch/Meta-Llama-3.1-8B", "L4", func(r *fit.Request) { v(r, 30, 0.9); r.GPU.MemoryGiB = 22.04 }, 26112},
		"Llama 8B, L4, second start": {"NousResearch/Meta-Llama-3.1-8B", "L4", func(r *fit.Request) { v(r, 30, 0.9); r.GPU.MemoryGiB, r.WarmCache = 22.04, true }, 32592},
		"tied embeddings, first":     {"Qwen/Qwen3-4B", "L4", func(r *fit.Request) { v(r, 30, 0.9); r.GPU.MemoryGiB = 22.04 }, 73968},
		"14B on an A100":             {"Qwen/Qwen3-14B", "A100", func(r *fit.Request) { v(r, 30, 0.9); r.WarmCache = true }, 45744},
		"0.9 sorted all logits":      {"Qwen/Qwen3-8B", "A100", func(r *fit.Request) { v(r, 9, 0.9); r.MaxModelLen = 40960 }, 136080},
		"eager":                      {"meta-llama/Llama-3.1-8B-Instruct", "A100", func(r *fit.Request) { v(r, 15, 0.9); r.Eager, r.MaxBatchedTokens = true, 8192 }, 157936},
		"AWQ, eight sequences":       {"Qwen/Qwen2.5-7B-Instruct-AWQ", "RTX 3090", func(r *fit.Request) { v(r, 22, 0.9); r.MaxNumSeqs = 8 }, 270144},
		"two L4, image encoder":      {"Qwen/Qwen2.5-VL-7B-Instruct", "L4", func(r *fit.Request) { v(r, 9, 0.9); r.TensorParallel = 2 }, 375968},
		"linear attention":           {"Qwen/Qwen3.5-4B", "L4", func(r *fit.Request) { v(r, 29, 0.92); r.MaxModelLen, r.WarmCache = 32768, true }, 267842},
	} {
		r := request(t, c.model, c.gpu)
		c.change(&r)
		if r.MaxModelLen == 0 {
			r.MaxModelLen = 4096
		}
		result, err := fit.Serving(r)
		if err != nil {
			t.Fatal(err)
		}
		if off := math.Abs(float64(result.KVCacheTokens)/float64(c.logged) - 1); off > 0.03 || !result.Fits {
			t.Errorf("%s: %d tokens, logged %d (%.1f %%), fits %v", name, result.KVCacheTokens, c.logged, 100*off, result.Fits)
		}
		if c.logged < result.Band.LowTokens || c.logged > result.Band.HighTokens {
			t.Errorf("%s: logged %d, the band is %d to %d", name, c.logged, result.Band.LowTokens, result.Band.HighTokens)
		}
	}
}

func v(r *fit.Request, minor int, utilization float64) {
	r.VLLM, r.Utilization = fit.Version{Minor: minor}, utilization
}

// What the newcomer asks: two tenants of Mistral-7B on one L4.
func TestVerdicts(t *testing.T) {
	for name, c := range map[string]struct {
		model, gpu string
		change     func(*fit.Request)
		verdict    fit.Verdict
		says       string
	}{
		"alone":              {"mistralai/Mistral-7B-Instruct-v0.3", "L4", func(r *fit.Request) { r.MaxModelLen = 8192 }, fit.Fits, ""},
		"two tenants":        {"mistralai/Mistral-7B-Instruct-v0.3", "L4", func(r *fit.Request) { r.MaxModelLen, r.Tenants = 8192, 2 }, fit.Not, "an equal part of L4's 22.03 GiB for each of 2 tenants, less 0.3 GiB for CUDA's context, is 10.71 GiB, its weights are 13.51 GiB"},
		"two of 3B":          {"meta-llama/Llama-3.2-3B-Instruct", "L4", func(r *fit.Request) { r.MaxModelLen, r.Tenants, r.WarmCache = 8192, 2, true }, fit.Fits, ""},
		"the whole context":  {"meta-llama/Llama-3.2-3B-Instruct", "L4", func(*fit.Request) {}, fit.Not, "one request of 131072 tokens needs 14.00 GiB of KV cache (112 KiB a token in bfloat16)"},
		"12B":                {"google/gemma-3-12b-it", "L4", func(r *fit.Request) { r.MaxModelLen = 8192 }, fit.Not, "leaves no memory for the KV cache"},
		"bfloat16 on a T4":   {"Qwen/Qwen3-4B", "T4", func(r *fit.Request) { r.MaxModelLen, r.DType = 4096, "bfloat16" }, fit.Not, "use float16"},
		"three of 32 heads":  {"Qwen/Qwen3-8B", "L4", func(r *fit.Request) { r.MaxModelLen, r.TensorParallel = 4096, 3 }, fit.Not, "does not divide the 32 attention heads"},
		"beyond the context": {"Qwen/Qwen3-8B", "H100", func(r *fit.Request) { r.MaxModelLen = 50000 }, fit.Not, "above the context of Qwen/Qwen3-8B, 40960"},
		"two of 4B":          {"Qwen/Qwen3-4B", "L4", func(r *fit.Request) { r.MaxModelLen, r.Tenants = 8192, 2 }, fit.Tight, "the largest context is"},
		"a full GPU":         {"Qwen/Qwen3-4B", "L4", func(r *fit.Request) { r.MaxModelLen, r.Utilization = 8192, 1 }, fit.Tight, "CUDA's context: they take 22.23 GiB together and L4 has 22.03 GiB"},
		"tenants too many":   {"HuggingFaceTB/SmolLM2-135M-Instruct", "L4", func(r *fit.Request) { r.MaxModelLen, r.Tenants, r.KVCacheGiB = 4096, 4, 6 }, fit.Not, "4 tenants take"},
	} {
		r := request(t, c.model, c.gpu)
		c.change(&r)
		result, err := fit.Serving(r)
		if err != nil {
			t.Fatal(err)
		}
		if result.Verdict != c.verdict || result.Fits == (len(result.Reasons) > 0) || !strings.Contains(strings.Join(result.Reasons, "\n"), c.says) {
			t.Errorf("%s: %s, want %s: %q", name, result.Verdict, c.verdict, result.Reasons)
		}
	}
}

// The largest context is the largest: one block more does not fit.
func TestLargestContextIsTheLargest(t *testing.T) {
	for _, model := range []string{"meta-llama/Llama-3.2-3B-Instruct", "google/gemma-3-4b-it", "Qwen/Qwen3.5-4B"} {
		r := request(t, model, "L4")
		r.MaxModelLen = fit.Auto
		auto, err := fit.Serving(r)
		if err != nil {
			t.Fatal(err)
		}
		if auto.HeadroomGiB < 0 || !auto.Fits {
			t.Errorf("%s: %d tokens do not fit: %v", model, auto.MaxModelLen, auto.Reasons)
		}
		if auto.LargestContext == r.Model.Context {
			continue
		}
		r.MaxModelLen = auto.LargestContext + 16
		if more, err := fit.Serving(r); err != nil || more.HeadroomGiB >= 0 {
			t.Errorf("%s: %d tokens fit too (%v)", model, r.MaxModelLen, err)
		}
	}
}

func TestNonsenseIsAnError(t *testing.T) {
	for name, change := range map[string]func(*fit.Request){
		"gpu memory utilization": func(r *fit.Request) { r.Utilization = 1.5 },
		"tensor parallel size":   func(r *fit.Request) { r.TensorParallel = 1 << 20 },
		"max model length":       func(r *fit.Request) { r.MaxModelLen = -5 },
		"tenants":                func(r *fit.Request) { r.Tenants = 49; r.Utilization = 0.02 },
		"GPU memory":             func(r *fit.Request) { r.GPU.MemoryGiB = math.NaN() },
	} {
		r := request(t, "Qwen/Qwen3-4B", "L4")
		change(&r)
		_, err := fit.Serving(r)
		var input *fit.InputError
		if !errors.As(err, &input) || input.Field != name {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// What vLLM may take and is not known here is told apart from nonsense.
func TestUnknownFormats(t *testing.T) {
	for name, change := range map[string]func(*fit.Request){
		"quantization":   func(r *fit.Request) { r.Quantization = "torchao" },
		"KV cache dtype": func(r *fit.Request) { r.KVCacheDType = "turboquant_4bit_nc" },
	} {
		r := request(t, "Qwen/Qwen3-4B", "L4")
		change(&r)
		_, err := fit.Serving(r)
		var format *fit.UnknownFormatError
		if !errors.As(err, &format) || format.Field != name {
			t.Errorf("%s: %v", name, err)
		}
	}
	r := request(t, "Qwen/Qwen3-4B-AWQ", "L4")
	r.MaxModelLen, r.Quantization = 4096, "compressed-tensors"
	if _, err := fit.Serving(r); err != nil {
		t.Errorf("of a model whose files say their size: %v", err)
	}
}

func TestParseVersion(t *testing.T) {
	for text, want := range map[string]string{"0.32.0": "0.32.0", "v0.32.0": "0.32.0", "v0.9": "0.9.0", "v0.32.1-cu129": "0.32.1", "0.10.1.1": "0.10.1", "latest": "", "": ""} {
		version, err := fit.ParseVersion(text)
		if (err == nil) != (want != "") || want != "" && version.String() != want {
			t.Errorf("%q: %v, %v", text, version, err)
		}
	}
}

// Two tenants of Mistral-7B do not fit one L4; what is offered does, and is offered in order of what it costs.
func TestAdvice(t *testing.T) {
	r := request(t, "mistralai/Mistral-7B-Instruct-v0.3", "L4")
	r.MaxModelLen, r.Tenants = 8192, 2
	var flags []string
	for _, change := range fit.Advise(r) {
		flags = append(flags, change.Flags)
		if change.Result.Verdict != fit.Fits {
			t.Errorf("%s does not fit: %v", change.Flags, change.Result.Reasons)
		}
	}
	want := "--quantization fp8 | --sharing none | --model meta-llama/Llama-3.2-3B-Instruct"
	if got := strings.Join(flags, " | "); got != want {
		t.Errorf("offered %s\nwant    %s", got, want)
	}
	r = request(t, "Qwen/Qwen3-14B", "L4")
	r.MaxModelLen = 40960
	flags = nil
	for _, change := range fit.Advise(r) {
		flags = append(flags, change.Flags)
	}
	if got := strings.Join(flags, " | "); !strings.Contains(got, "--gpus 2") && !strings.Contains(got, "--gpus 4") {
		t.Errorf("offered %s", got)
	}
}

// A public benchmark of Mistral-7B on an L4 has 17.9 tokens/s alone; the roofline must be near, and above by no more
// than a fifth.
func TestRoofline(t *testing.T) {
	r := request(t, "mistralai/Mistral-7B-Instruct-v0.3", "L4")
	r.MaxModelLen = 8192
	result, err := fit.Serving(r)
	if err != nil {
		t.Fatal(err)
	}
	speed, ok := fit.Roofline(r, result, fit.Profile{PromptTokens: 128, AnswerTokens: 128}, 0.7)
	if !ok || speed.DecodeTokensPerSecond < 17.9/1.05 || speed.DecodeTokensPerSecond > 17.9*1.2 {
		t.Errorf("%.1f tokens/s, measured 17.9", speed.DecodeTokensPerSecond)
	}
	if speed.BatchTokensPerSecond <= speed.DecodeTokensPerSecond || speed.DollarsPerMillionTokens <= 0 || speed.Batch != 64 {
		t.Errorf("%+v", speed)
	}
	r.GPU.TFLOPS = nil
	if _, ok := fit.Roofline(r, result, fit.Profile{PromptTokens: 1, AnswerTokens: 1}, 0); ok {
		t.Error("a speed without rates")
	}
}
