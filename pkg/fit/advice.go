package fit

import (
	"fmt"
	"slices"

	"github.com/kubectl-summarizer/kubectl-summarizer/pkg/catalog"
)

// Change is one way to make a server fit, with what it gives.
type Change struct {
	// What is changed, and what it costs.
	What string `json:"what"`
	// Flags that change it, such as "--max-model-len 8192".
	Flags string `json:"flags"`
	// Result with them.
	Result Result `json:"result"`
}

// leastContext is the shortest context that is worth offering: a dialogue of two pages and its summary.
const leastContext = 2048

// smallerModels are offered in place of one that does not fit, the largest that fits first: instruct models of today
// that every vLLM serves.
var smallerModels = []string{
	"Qwen/Qwen3-14B", "Qwen/Qwen3-8B", "mistralai/Mistral-7B-Instruct-v0.3", "Qwen/Qwen3-4B",
	"meta-llama/Llama-3.2-3B-Instruct", "meta-llama/Llama-3.2-1B-Instruct",
}

// Advise returns what would make a request that does not fit fit, the changes that cost least first: a shorter context,
// weights and KV cache in 8 bits, fewer tenants, a smaller model, more or larger GPUs. Only what surely fits is named.
func Advise(request Request) []Change {
	r, err := request.complete()
	if err != nil {
		return nil
	}
	var changes []Change
	offer := func(changed Request, what, flags string) bool {
		if changed.Tenants != r.Tenants {
			changed.Utilization, changed.share = 0, false
		}
		if r.Tenants > 1 {
			changed.KVCacheGiB = 0 // it was stated for this model and this many
		}
		result, err := Serving(changed)
		if err == nil && result.Verdict == Fits {
			changes = append(changes, Change{what, flags, result})
			return true
		}
		return false
	}
	r.offerContext(offer)
	r.offerFormats(offer)
	if r.Tenants > 1 {
		for tenants := r.Tenants - 1; tenants >= 1; tenants-- {
			fewer, what, flags := r, fmt.Sprintf("%d tenants on one GPU", tenants), fmt.Sprintf("--clients %d", tenants)
			if fewer.Tenants = tenants; tenants == 1 {
				what, flags = "a GPU of its own", "--sharing none"
			}
			if offer(fewer, what, flags) {
				break
			}
		}
	}
	r.offerModels(offer)
	r.offerGPUs(offer)
	return changes
}

type offer func(changed Request, what, flags string) bool

func (r Request) offerContext(offer offer) {
	if r.MaxModelLen == Auto {
		return
	}
	shorter := r
	shorter.MaxModelLen = Auto
	auto, err := Serving(shorter)
	if err != nil {
		return
	}
	// With the band's room, and in whole thousands: a context that is just right is none.
	length := r.largest(auto.KVCacheGiB-auto.Band.GiB, r.Model.Context) / 1024 * 1024
	if shorter.MaxModelLen = length; length >= leastContext && length < r.MaxModelLen {
		for shorter.MaxModelLen >= leastContext && !offer(shorter, "a shorter context", fmt.Sprintf("--max-model-len %d", shorter.MaxModelLen)) {
			shorter.MaxModelLen -= 1024
		}
	}
}

func (r Request) offerFormats(offer offer) {
	if half := r; r.DType == "bfloat16" && !r.GPU.BF16() {
		half.DType = "float16"
		offer(half, "the number format that this GPU computes in", "--dtype half")
	}
	small, smallKV := r, r
	fp8Weights := r.quantization().Method == "" && r.GPU.ComputeCapability >= 8
	small.Quantization = "fp8"
	fp8KV := r.GPU.FP8() && (r.KVCacheDType == "" || r.KVCacheDType == "auto")
	smallKV.KVCacheDType = "fp8"
	found := fp8Weights && offer(small, "weights in 8 bits", "--quantization fp8")
	found = fp8KV && offer(smallKV, "a KV cache in 8 bits", "--kv-cache-dtype fp8") || found
	if both := small; !found && fp8Weights && fp8KV {
		both.KVCacheDType = "fp8"
		if !offer(both, "weights and KV cache in 8 bits", "--quantization fp8 --kv-cache-dtype fp8") && r.MaxModelLen > leastContext {
			for both.MaxModelLen = r.MaxModelLen / 2 / 1024 * 1024; both.MaxModelLen >= leastContext; both.MaxModelLen = both.MaxModelLen / 2 / 1024 * 1024 {
				if offer(both, "weights and KV cache in 8 bits, and a shorter context", fmt.Sprintf("--quantization fp8 --kv-cache-dtype fp8 --max-model-len %d", both.MaxModelLen)) {
					break
				}
			}
		}
	}
}

func (r Request) offerModels(offer offer) {
	for _, id := range smallerModels {
		model, err := catalog.FindModel(id)
		if err != nil || model.Params() >= r.Model.Params() {
			continue
		}
		smaller := r
		smaller.Name, smaller.Model, smaller.Quantization = id, model.Architecture, ""
		if smaller.MaxModelLen > model.Context {
			continue
		}
		if offer(smaller, "a smaller model", "--model "+id) {
			return
		}
	}
}

func (r Request) offerGPUs(offer offer) {
	if r.Tenants > 1 {
		return
	}
	for _, gpus := range []int{2, 4, 8} {
		more := r
		if more.TensorParallel = gpus; gpus > r.TensorParallel && (len(r.GPU.AutopilotCounts) == 0 || slices.Contains(r.GPU.AutopilotCounts, gpus)) &&
			offer(more, fmt.Sprintf("%d GPUs", gpus), fmt.Sprintf("--gpus %d", gpus)) {
			break
		}
	}
	larger := catalog.Accelerators()
	slices.SortFunc(larger, func(a, b catalog.Accelerator) int { return int(100 * (a.MemoryGiB - b.MemoryGiB)) })
	for _, gpu := range larger {
		if gpu.MemoryGiB <= r.GPU.MemoryGiB || len(gpu.AutopilotCounts) == 0 {
			continue
		}
		other := r
		other.GPU, other.MaxNumSeqs, other.MaxBatchedTokens = gpu, 0, 0
		if offer(other, "a larger GPU", "--accelerator "+gpu.ID) {
			return
		}
	}
}
