package fit

import (
	"fmt"
	"math"
)

// Result says whether a server starts on a GPU, and what its KV cache then holds. All GiB are of one GPU; tokens,
// contexts and requests are of one replica.
type Result struct {
	Fits bool `json:"fits"`
	// Verdict is "fits", "tight" (within the band of uncertainty, on either side) or "does not fit".
	Verdict Verdict `json:"verdict"`
	// Reasons why it does not fit, with the arithmetic; none when it fits.
	Reasons []string `json:"reasons"`
	// Parts of the GPU's memory, without the KV cache.
	Parts       []Part  `json:"parts"`
	GPUGiB      float64 `json:"gpuGiB"`
	Utilization float64 `json:"utilization"`
	BudgetGiB   float64 `json:"budgetGiB"`
	WeightsGiB  float64 `json:"weightsGiB"`
	OverheadGiB float64 `json:"overheadGiB"`
	// KVCacheGiB is negative when weights and overhead are above the budget.
	KVCacheGiB    float64 `json:"kvCacheGiB"`
	KVCacheTokens int     `json:"kvCacheTokens"`
	// KVBytesPerToken are on one GPU, for one more token of a context in whole blocks.
	KVBytesPerToken float64 `json:"kvBytesPerToken"`
	// MaxModelLen is the longest prompt plus answer that is asked for, LargestContext the longest that fits, at most
	// the model's.
	MaxModelLen    int `json:"maxModelLen"`
	LargestContext int `json:"largestContext"`
	// MaxConcurrency is how many requests of MaxModelLen the KV cache holds.
	MaxConcurrency float64 `json:"maxConcurrency"`
	// HeadroomGiB is what is left of the KV cache beside one request of MaxModelLen; negative: what is missing.
	HeadroomGiB float64 `json:"headroomGiB"`
	Band        Band    `json:"band"`
}

// Verdict of a fit.
type Verdict string

// The verdicts.
const (
	Fits  Verdict = "fits"
	Tight Verdict = "tight"
	Not   Verdict = "does not fit"
)

// Band is how far off the KV cache may be.
type Band struct {
	// GiB above and below kvCacheGiB.
	GiB float64 `json:"gib"`
	// LowTokens and HighTokens are kvCacheTokens at the band's ends.
	LowTokens  int `json:"lowTokens"`
	HighTokens int `json:"highTokens"`
	// Why is what makes it as wide as it is.
	Why string `json:"why"`
}

// Serving works out one request. Its error is an *InputError: a number that cannot be asked for. What can be asked for
// and does not work is in the result.
func Serving(request Request) (Result, error) {
	r, err := request.complete()
	if err != nil {
		return Result{}, err
	}
	p := r.parts()
	res := Result{
		Parts: []Part{p.weights, p.lora, p.cuda, p.activation, p.graphs}, GPUGiB: r.GPU.MemoryGiB, Utilization: r.Utilization,
		BudgetGiB: r.budgetGiB(), WeightsGiB: p.weights.GiB, OverheadGiB: p.overheadGiB(), MaxModelLen: r.MaxModelLen,
		KVBytesPerToken: (r.requestBytes(2048*blockTokens) - r.requestBytes(1024*blockTokens)) / (1024 * blockTokens),
	}
	res.KVCacheGiB = res.BudgetGiB - res.WeightsGiB - res.OverheadGiB
	if r.KVCacheGiB > 0 {
		res.KVCacheGiB = r.KVCacheGiB
	}
	limit := r.Model.Context
	if limit == 0 {
		limit = max(r.MaxModelLen, 1<<20)
	}
	res.LargestContext = r.largest(res.KVCacheGiB, limit)
	if r.MaxModelLen == Auto {
		res.MaxModelLen = res.LargestContext
	}
	res.Band = r.band(p, res)
	length := max(1, res.MaxModelLen)
	res.KVCacheTokens = r.tokens(res.KVCacheGiB, length)
	res.Band.LowTokens, res.Band.HighTokens = r.tokens(res.KVCacheGiB-res.Band.GiB, length), r.tokens(res.KVCacheGiB+res.Band.GiB, length)
	if r.KVCacheGiB > 0 {
		res.Band.LowTokens, res.Band.HighTokens = res.KVCacheTokens, res.KVCacheTokens // stated, not left over
	}
	need := r.requestBytes(length) / gib
	if !math.IsInf(need, 0) && need > 0 {
		res.MaxConcurrency = max(0, res.KVCacheGiB) / need
	}
	res.HeadroomGiB = res.KVCacheGiB - need
	r.judge(&res, p)
	return res, nil
}

// judge compares, and words what is missing.
func (r Request) judge(res *Result, p parts) {
	res.Reasons = append([]string{}, r.impossible()...)
	if len(res.Reasons) > 0 {
		res.Verdict = Not
		return
	}
	// The smallest of what is left over must not be below zero.
	headroom := res.HeadroomGiB
	if r.MaxModelLen == Auto {
		headroom = res.KVCacheGiB // vLLM takes the length that there is room for
	}
	margin := headroom
	type left struct {
		gib    float64
		reason string
	}
	all := []left{{res.KVCacheGiB, r.noCache(res)}, {headroom, r.shortContext(res)}}
	if !r.share || r.KVCacheGiB > 0 { // equal parts are the whole
		all = append(all, left{r.GPU.MemoryGiB - r.occupied(res, p), r.overGPU(res, p)})
	}
	for _, short := range all {
		margin = min(margin, short.gib)
		if short.gib < 0 && len(res.Reasons) == 0 {
			res.Reasons = append(res.Reasons, short.reason)
		}
	}
	res.Fits = len(res.Reasons) == 0
	switch {
	case math.Abs(margin) <= res.Band.GiB:
		res.Verdict = Tight
	case res.Fits:
		res.Verdict = Fits
	default:
		res.Verdict = Not
	}
}

// contextShare of a GPU is taken by CUDA's context before vLLM looks: 21.85 of 22.04 GiB are free on an L4, 39.08 of 39.49
// on an A100, 78.57 of 79.18 on an H100.
const contextShare = 0.009

// occupied is the memory of the whole GPU that is in use once every tenant has started.
func (r Request) occupied(res *Result, p parts) float64 {
	one := res.BudgetGiB
	if r.KVCacheGiB > 0 {
		one = res.WeightsGiB + res.OverheadGiB + r.KVCacheGiB
	}
	return (one + p.outsideGiB + contextShare*r.GPU.MemoryGiB) * float64(r.Tenants)
}

func (r Request) who() string {
	if r.Name == "" {
		return "the model"
	}
	return r.Name
}

func (r Request) shareText(res *Result) string {
	switch {
	case r.share:
		return fmt.Sprintf("an equal part of %s's %.2f GiB for each of %d tenants, less %.1f GiB for CUDA's context, is %.2f GiB", r.GPU.Name, res.GPUGiB, r.Tenants, tenantReserveGiB, res.BudgetGiB)
	case r.Tenants > 1:
		return fmt.Sprintf("a share of %.2f of %s's %.2f GiB for each of %d tenants is %.2f GiB", r.Utilization, r.GPU.Name, res.GPUGiB, r.Tenants, res.BudgetGiB)
	}
	return fmt.Sprintf("%.2f of %s's %.2f GiB is %.2f GiB", r.Utilization, r.GPU.Name, res.GPUGiB, res.BudgetGiB)
}

func (r Request) noCache(res *Result) string {
	return fmt.Sprintf("%s leaves no memory for the KV cache: %s, its weights are %.2f GiB (%s) and vLLM needs %.2f GiB beside them: %.2f GiB are missing",
		r.who(), r.shareText(res), res.WeightsGiB, res.Parts[0].How, res.OverheadGiB, -res.KVCacheGiB)
}

func (r Request) shortContext(res *Result) string {
	need := r.requestBytes(max(1, res.MaxModelLen)) / gib
	return fmt.Sprintf("one request of %d tokens needs %.2f GiB of KV cache (%.0f KiB a token in %s) and there are %.2f GiB: %s, less weights of %.2f GiB and %.2f GiB beside them; the largest context is %d",
		res.MaxModelLen, need, res.KVBytesPerToken/1024, r.kvText(), res.KVCacheGiB, r.shareText(res), res.WeightsGiB, res.OverheadGiB, res.LargestContext)
}

func (r Request) overGPU(res *Result, p parts) string {
	one := "the budget"
	if r.KVCacheGiB > 0 {
		one = fmt.Sprintf("weights, overhead and the given KV cache of %.2f GiB", r.KVCacheGiB)
	}
	if p.outsideGiB > 0 {
		one += fmt.Sprintf(", %.2f GiB that vLLM %s takes outside of it (CUDA graphs, warm-up)", p.outsideGiB, r.VLLM)
	}
	who := "they take"
	if r.Tenants > 1 {
		who = fmt.Sprintf("%d tenants take", r.Tenants)
	}
	return fmt.Sprintf("%s, and CUDA's context: %s %.2f GiB together and %s has %.2f GiB", one, who, r.occupied(res, p), r.GPU.Name, res.GPUGiB)
}

// impossible are combinations that vLLM refuses whatever the memory.
func (r Request) impossible() []string {
	var found []string
	a := r.Model
	if a.Heads%r.TensorParallel != 0 {
		found = append(found, fmt.Sprintf("a tensor parallel size of %d does not divide the %d attention heads of %s", r.TensorParallel, a.Heads, r.who()))
	}
	if r.PipelineParallel > a.Layers {
		found = append(found, fmt.Sprintf("a pipeline of %d stages has more than the %d layers of %s", r.PipelineParallel, a.Layers, r.who()))
	}
	if r.MaxModelLen > a.Context && a.Context > 0 {
		found = append(found, fmt.Sprintf("%d tokens are above the context of %s, %d", r.MaxModelLen, r.who(), a.Context))
	}
	if (r.DType == "bfloat16") && !r.GPU.BF16() {
		found = append(found, fmt.Sprintf("%s computes no bfloat16, which begins with compute capability 8.0 (it has %.1f): use float16", r.GPU.Name, r.GPU.ComputeCapability))
	}
	if q := r.quantization().Method; (q == "fp8" || q == "nvfp4" || q == "mxfp4") && r.GPU.ComputeCapability < 7.5 {
		found = append(found, fmt.Sprintf("%s weights need compute capability 7.5, and %s has %.1f", q, r.GPU.Name, r.GPU.ComputeCapability))
	}
	if r.Tenants > 1 && r.TensorParallel*r.PipelineParallel > 1 {
		found = append(found, "a model that is split over GPUs cannot share them: a container gets one share of one GPU")
	}
	return found
}

// band adds up what is uncertain.
func (r Request) band(p parts, res Result) Band {
	// The same flags gave 0.08 GiB more or less on the same machine.
	b := Band{GiB: 0.12, Why: "boots with the same flags differ"}
	add := func(gibs float64, why string) {
		if gibs > 0.005 {
			b.GiB += gibs
			b.Why += "; " + why
		}
	}
	if r.Model.Approximate {
		add(0.03*p.weights.GiB, "the architecture is counted by its outline")
	}
	if r.quantization().Method != "" {
		add(0.02*p.weights.GiB, "what stays unquantized differs between checkpoints")
	}
	if r.Model.VisionWidth > 0 {
		add(0.5, "the image encoder's peak")
	}
	if !r.Eager {
		add(0.25*max(p.graphs.GiB, 0.0122*float64(r.Model.Layers)), "CUDA graphs")
	}
	if r.LoRASlots > 0 {
		add(0.15+0.2*p.lora.GiB, "adapters, of which there is one log")
	}
	add(0.15*p.activation.GiB, "the peak of the trial step")
	if res.GPUGiB > 60 {
		add(0.02*res.GPUGiB, "few logs of large GPUs")
	}
	return b
}
