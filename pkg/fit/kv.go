package fit

import (
	"math"
	"strings"

	"github.com/kubectl-summarizer/kubectl-summarizer/pkg/catalog"
)

// kvBits are the bits of one number of the KV cache by --kv-cache-dtype, scales included.
var kvBits = map[string]float64{
	"fp8": 8, "fp8_e4m3": 8, "fp8_e5m2": 8, "fp8_inc": 8, "fp8_ds_mla": 8, "fp8_per_token_head": 8.25, "int8_per_token_head": 8.25, "int4_per_token_head": 4.25,
	"nvfp4": 4.5, "nvfp4_4over6": 4.5, "nvfp4_ds_mla": 4.5, "bfloat16": 16, "float16": 16, "half": 16, "float32": 32, "float": 32,
}

// kvBytes returns the bytes of one number of the KV cache.
func kvBytes(kvDType, dtype string) (bytes float64, known bool) {
	if kvDType == "" || kvDType == "auto" {
		if dtype == "float32" {
			return 2, true // served in 16 bits
		}
		return catalog.DTypeBytes(dtype), true
	}
	bits, known := kvBits[kvDType]
	return bits / 8, known
}

// blockTokens are the tokens of one block of the KV cache.
const blockTokens = 16

// layerBytes is what one layer keeps of one token, on one GPU.
func (r Request) layerBytes() float64 {
	bytes, _ := kvBytes(r.KVCacheDType, r.Model.DType)
	a := r.Model
	if a.LatentDim > 0 {
		return float64(a.LatentDim) * bytes // every GPU has all of it
	}
	heads := max(1, int(math.Ceil(float64(a.KVHeads)/float64(r.TensorParallel))))
	return float64(heads) * float64(a.HeadDim+a.ValueDim) * bytes
}

// stateBytes is what one layer of linear attention keeps of one request, on one GPU: a matrix for each head, in 32
// bits, and the convolution's last inputs.
func (r Request) stateBytes() float64 {
	l := r.Model.Linear
	state := float64(l.ValueHeads*l.ValueDim*l.KeyDim) * 4
	inputs := float64(max(0, l.Conv-1)*(2*l.KeyHeads*l.KeyDim+l.ValueHeads*l.ValueDim)) * 2
	return (state + inputs) / float64(r.TensorParallel)
}

// requestBytes is the KV cache of one request of a length, in whole blocks, on one GPU.
func (r Request) requestBytes(length int) float64 {
	a := r.Model
	layer, full := r.layerBytes(), a.FullLayers()
	blocks := func(tokens int) float64 { return math.Ceil(float64(tokens) / blockTokens) }
	total := float64(full) * blocks(length) * blockTokens * layer
	if a.SlidingLayers > 0 {
		// While a prompt is read, its window and one step's tokens are there at once.
		held := min(length, a.Window-1+r.MaxBatchedTokens)
		total += float64(padded(a.SlidingLayers, full)) * (blocks(held) + 1) * blockTokens * layer
	}
	if a.LinearLayers > 0 {
		total += float64(a.LinearLayers) * 2 * r.stateBytes() // the state, and the one being computed
	}
	return total / float64(r.PipelineParallel)
}

// padded is the number of layers for which vLLM keeps blocks where full and windowed layers share them: groups of one
// size, the smaller of the two numbers unless they are near (vllm/v1/core/kv_cache_utils.py).
func padded(sliding, full int) int {
	if full == 0 {
		return sliding
	}
	group := min(sliding, full)
	if larger := max(sliding, full); float64(larger) < 1.25*float64(group) {
		group = larger
	}
	return (sliding + group - 1) / group * group
}

// tokens is how many tokens a KV cache holds, as vLLM logs it: for models whose layers keep different things, the
// requests of the longest length times that length.
func (r Request) tokens(kvGiB float64, length int) int {
	if kvGiB <= 0 {
		return 0
	}
	a := r.Model
	if a.SlidingLayers == 0 && a.LinearLayers == 0 || a.FullLayers() == 0 {
		block := r.layerBytes() * float64(a.Layers) * blockTokens / float64(r.PipelineParallel)
		return int(kvGiB*gib/block) * blockTokens
	}
	length = max(length, blockTokens)
	return int(kvGiB * gib / r.requestBytes(length) * float64(length))
}

// largest is the longest context of which one request fits, at most limit.
func (r Request) largest(kvGiB float64, limit int) int {
	low, high := 0, limit
	for low < high {
		middle := low + (high-low+1)/2
		if r.requestBytes(middle) <= kvGiB*gib {
			low = middle
		} else {
			high = middle - 1
		}
	}
	return low
}

// kvText says in what the cache is kept.
func (r Request) kvText() string {
	if r.KVCacheDType == "" || r.KVCacheDType == "auto" {
		return r.dtype()
	}
	return strings.ToLower(r.KVCacheDType)
}
