package chartflags

import (
	"errors"
	"fmt"
	"math"

	"github.com/spf13/pflag"

	"github.com/kubectl-summarizer/kubectl-summarizer/pkg/render"
)

// engineFlags are vLLM's own, by vLLM's names.
type engineFlags struct {
	utilization, kvMemory             float64
	seqs, tokens, tensor, loras, rank int64
	dtype, quantization, kvDtype      string
	eager                             bool
}

func (e *engineFlags) addTo(flags *pflag.FlagSet) {
	flags.Float64Var(&e.utilization, "gpu-memory-utilization", 0, "share of the GPU's memory that vLLM takes; its default, divided by the tenants of a shared GPU, when not given")
	flags.Float64Var(&e.kvMemory, "kv-cache-memory", 0, "GiB of each GPU that the KV cache takes; what is left when not given")
	flags.Int64Var(&e.seqs, "max-num-seqs", 0, "most requests that run at once")
	flags.Int64Var(&e.tokens, "max-num-batched-tokens", 0, "most tokens of one step")
	flags.Int64Var(&e.tensor, "tensor-parallel-size", 0, "GPUs that the model is split over; --gpus when not given")
	flags.StringVar(&e.dtype, "dtype", "", "number format of the weights, such as bfloat16 or half")
	flags.StringVar(&e.quantization, "quantization", "", "quantization of the weights, such as fp8")
	flags.StringVar(&e.kvDtype, "kv-cache-dtype", "", "number format of the KV cache, such as fp8")
	flags.BoolVar(&e.eager, "enforce-eager", false, "do without compilation and CUDA graphs")
	flags.Int64Var(&e.loras, "max-loras", 0, "adapters that may be in one batch")
	flags.Int64Var(&e.rank, "max-lora-rank", 0, "largest LoRA rank that is served")
}

func (e *engineFlags) typed() []typedFlag {
	whole := func(name string, value *int64, key string) typedFlag {
		return typedFlag{name, func() ([]render.Typed, error) { return one(*value, atLeast(1), "engine", key) }}
	}
	text := func(name string, value *string, key string) typedFlag {
		return typedFlag{name, func() ([]render.Typed, error) { return one(*value, checkNotEmpty, "engine", key) }}
	}
	return []typedFlag{
		{"gpu-memory-utilization", func() ([]render.Typed, error) {
			return one(e.utilization, between(0, 1), "engine", "gpuMemoryUtilization")
		}},
		{"kv-cache-memory", func() ([]render.Typed, error) { return one(e.kvMemory, between(0, 1e5), "engine", "kvCacheMemoryGiB") }},
		whole("max-num-seqs", &e.seqs, "maxNumSeqs"), whole("max-num-batched-tokens", &e.tokens, "maxNumBatchedTokens"),
		whole("tensor-parallel-size", &e.tensor, "tensorParallelSize"), whole("max-loras", &e.loras, "maxLoras"), whole("max-lora-rank", &e.rank, "maxLoraRank"),
		text("dtype", &e.dtype, "dtype"), text("quantization", &e.quantization, "quantization"), text("kv-cache-dtype", &e.kvDtype, "kvCacheDtype"),
		{"enforce-eager", func() ([]render.Typed, error) {
			return one(e.eager, func(bool) error { return nil }, "engine", "enforceEager")
		}},
	}
}

// between takes a number above low and at most high.
func between(low, high float64) func(float64) error {
	return func(n float64) error {
		if math.IsNaN(n) || n <= low || n > high {
			return fmt.Errorf("must be above %v and at most %v, but is %v", low, high, n)
		}
		return nil
	}
}

// sharingFlags say how a GPU is shared, and over how many nodes a replica goes.
type sharingFlags struct {
	strategy, partition string
	clients, nodes      int64
}

func (s *sharingFlags) addTo(flags *pflag.FlagSet) {
	flags.StringVar(&s.strategy, "sharing", "", "how releases share a GPU: none, time-sharing, mps or mig")
	flags.Int64Var(&s.clients, "clients", 0, "tenants that share one GPU under time-sharing and mps, this release included")
	flags.StringVar(&s.partition, "partition", "", "MIG profile under mig, such as 1g.10gb")
	flags.Int64Var(&s.nodes, "nodes", 0, "nodes that one replica spans, each with --gpus")
}

func (s *sharingFlags) typed() []typedFlag {
	return []typedFlag{
		{"sharing", func() ([]render.Typed, error) { return one(s.strategy, checkNotEmpty, "gpu", "sharing", "strategy") }},
		{"clients", func() ([]render.Typed, error) { return one(s.clients, checkClients, "gpu", "sharing", "clients") }},
		{"partition", func() ([]render.Typed, error) { return one(s.partition, checkNotEmpty, "gpu", "sharing", "partition") }},
		{"nodes", func() ([]render.Typed, error) { return one(s.nodes, atLeast(1), "gpu", "nodes") }},
	}
}

func checkClients(n int64) error {
	if n < 2 || n > 48 {
		return errors.New("must be from 2 to 48: one tenant alone needs no sharing (--sharing none), and GKE shares a GPU among 48 at most")
	}
	return nil
}
