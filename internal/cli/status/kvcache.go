package status

import (
	"context"
	"fmt"
	"io/fs"

	"github.com/kubectl-summarizer/kubectl-summarizer/charts"
	"github.com/kubectl-summarizer/kubectl-summarizer/internal/cluster"
	"github.com/kubectl-summarizer/kubectl-summarizer/internal/planning"
	"github.com/kubectl-summarizer/kubectl-summarizer/internal/release"
	"github.com/kubectl-summarizer/kubectl-summarizer/pkg/plan"
)

// kvCache compares the KV cache that vLLM found room for with the one that was planned.
type kvCache struct {
	Tokens int `json:"tokens"`
	// Planned, with the band's ends; 0 where no plan could be made.
	Planned     int `json:"planned,omitempty"`
	PlannedLow  int `json:"plannedLow,omitempty"`
	PlannedHigh int `json:"plannedHigh,omitempty"`
	// AsPlanned says that it is within the band; nil without a plan.
	AsPlanned *bool `json:"asPlanned,omitempty"`
}

// findKVCache returns nil when no ready pod's log has it: it is an extra, and what keeps it away is no news.
func (o *options) findKVCache(ctx context.Context, observer *cluster.Observer, info *release.Info, view *cluster.View) *kvCache {
	ctx, cancel := context.WithTimeout(ctx, askTimeout)
	defer cancel()
	for _, pod := range view.Pods {
		if pod.Phase != cluster.Ready || !pod.Current {
			continue
		}
		tokens, err := observer.KVCacheTokens(ctx, pod.Name)
		if err != nil || tokens == 0 {
			return nil
		}
		found := &kvCache{Tokens: tokens}
		if info != nil {
			found.compare(ctx, info)
		}
		return found
	}
	return nil
}

// compare makes the plan anew of a first and of a later start: which one this was, the log does not say.
func (k *kvCache) compare(ctx context.Context, info *release.Info) {
	chart, err := fs.Sub(charts.FS, charts.Name)
	if known, _ := planning.Known(info.Values); err != nil || !known {
		return
	}
	cold, err := planning.Make(ctx, chart, info.Values, planning.Request{Release: info.Name})
	if err != nil || !cold.Fits {
		return
	}
	warm, err := planning.Make(ctx, chart, info.Values, planning.Request{Release: info.Name, Options: plan.Options{WarmCache: true}})
	if err != nil {
		return
	}
	k.Planned, k.PlannedLow, k.PlannedHigh = cold.KVCacheTokens, cold.Band.LowTokens, warm.Band.HighTokens
	// A stated cache has no band, but whole blocks of every layer.
	within := float64(k.Tokens) >= 0.99*float64(k.PlannedLow) && float64(k.Tokens) <= 1.01*float64(k.PlannedHigh)
	k.AsPlanned = &within
}

// text is the line that is printed.
func (k *kvCache) text() string {
	switch {
	case k.AsPlanned == nil:
		return fmt.Sprintf("%d tokens", k.Tokens)
	case *k.AsPlanned:
		return fmt.Sprintf("%d tokens, as planned (%d to %d)", k.Tokens, k.PlannedLow, k.PlannedHigh)
	}
	return fmt.Sprintf("%d tokens, and %d to %d were planned: is the GPU another one, or is something else on it?", k.Tokens, k.PlannedLow, k.PlannedHigh)
}
