package plan

import (
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/kubectl-summarizer/kubectl-summarizer/internal/failure"
	"github.com/kubectl-summarizer/kubectl-summarizer/internal/planning"
	"github.com/kubectl-summarizer/kubectl-summarizer/pkg/plan"
	"github.com/kubectl-summarizer/kubectl-summarizer/pkg/prepare"
)

// printCommands prints the steps that prepare nodes for a plan. A plan that does not fit has none: they would cost money
// for nothing.
func (o *options) printCommands(p *plan.Plan, given map[string]any) error {
	if !p.Fits {
		return planning.Refusal(p)
	}
	request := prepare.Request{
		Platform: p.Platform, Accelerator: p.Accelerator, GPUs: p.GPUs, Sharing: p.Sharing, Partition: p.Partition, Capacity: o.capacity, Release: o.release,
	}
	if p.Tenants > 1 {
		request.Clients = p.Tenants
	}
	if p.Nodes > 1 {
		request.Nodes = p.Nodes
	}
	request.Flags = flagsOf(given)
	request.Namespace = *o.f.Config.Namespace
	request.Project, request.Location, request.Cluster = o.where()
	steps, err := prepare.Steps(request)
	var refused *prepare.RefusedError
	switch {
	case errors.As(err, &refused):
		next := refused.Next
		if next != "" {
			next = "ask for: " + next
		}
		return failure.New(failure.Refused, err, next)
	case err != nil:
		return failure.New(failure.Usage, err, "")
	}
	for i, step := range steps {
		fmt.Fprintf(o.f.Streams.Out, "# %d. %s\n%s\n\n", i+1, step.Title, strings.TrimRight(step.Text, "\n"))
	}
	return nil
}

// where reads project, location and cluster from the context's name, as far as it has them. Without a kubeconfig they are
// left to the shell's variables.
func (o *options) where() (project, location, cluster string) {
	context := *o.f.Config.Context
	if context == "" {
		raw, err := o.f.Config.ToRawKubeConfigLoader().RawConfig()
		if err == nil {
			context = raw.CurrentContext
		}
	}
	project, location, cluster, known := prepare.FromContext(context)
	if !known {
		return os.Getenv("GOOGLE_CLOUD_PROJECT"), "", ""
	}
	return project, location, cluster
}

// flagsOf are the flags that ask for the same model, as far as the nodes do not say them.
func flagsOf(given map[string]any) []string {
	var flags []string
	for _, flag := range []struct{ name, group, key string }{
		{"model", "model", "id"}, {"revision", "model", "revision"}, {"dtype", "engine", "dtype"}, {"quantization", "engine", "quantization"}, {"kv-cache-dtype", "engine", "kvCacheDtype"},
		{"max-model-len", "engine", "maxModelLen"}, {"max-num-seqs", "engine", "maxNumSeqs"}, {"max-num-batched-tokens", "engine", "maxNumBatchedTokens"},
		{"gpu-memory-utilization", "engine", "gpuMemoryUtilization"}, {"kv-cache-memory", "engine", "kvCacheMemoryGiB"},
	} {
		group, _ := given[flag.group].(map[string]any)
		if value := group[flag.key]; value != nil && value != "" {
			flags = append(flags, fmt.Sprintf("--%s %v", flag.name, value))
		}
	}
	return flags
}
