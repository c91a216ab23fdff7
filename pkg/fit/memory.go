package fit

import (
	"fmt"

	"github.com/kubectl-summarizer/kubectl-summarizer/pkg/catalog"
)

// Part is one part of a GPU's memory.
type Part struct {
	Name string  `json:"name"`
	GiB  float64 `json:"gib"`
	// How it was worked out.
	How string `json:"how"`
}

// parts are a server's on each GPU, without the KV cache.
type parts struct {
	weights, lora, cuda, activation, graphs Part
	// outside of the budget: CUDA graphs and the sampler's warm-up of older releases.
	outsideGiB float64
}

func (p parts) overheadGiB() float64 {
	return p.lora.GiB + p.cuda.GiB + p.activation.GiB + p.graphs.GiB
}

func (r Request) parts() parts {
	var p parts
	p.weights = r.weights()
	p.lora = r.lora()
	p.cuda = r.cuda()
	p.activation = r.activation()
	p.graphs, p.outsideGiB = r.graphs()
	return p
}

// weights of one GPU: what tensor parallelism splits, and what every GPU holds whole.
func (r Request) weights() Part {
	a, tp := r.Model, float64(r.TensorParallel)
	bytes := catalog.DTypeBytes(r.dtype())
	linearBytes, how := bytes, r.dtype()
	if q := r.quantization(); q.Method != "" {
		linearBytes, how = q.Bits/8, fmt.Sprintf("%s (%.3g bits), the rest in %s", q.Method, q.Bits, r.dtype())
	}
	stages := float64(r.PipelineParallel)
	linear := float64(a.LinearParams) * linearBytes / tp / stages
	embeddings := float64(a.EmbeddingParams) * bytes / tp
	if r.PipelineParallel > 1 && !a.Tied {
		embeddings /= 2 // the first stage has the input's, the last one the output's
	}
	other := float64(a.OtherParams)*bytes/stages + float64(a.VisionParams)*bytes/tp
	// The table of rotary positions, which vLLM counts as weights: Llama's 131072 positions are the 0.03 GiB by which
	// its logs are above the parameters.
	rotary := float64(a.Context) * float64(a.HeadDim) * bytes
	text := fmt.Sprintf("%.2fB parameters in %s", float64(a.Params())/1e9, how)
	if n := r.TensorParallel * r.PipelineParallel; n > 1 {
		text += fmt.Sprintf(", over %d GPUs", n)
	}
	return Part{"weights", (linear + embeddings + other + rotary) / gib, text}
}

func (r Request) dtype() string {
	switch r.DType {
	case "", "auto":
		// vLLM takes 16 bits for weights of 32, and float16 where the GPU has no bfloat16.
		if r.Model.DType == "float16" || !r.GPU.BF16() {
			return "float16"
		}
		return "bfloat16"
	}
	return r.DType
}

// quantization of the checkpoint, or the one that vLLM makes at start.
func (r Request) quantization() catalog.Quantization {
	if r.Model.Quantization.Method != "" || r.Quantization == "" {
		return r.Model.Quantization
	}
	q, _ := catalog.QuantizationOf(r.Quantization)
	return q
}

// loraShare is what vLLM's buffers are above the adapter's own matrices: 0.077 GiB a slot were measured for Qwen3-4B
// at rank 16 (7.63 to 12.49 GiB from 1 to 64 slots), whose matrices are 0.0615.
const loraShare = 1.25

func (r Request) lora() Part {
	if r.LoRASlots == 0 {
		return Part{"LoRA slots", 0, "no adapters"}
	}
	a := r.Model
	qWidth, kvWidth := a.Heads*a.HeadDim, a.KVHeads*a.HeadDim
	widths := (a.Hidden + qWidth) + 2*(a.Hidden+kvWidth) + (qWidth + a.Hidden) + 3*(a.Hidden+a.Intermediate)
	slot := loraShare * float64(r.LoRARank) * float64(widths) * float64(a.Layers) * 2 / float64(r.TensorParallel) / float64(r.PipelineParallel)
	return Part{"LoRA slots", slot * float64(r.LoRASlots) / gib, fmt.Sprintf("%d of rank %d, %.0f MiB each", r.LoRASlots, r.LoRARank, slot/(1<<20))}
}

func (r Request) cuda() Part {
	p := Part{"CUDA", r.VLLM.cudaGiB(), "context, cuBLAS"}
	if r.TensorParallel > 1 {
		// 0.55 against 0.13 GiB in logs of the same models on one and on two GPUs.
		p.GiB += 0.4
		p.How += ", NCCL"
	}
	if r.GPU.ComputeCapability >= 10 {
		// Blackwell's attention is FlashInfer's, whose workspace is 394 MiB.
		p.GiB += 0.385
		p.How += ", FlashInfer's workspace"
	}
	return p
}

// graphs returns the part of the budget that CUDA graphs take, and what is taken outside of it.
func (r Request) graphs() (inside Part, outsideGiB float64) {
	layers := float64(r.Model.Layers) / float64(r.PipelineParallel)
	switch {
	case r.Eager:
		return Part{"CUDA graphs", 0, "none: eager"}, 0
	case r.LoRASlots > 0 && r.VLLM.graphsInside():
		// 1.28 GiB for 36 layers in a log of 0.27 with adapters, which was not in the budget.
		outsideGiB = 0.0356 * layers
		return Part{"CUDA graphs", 0, fmt.Sprintf("with adapters %.2f GiB, outside of the budget", outsideGiB)}, outsideGiB
	case r.VLLM.graphsInside():
		// vLLM's estimate is 0.35 GiB for 28 layers, 0.43 for 36, 0.50 for 40 in logs of 0.22 and 0.30.
		return Part{"CUDA graphs", 0.0122 * layers, fmt.Sprintf("vLLM's estimate for %d layers", r.Model.Layers)}, 0
	}
	// 0.5 to 0.7 GiB for 28 to 36 layers in logs up to 0.20 (more in some of 0.8 and 0.9), and CUDA's context, which
	// vLLM did not count. From 0.17 to 0.20 the trial did not sort logits, but the warm-up after it did: an L4's 2.2 GiB
	// outside of 0.90 are just enough.
	outsideGiB = 0.02*layers + 0.3
	if r.VLLM.atLeast(17) {
		outsideGiB += sortedLogitBytes * r.logits() / gib
	}
	return Part{"CUDA graphs", 0, fmt.Sprintf("outside of the budget before vLLM 0.21, with the warm-up %.2f GiB", outsideGiB)}, outsideGiB
}

// logits of the trial step: one row for each request.
func (r Request) logits() float64 { return float64(r.MaxNumSeqs) * float64(r.Model.Vocab) }

// activation is the peak of the trial step: the largest of what does not live at once.
func (r Request) activation() Part {
	a, tp := r.Model, float64(r.TensorParallel)
	tokens := float64(r.MaxBatchedTokens)
	bytes := catalog.DTypeBytes(r.dtype())
	// The MLP's input, gate and up (twice the width), and their product.
	mlp := tokens * (3*float64(a.Intermediate)/tp + 2*float64(a.Hidden)) * bytes
	if a.Experts > 0 {
		// Each token's experts at once (vLLM's fused_moe caches 1 to 3).
		mlp = tokens * (float64(a.ExpertsPerToken)*(3*float64(a.ExpertIntermediate)/tp+float64(a.Hidden)) + 2*float64(a.Hidden)) * bytes
	}
	peak := Part{"activations", mlp / gib, fmt.Sprintf("a step of %.0f tokens", tokens)}
	if sampler := r.logits() * r.VLLM.samplerBytes() / gib; sampler > peak.GiB {
		peak.GiB, peak.How = sampler, fmt.Sprintf("the logits of %d requests", r.MaxNumSeqs)
	}
	if a.VisionWidth > 0 {
		// 15 widths of 16 bits for each patch were measured for Qwen3.5-4B (1.9 GiB for 65536 patches of 1024).
		if vision := 15 * 2 * float64(a.VisionPatches) * float64(a.VisionWidth) / tp / gib; vision > peak.GiB {
			peak.GiB, peak.How = vision, "the encoder's largest image"
		}
	}
	if !r.Eager && !r.WarmCache && r.VLLM.atLeast(21) {
		// Logs of first starts are higher by just the input embedding: as peak, and where it is tied to the output,
		// once more for good.
		embedding := float64(a.Vocab) * float64(a.Hidden) * bytes / tp / gib
		// With adapters there was only the copy that stays.
		if embedding > peak.GiB && (r.LoRASlots == 0 || !a.Tied) {
			peak.GiB, peak.How = embedding, "compilation, which copies the embedding"
		}
		if a.Tied {
			peak.GiB += embedding
			peak.How += ", and a copy of the tied one that stays"
		}
	}
	return peak
}

// CheckpointGiB is the size of a model's files: what is downloaded, and what memory and disk of a pod follow from.
func CheckpointGiB(a catalog.Architecture) float64 {
	bytes := catalog.DTypeBytes(a.DType)
	linear := bytes
	if a.Quantization.Method != "" {
		linear = a.Quantization.Bits / 8
	}
	return (float64(a.LinearParams)*linear + float64(a.EmbeddingParams+a.OtherParams+a.VisionParams)*bytes) / gib
}
