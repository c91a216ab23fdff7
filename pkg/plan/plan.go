package plan

import (
	"errors"
	"fmt"
	"math"

	"github.com/kubectl-summarizer/kubectl-summarizer/pkg/catalog"
	"github.com/kubectl-summarizer/kubectl-summarizer/pkg/fit"
)

// SchemaVersion of a plan's JSON form. It grows when a field changes its meaning or goes; new fields do not change it.
const SchemaVersion = 1

// Options are what the chart's values do not say.
type Options struct {
	// Config is the model's config.json, nil for a model of the catalog.
	Config []byte
	// AcceleratorGiB is the GPU's memory as CUDA reports it, 0 for the catalog's.
	AcceleratorGiB float64
	// VLLM is the release, "" for that of the image's tag.
	VLLM string
	// WarmCache says that compiled kernels of an earlier start are found.
	WarmCache bool
	// Profile of a document, for the speed.
	Profile fit.Profile
	// PricePerHour of one GPU, 0 for none.
	PricePerHour float64
}

// Plan is the answer. Its JSON form is stable: docs/plan.schema.json.
type Plan struct {
	SchemaVersion int `json:"schemaVersion"`
	// Model is the id, Like the model of the catalog whose shape was taken for it.
	Model string `json:"model"`
	Like  string `json:"like,omitempty"`
	// Accelerator is GKE's name, Partition a MIG profile of it.
	Accelerator string `json:"accelerator"`
	Partition   string `json:"partition,omitempty"`
	VLLM        string `json:"vllm"`
	Platform    string `json:"platform"`
	// GPUs of one replica, over Nodes; Tenants share one of them.
	GPUs    int    `json:"gpus"`
	Nodes   int    `json:"nodes"`
	Sharing string `json:"sharing"`
	Tenants int    `json:"tenants"`
	// CompileCache is "cold" or "warm".
	CompileCache string `json:"compileCache"`
	fit.Result
	// Speed is an upper bound from the GPU's rates, nil where they are not known or nothing fits.
	Speed *fit.Speed `json:"speed,omitempty"`
	// Changes would make it fit, the one that costs least first; none when it fits.
	Changes []fit.Change `json:"changes"`
	// Notes are what sharing costs and what was assumed.
	Notes []string `json:"notes"`

	// Refused are the chart's own reasons, which come first in Reasons.
	Refused []string `json:"-"`

	request    fit.Request
	weightsGiB float64
}

// Unknown is returned where a plan cannot be made for want of a fact: a model or a GPU that is not known.
type Unknown struct {
	// What is missing is such as "model".
	What string
	Err  error
}

// Error says what is not known.
func (e *Unknown) Error() string { return e.Err.Error() }

// Unwrap gives the cause.
func (e *Unknown) Unwrap() error { return e.Err }

// Make plans the release that complete chart values describe. Its error is an *Unknown, a *catalog.ConfigError or a
// *fit.InputError.
func Make(complete map[string]any, o Options) (*Plan, error) {
	v := values(complete)
	p := &Plan{
		SchemaVersion: SchemaVersion, Model: v.text("model", "id"), Platform: v.text("platform"), GPUs: max(1, v.whole("gpu", "count")),
		Nodes: max(1, v.whole("gpu", "nodes")), Sharing: v.text("gpu", "sharing", "strategy"), Tenants: 1, CompileCache: "cold", Changes: []fit.Change{}, Notes: []string{},
	}
	if o.WarmCache {
		p.CompileCache = "warm"
	}
	if p.Sharing == "" {
		p.Sharing = "none"
	}
	request, err := p.ask(v, o)
	if err != nil {
		return nil, err
	}
	p.request = request
	p.Result, err = fit.Serving(request)
	var format *fit.UnknownFormatError
	switch {
	case errors.As(err, &format):
		return nil, &Unknown{format.Field, err}
	case err != nil:
		return nil, err
	}
	if p.Fits {
		if speed, ok := fit.Roofline(request, p.Result, o.Profile, o.PricePerHour); ok && o.Profile.PromptTokens > 0 {
			p.Speed = &speed
		}
	} else if changes := fit.Advise(request); changes != nil {
		p.Changes = changes
	}
	p.note()
	p.round()
	return p, nil
}

// round keeps a hundredth of what the band is: more digits would claim more than is known.
func (p *Plan) round() {
	numbers := []*float64{&p.WeightsGiB, &p.OverheadGiB, &p.KVCacheGiB, &p.BudgetGiB, &p.HeadroomGiB, &p.MaxConcurrency, &p.Band.GiB}
	for i := range p.Parts {
		numbers = append(numbers, &p.Parts[i].GiB)
	}
	if s := p.Speed; s != nil {
		numbers = append(numbers, &s.PrefillTokensPerSecond, &s.DecodeTokensPerSecond, &s.BatchTokensPerSecond, &s.FirstTokenSeconds, &s.DocumentsPerSecond, &s.DollarsPerMillionTokens)
	}
	for _, n := range numbers {
		*n = math.Round(*n*1000) / 1000
	}
}

// ask turns values into what package fit asks for.
func (p *Plan) ask(v values, o Options) (fit.Request, error) {
	r := fit.Request{
		Name: p.Model, Utilization: v.number("engine", "gpuMemoryUtilization"), MaxNumSeqs: v.whole("engine", "maxNumSeqs"), MaxBatchedTokens: v.whole("engine", "maxNumBatchedTokens"),
		DType: v.text("engine", "dtype"), Quantization: v.text("engine", "quantization"), KVCacheDType: v.text("engine", "kvCacheDtype"),
		Eager: v.flag("engine", "enforceEager"), KVCacheGiB: v.number("engine", "kvCacheMemoryGiB"), WarmCache: o.WarmCache, VLLM: fit.Default,
	}
	if err := p.model(&r, o); err != nil {
		return r, err
	}
	p.weightsGiB = fit.CheckpointGiB(r.Model)
	if err := p.gpu(&r, v, o); err != nil {
		return r, err
	}
	for _, text := range []string{o.VLLM, v.text("image", "tag")} {
		version, err := fit.ParseVersion(text)
		if err == nil {
			r.VLLM = version
			break
		}
		if o.VLLM != "" {
			return r, &fit.InputError{Field: "vLLM version", Why: err.Error()}
		}
	}
	p.VLLM = r.VLLM.String()
	if given := v.at("engine", "maxModelLen"); given == "auto" {
		r.MaxModelLen = fit.Auto
	} else if text, ok := given.(string); ok {
		n, err := length(text)
		if err != nil {
			return r, &fit.InputError{Field: "max model length", Why: "must be a number of tokens, but is " + text}
		}
		r.MaxModelLen = n
	} else {
		r.MaxModelLen = v.whole("engine", "maxModelLen")
	}
	if r.MaxBatchedTokens == 0 {
		if n, err := length(v.flagIn("--max-num-batched-tokens")); err == nil {
			r.MaxBatchedTokens = n
		}
	}
	p.parallel(&r, v)
	if adapters, ok := v.at("adapters").([]any); ok && len(adapters) > 0 {
		r.LoRASlots, r.LoRARank = max(v.whole("engine", "maxLoras"), 0), v.whole("engine", "maxLoraRank")
		if r.LoRASlots == 0 {
			r.LoRASlots = min(8, len(adapters))
		}
		if r.LoRARank == 0 {
			p.Notes = append(p.Notes, "the rank of the adapters is not known before they are fetched: 16 is taken (--max-lora-rank)")
		}
	} else {
		r.LoRASlots, r.LoRARank = v.whole("engine", "maxLoras"), v.whole("engine", "maxLoraRank")
	}
	return r, nil
}

func (p *Plan) model(r *fit.Request, o Options) error {
	if o.Config != nil {
		architecture, err := catalog.ParseConfig(o.Config)
		if err != nil {
			return err
		}
		r.Model = architecture
		return nil
	}
	model, err := catalog.FindModel(p.Model)
	if err != nil {
		return &Unknown{"model", err}
	}
	r.Model, p.Like = model.Architecture, model.Like
	if p.Like != "" {
		p.Notes = append(p.Notes, fmt.Sprintf("%s is not in the catalog: it is taken to have the shape of %s, as its name says", p.Model, p.Like))
	}
	return nil
}

// gpu finds the accelerator and what of its memory one server has.
func (p *Plan) gpu(r *fit.Request, v values, o Options) error {
	name := v.text("gpu", "accelerator")
	gpu, err := catalog.FindAccelerator(name)
	switch {
	case err == nil:
	case o.AcceleratorGiB > 0:
		gpu = catalog.Accelerator{ID: name, Name: name, ComputeCapability: 8.9}
		p.Notes = append(p.Notes, fmt.Sprintf("%s is not in the catalog: nothing but its memory is known, compute capability 8.9 is taken", name))
	default:
		return &Unknown{"accelerator", err}
	}
	if o.AcceleratorGiB > 0 {
		gpu.MemoryGiB = o.AcceleratorGiB
	}
	p.Accelerator = gpu.ID
	switch p.Sharing {
	case "mig":
		p.Partition = v.text("gpu", "sharing", "partition")
		partition, known := gpu.Partitions[p.Partition]
		if !known {
			return &Unknown{"partition", errors.New(noPartition(gpu, p.Partition))}
		}
		gpu = slice(gpu, p.Partition, partition)
	case "time-sharing", "mps":
		p.Tenants = max(1, v.whole("gpu", "sharing", "clients"))
		r.Tenants = p.Tenants
	}
	r.GPU = gpu
	return nil
}

// noPartition is what is wrong with a partition's name.
func noPartition(gpu catalog.Accelerator, name string) string {
	names := gpu.PartitionNames()
	if len(names) == 0 {
		return fmt.Sprintf("%s has no MIG: it cannot be partitioned", gpu.Name)
	}
	return fmt.Sprintf("%s has no partition %q; it has %v", gpu.Name, name, names)
}

// slice is a partition as a GPU: its memory, and its part of the bandwidth and of the multiprocessors, by the number
// before the g.
func slice(gpu catalog.Accelerator, name string, partition catalog.Partition) catalog.Accelerator {
	share := partition.MemoryGiB / gpu.MemoryGiB
	var sevenths float64
	if _, err := fmt.Sscanf(name, "%fg", &sevenths); err != nil || sevenths == 0 {
		sevenths = 7 * share
	}
	gpu.Name += " " + name
	gpu.MemoryGiB = partition.MemoryGiB
	gpu.BandwidthGBs *= share
	rates := map[string]float64{}
	for format, rate := range gpu.TFLOPS {
		rates[format] = rate * sevenths / 7
	}
	gpu.TFLOPS = rates
	return gpu
}

// parallel works out how the model is split, as the chart does.
func (p *Plan) parallel(r *fit.Request, v values) {
	size := func(names ...string) int {
		n, err := length(v.flagIn(names...))
		if err != nil {
			return 1
		}
		return max(1, n)
	}
	r.PipelineParallel = max(size("--pipeline-parallel-size", "-pp"), p.Nodes)
	data := size("--data-parallel-size", "-dp")
	r.TensorParallel = v.whole("engine", "tensorParallelSize")
	if r.TensorParallel == 0 {
		r.TensorParallel = max(1, p.GPUs*p.Nodes/(r.PipelineParallel*data))
	}
}

// note adds what sharing costs, which no figure shows.
func (p *Plan) note() {
	switch p.Sharing {
	case "time-sharing":
		p.Notes = append(p.Notes, "time-sharing isolates no memory: a tenant that takes more than its share stops the others; the GPU's metrics are of the whole GPU, not of a container")
	case "mps":
		p.Notes = append(p.Notes, "MPS with vLLM is experimental: public reports have it refused by CUDA; the GPU's metrics are of the whole GPU, not of a container")
		if p.Platform == "gke-standard" {
			p.Notes = append(p.Notes, "MPS on GKE needs hostIPC, which the Pod Security levels baseline and restricted refuse")
		}
	}
	if p.request.KVCacheGiB > 0 {
		p.Notes = append(p.Notes, "the KV cache is stated (engine.kvCacheMemoryGiB), so that vLLM does not measure what is free: a neighbour may be starting")
	}
	if p.CompileCache == "cold" && !p.request.Eager && p.Fits {
		warm := p.request
		warm.WarmCache = true
		if result, err := fit.Serving(warm); err == nil && result.KVCacheTokens > p.KVCacheTokens*21/20 {
			p.Notes = append(p.Notes, fmt.Sprintf("this is a first start, which compiles; one that finds its compiled kernels on a volume (cache.persistence) has %d tokens", result.KVCacheTokens))
		}
	}
}

// Values are what an installation must be told beyond what was given: the size of the weights.
func (p *Plan) Values() map[string]any {
	return map[string]any{"model": map[string]any{"weightsGiB": math.Ceil(10*p.weightsGiB) / 10}}
}

// StatedKVGiB is the KV cache that a tenant of a shared GPU is told to take: below what is expected by the band, so that
// what a neighbour takes at the same time does no harm, but enough for one request.
func (p *Plan) StatedKVGiB() float64 {
	need := p.KVCacheGiB - p.HeadroomGiB
	return math.Max(math.Floor(100*(p.KVCacheGiB-p.Band.GiB)), math.Ceil(100*need)) / 100
}

// Refuse adds reasons for which the release cannot be, whatever the memory.
func (p *Plan) Refuse(reasons []string) {
	p.Reasons = append(append([]string{}, reasons...), p.Reasons...)
	p.Refused = reasons
	p.Fits, p.Verdict, p.Speed = false, fit.Not, nil
}
