package fit

import (
	"fmt"
	"math"

	"github.com/kubectl-summarizer/kubectl-summarizer/pkg/catalog"
)

// Profile is what a document costs: the tokens of its prompt and of its answer.
type Profile struct {
	PromptTokens int `json:"promptTokens"`
	AnswerTokens int `json:"answerTokens"`
}

// Speed is what a GPU's bandwidth and arithmetic allow: an upper bound that a well-filled server comes near, for one
// replica. Nothing of it is measured here.
type Speed struct {
	// PrefillTokensPerSecond is how fast prompts are read.
	PrefillTokensPerSecond float64 `json:"prefillTokensPerSecond"`
	// DecodeTokensPerSecond are the tokens of one answer alone, BatchTokensPerSecond those of Batch answers together.
	DecodeTokensPerSecond float64 `json:"decodeTokensPerSecond"`
	Batch                 int     `json:"batch"`
	BatchTokensPerSecond  float64 `json:"batchTokensPerSecond"`
	Profile               Profile `json:"profile"`
	// FirstTokenSeconds is the wait for the first token of one prompt on an idle server.
	FirstTokenSeconds  float64 `json:"firstTokenSeconds"`
	DocumentsPerSecond float64 `json:"documentsPerSecond"`
	// DollarsPerMillionTokens counts prompts and answers, at PricePerHour for each GPU; 0 without a price.
	DollarsPerMillionTokens float64 `json:"dollarsPerMillionTokens,omitempty"`
	PricePerHour            float64 `json:"pricePerHour,omitempty"`
	// How says what the figures are worked out from.
	How string `json:"how"`
}

// What of the datasheet is reached: 17.9 tokens/s of Mistral-7B on an L4 (public benchmark) are 0.86 of its bandwidth;
// half of the arithmetic is what prefill with large batches reaches, and two GPUs lose a tenth of it to each other.
const (
	bandwidthShare, arithmeticShare, parallelShare = 0.86, 0.5, 0.9
)

// mostBatch is the batch for which throughput is stated, unless fewer requests fit.
const mostBatch = 64

// Roofline works out the speed of a request that fits; pricePerHour is of one GPU, in any currency. ok is false where
// the accelerator's rates are not known.
func Roofline(request Request, result Result, profile Profile, pricePerHour float64) (speed Speed, ok bool) {
	r, err := request.complete()
	rate := r.computeRate()
	if err != nil || rate == 0 || r.GPU.BandwidthGBs == 0 {
		return Speed{}, false
	}
	gpus := float64(r.TensorParallel * r.PipelineParallel)
	if r.TensorParallel > 1 {
		rate *= parallelShare
	}
	flops := 2 * float64(r.Model.ActiveParams)
	share := 1 / float64(r.Tenants) // tenants take turns
	bandwidth := r.GPU.BandwidthGBs * 1e9 * bandwidthShare * float64(r.TensorParallel)
	prefill := rate * 1e12 * arithmeticShare * gpus / flops

	// A step reads the weights once (of a mixture: those that work, as far as the batch does not need them all) and
	// every request's KV cache.
	weights := result.WeightsGiB * gib * float64(r.TensorParallel*r.PipelineParallel)
	active := weights * math.Min(1, float64(r.Model.ActiveParams)/float64(max(1, r.Model.Params())))
	context := float64(profile.PromptTokens) + float64(profile.AnswerTokens)/2
	kv := result.KVBytesPerToken * context * gpus
	step := func(batch float64) float64 {
		read := weights
		if r.Model.Experts > 0 {
			read = math.Min(weights, active*batch)
		}
		return math.Max((read+batch*kv)/bandwidth, batch/(rate*1e12*arithmeticShare*gpus/flops))
	}
	fits := 1.0
	if one := r.requestBytes(profile.PromptTokens+profile.AnswerTokens) / gib; one > 0 {
		fits = math.Floor(result.KVCacheGiB / one)
	}
	batch := math.Max(1, math.Min(math.Min(mostBatch, fits), float64(r.MaxNumSeqs)))
	speed = Speed{
		PrefillTokensPerSecond: share * prefill, DecodeTokensPerSecond: share / step(1), Batch: int(batch), BatchTokensPerSecond: share * batch / step(batch),
		Profile: profile, FirstTokenSeconds: float64(profile.PromptTokens)/prefill/share + step(1)/share,
		How: fmt.Sprintf("%.0f GB/s and %.0f TFLOPS of %s, of which %.0f %% and %.0f %% are taken as reached", r.GPU.BandwidthGBs, r.computeRate(), r.GPU.Name, 100*bandwidthShare, 100*arithmeticShare),
	}
	perDocument := float64(profile.PromptTokens)/speed.PrefillTokensPerSecond + float64(profile.AnswerTokens)/speed.BatchTokensPerSecond
	speed.DocumentsPerSecond = 1 / perDocument
	if pricePerHour > 0 {
		speed.PricePerHour = pricePerHour
		tokens := float64(profile.PromptTokens+profile.AnswerTokens) / perDocument
		speed.DollarsPerMillionTokens = pricePerHour * gpus / float64(r.Tenants) / 3600 / tokens * 1e6
	}
	return speed, true
}

// computeRate is the dense rate of the format that matrices are multiplied in, in TFLOPS.
func (r Request) computeRate() float64 {
	if r.quantization().Method == "fp8" && r.GPU.FP8() {
		return r.GPU.TFLOPS["fp8"]
	}
	if catalog.DTypeBytes(r.dtype()) == 4 {
		return r.GPU.TFLOPS["fp16"] / 8
	}
	return r.GPU.TFLOPS["fp16"]
}
