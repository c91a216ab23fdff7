package main

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"

	"github.com/kubectl-summarizer/kubectl-summarizer/pkg/catalog"
	"github.com/kubectl-summarizer/kubectl-summarizer/pkg/fit"
)

// record is one row, by column. What vLLM printed (loads, cache, tokens) is what is predicted: it is never read for the
// prediction.
type record map[string]string

func (r record) number(column string) float64 {
	n, err := strconv.ParseFloat(strings.TrimSpace(r[column]), 64)
	if err != nil {
		return 0 // not printed
	}
	return n
}

// request turns a row into what the formulas ask for; the error says why it cannot be judged.
func (r record) request() (fit.Request, error) {
	model, err := catalog.FindModel(modelID(r["model"]))
	if err != nil {
		return fit.Request{}, err
	}
	gpu, err := accelerator(r)
	if err != nil {
		return fit.Request{}, err
	}
	req := fit.Request{
		Name: r["model"], Model: model.Architecture, GPU: gpu, VLLM: version(r),
		Utilization: r.number("gpu_memory_utilization"), TensorParallel: int(r.number("tp")), MaxModelLen: int(r.number("max_model_len")),
		MaxNumSeqs: int(r.number("max_num_seqs")), MaxBatchedTokens: int(r.number("max_num_batched_tokens")), KVCacheDType: r["kv_cache_dtype"],
		Eager: r["enforce_eager"] == "yes", WarmCache: warm(r),
	}
	if req.MaxModelLen == 0 {
		req.MaxModelLen = fit.Auto // not printed: whatever it was, it started or not for another reason
	}
	if said := regexp.MustCompile(`(\d\d)\s?% utilization`).FindStringSubmatch(r["notes"]); said != nil && req.Utilization == 0 {
		percent, _ := strconv.Atoi(said[1])
		req.Utilization = float64(percent) / 100
	}
	if q := r["quantization"]; q != "" && q != "none" && req.Model.Quantization.Method == "" {
		req.Quantization = q
	}
	if dtype := map[string]string{"bf16": "bfloat16", "fp16": "float16", "fp32": "float32"}[r["weight_dtype"]]; dtype != "" {
		req.Model.DType = dtype
	}
	if lora := r["lora"]; lora != "" && lora != "no" {
		req.LoRASlots, req.LoRARank = 1, 16
		if rank := regexp.MustCompile(`r(?:ank)?[ =]?(\d+)`).FindStringSubmatch(lora); rank != nil {
			req.LoRARank, _ = strconv.Atoi(rank[1])
		}
		if slots := regexp.MustCompile(`(?:max[-_]loras?|slots)[ =]*(\d+)|(\d+) (?:LoRA )?slots`).FindStringSubmatch(lora + " " + r["notes"]); slots != nil {
			req.LoRASlots, _ = strconv.Atoi(slots[1] + slots[2])
		}
	}
	// A context above the model's was allowed by hand: it costs what it costs.
	req.Model.Context = max(req.Model.Context, req.MaxModelLen)
	return req, nil
}

// modelID is a row's model without what its author noted beside it.
func modelID(text string) string {
	text = regexp.MustCompile(`\s*\(.*\)$`).ReplaceAllString(text, "")
	return strings.ReplaceAll(strings.TrimSpace(text), " ", "-")
}

func accelerator(r record) (catalog.Accelerator, error) {
	name := regexp.MustCompile(`\s*(\(.*\)|x\d+)$`).ReplaceAllString(r["gpu"], "")
	gpu, err := catalog.FindAccelerator(name)
	for _, word := range strings.FieldsFunc(r["gpu"], func(c rune) bool { return strings.ContainsRune("()/ ", c) }) {
		if err == nil {
			break
		}
		gpu, err = catalog.FindAccelerator(word)
	}
	total := r.number("gpu_total_gib")
	switch {
	case err == nil && total > 0:
		gpu.MemoryGiB = total
	case err == nil:
	case total > 0:
		// No name that is known: nothing but its memory counts, and that it is of the usual kind.
		gpu = catalog.Accelerator{Name: "GPU", MemoryGiB: total, ComputeCapability: 8.6}
	case strings.TrimSpace(r["gpu"]) == "":
		return gpu, fmt.Errorf("neither GPU nor its memory is named")
	default:
		return gpu, err
	}
	return gpu, nil
}

// version of the row; one that is not printed is taken for the last before CUDA graphs were counted, which most such
// logs are.
func version(r record) fit.Version {
	if v, err := fit.ParseVersion(strings.TrimSuffix(r["vllm_version"], ".1.1")); err == nil {
		return v
	}
	if v, err := fit.ParseVersion(regexp.MustCompile(`^\d+\.\d+\.\d+`).FindString(r["vllm_version"])); err == nil {
		return v
	}
	return fit.Version{Minor: 11}
}

// warm says whether compiled kernels were there: what the notes say; a row that says nothing is taken for a repeated
// start.
func warm(r record) bool {
	return !strings.Contains(strings.ToLower(r["notes"]), "cold")
}
