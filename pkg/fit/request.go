package fit

import (
	"fmt"
	"math"

	"github.com/kubectl-summarizer/kubectl-summarizer/pkg/catalog"
)

// Request is what a server's memory depends on. Zero values are vLLM's defaults.
type Request struct {
	// Name of the model, for messages.
	Name  string
	Model catalog.Architecture
	// GPU is the accelerator; of a MIG partition, its name and memory with the rest of the whole GPU.
	GPU catalog.Accelerator
	// VLLM is the release that serves.
	VLLM Version
	// Utilization is --gpu-memory-utilization, a share of the GPU's total.
	Utilization float64
	// TensorParallel and PipelineParallel are the GPUs that one copy of the model is split over.
	TensorParallel, PipelineParallel int
	// MaxModelLen is the longest prompt plus answer in tokens; 0 is the model's context, Auto the most that fits.
	MaxModelLen int
	// MaxNumSeqs and MaxBatchedTokens are the most requests and tokens of one step.
	MaxNumSeqs, MaxBatchedTokens int
	// DType, Quantization and KVCacheDType are vLLM's flags of these names; "" is what the model's files say.
	DType, Quantization, KVCacheDType string
	// Eager does without compilation and CUDA graphs.
	Eager bool
	// LoRASlots are the adapters that may be in one batch (--max-loras), LoRARank the largest rank.
	LoRASlots, LoRARank int
	// WarmCache says that vLLM finds its compiled kernels from an earlier start, as on a volume.
	WarmCache bool
	// KVCacheGiB is --kv-cache-memory-bytes per GPU, 0 to leave it to vLLM.
	KVCacheGiB float64
	// Tenants share each GPU's memory without isolation (time-sharing, MPS), this server included; 0 is 1.
	Tenants int

	// share says that nobody gave a utilization, so that a tenant has its part of the GPU.
	share bool
}

// Auto as MaxModelLen stands for the longest context that fits (--max-model-len=auto).
const Auto = -1

// gib is one GiB in bytes.
const gib = 1 << 30

// InputError is a number that a server cannot be asked for.
type InputError struct{ Field, Why string }

// Error names the field.
func (e *InputError) Error() string { return e.Field + " " + e.Why }

// complete fills in vLLM's defaults.
func (r Request) complete() (Request, error) {
	if r.VLLM == (Version{}) {
		r.VLLM = Default
	}
	if r.Utilization == 0 {
		r.Utilization = r.VLLM.DefaultUtilization()
		if r.Tenants > 1 {
			r.Utilization, r.share = ShareOf(r.VLLM, r.Tenants), true
		}
	}
	r.TensorParallel, r.PipelineParallel, r.Tenants = max(1, r.TensorParallel), max(1, r.PipelineParallel), max(1, r.Tenants)
	seqs, tokens := batchDefaults(r.GPU)
	if r.MaxNumSeqs == 0 {
		r.MaxNumSeqs = seqs
	}
	if r.MaxBatchedTokens == 0 {
		r.MaxBatchedTokens = tokens
	}
	if r.LoRASlots > 0 && r.LoRARank == 0 {
		r.LoRARank = 16
	}
	if r.MaxModelLen == 0 {
		r.MaxModelLen = r.Model.Context
	}
	return r, r.check()
}

func (r Request) check() error {
	for _, f := range []struct {
		name        string
		value       float64
		least, most float64
	}{
		{"gpu memory utilization", r.Utilization, 0.01, 1},
		{"tensor parallel size", float64(r.TensorParallel), 1, 1024},
		{"pipeline parallel size", float64(r.PipelineParallel), 1, 1024},
		{"max sequences", float64(r.MaxNumSeqs), 1, 1e6},
		{"max batched tokens", float64(r.MaxBatchedTokens), 1, 1e8},
		{"max model length", float64(r.MaxModelLen), Auto, 1e9},
		{"LoRA slots", float64(r.LoRASlots), 0, 1e4},
		{"LoRA rank", float64(r.LoRARank), 0, 4096},
		{"tenants", float64(r.Tenants), 1, 48},
		{"KV cache memory", r.KVCacheGiB, 0, 1e5},
		{"GPU memory", r.GPU.MemoryGiB, 0.5, 1e4},
	} {
		if math.IsNaN(f.value) || f.value < f.least || f.value > f.most {
			return &InputError{f.name, fmt.Sprintf("must be from %v to %v, but is %v", f.least, f.most, f.value)}
		}
	}
	if _, known := catalog.QuantizationOf(r.Quantization); !known && r.Model.Quantization.Method == "" {
		return &UnknownFormatError{"quantization", r.Quantization}
	}
	if _, known := kvBytes(r.KVCacheDType, r.Model.DType); !known {
		return &UnknownFormatError{"KV cache dtype", r.KVCacheDType}
	}
	return nil
}

// UnknownFormatError is a number format whose size is not known here; vLLM may take it.
type UnknownFormatError struct{ Field, Name string }

// Error names the field and the format.
func (e *UnknownFormatError) Error() string {
	return fmt.Sprintf("the size of %s %q is not known", e.Field, e.Name)
}

// batchDefaults are vLLM's for `vllm serve` (vllm/engine/arg_utils.py, 0.32.0).
func batchDefaults(gpu catalog.Accelerator) (seqs, tokens int) {
	a100 := gpu.ComputeCapability == 8.0
	switch {
	case gpu.MemoryGiB >= 160:
		return 1024, 16384
	case gpu.MemoryGiB >= 70 && !a100:
		return 1024, 8192
	}
	return 256, 2048
}

// tenantReserveGiB is what a tenant's part of the GPU is less than an equal one: 0.2 GiB of CUDA's context, which vLLM
// does not count (an L4 has 21.85 of 22.04 GiB free at its start), and a tenth for what differs between starts.
const tenantReserveGiB = 0.3

// budgetGiB is what a server may take of one GPU. A tenant whose KV cache is stated is not held to its utilization, which
// is then asked for at its start alone: it has an equal part.
func (r Request) budgetGiB() float64 {
	if r.share {
		return r.GPU.MemoryGiB/float64(r.Tenants) - tenantReserveGiB
	}
	return r.GPU.MemoryGiB * r.Utilization
}

// ShareOf is the utilization of one of several tenants: their part of vLLM's default, rounded down to 2 decimals, so
// that the sum stays below the whole.
func ShareOf(v Version, tenants int) float64 {
	return math.Floor(100*v.DefaultUtilization()/float64(tenants)+1e-9) / 100
}
