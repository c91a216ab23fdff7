// Package planning is the plan of a release as commands use it: the arithmetic of package plan and what the chart itself
// refuses, as one answer, and that answer as a refusal with what to do.
package planning

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"strings"

	"github.com/kubectl-summarizer/kubectl-summarizer/internal/failure"
	"github.com/kubectl-summarizer/kubectl-summarizer/pkg/catalog"
	"github.com/kubectl-summarizer/kubectl-summarizer/pkg/fit"
	"github.com/kubectl-summarizer/kubectl-summarizer/pkg/plan"
	"github.com/kubectl-summarizer/kubectl-summarizer/pkg/render"
)

// Request is what is planned beside the values.
type Request struct {
	Release string
	plan.Options
}

// Make plans a release: chart refusals are reasons of the plan, with the chart's own sentences.
func Make(ctx context.Context, chart fs.FS, given map[string]any, r Request) (*plan.Plan, error) {
	given = withPlatform(withGPUs(given))
	complete, err := render.Complete(chart, given)
	if err != nil {
		return nil, err
	}
	_, err = render.Render(ctx, chart, render.Options{Release: r.Release, Namespace: "default", Values: render.Over(withoutSlots(given), nil), KubeVersion: render.DefaultKubeVersion})
	var refused *render.RefusedError
	if err != nil && !errors.As(err, &refused) {
		return nil, err
	}
	p, err := plan.Make(complete, r.Options)
	if err != nil {
		if refused != nil {
			return nil, refused // the chart's sentence says more
		}
		return nil, err
	}
	if refused != nil {
		p.Refuse(strings.Split(refused.Reason, "\n"))
	}
	return p, nil
}

// withGPUs gives a tensor parallel size its GPUs, when nobody said how many there are.
func withGPUs(given map[string]any) map[string]any {
	engine, _ := given["engine"].(map[string]any)
	gpu, _ := given["gpu"].(map[string]any)
	if engine["tensorParallelSize"] == nil || gpu["count"] != nil {
		return given
	}
	return render.Over(given, map[string]any{"gpu": map[string]any{"count": engine["tensorParallelSize"]}})
}

// withPlatform plans a GPU that GKE lacks for NVIDIA's own labels, when nobody chose a platform.
func withPlatform(given map[string]any) map[string]any {
	gpu, _ := given["gpu"].(map[string]any)
	name, _ := gpu["accelerator"].(string)
	known, err := catalog.FindAccelerator(name)
	if given["platform"] != nil || name == "" || err == nil && known.GKE {
		return given
	}
	return render.Over(given, map[string]any{"platform": "nvidia"})
}

// withoutSlots leaves out room for adapters that are not named yet, which the chart refuses and a plan may ask for.
func withoutSlots(given map[string]any) map[string]any {
	if adapters, ok := given["adapters"].([]any); ok && len(adapters) > 0 {
		return given
	}
	return render.Over(given, map[string]any{"engine": map[string]any{"maxLoras": nil, "maxLoraRank": nil}})
}

// Refusal is the error of a plan that does not fit: why, and what would.
func Refusal(p *plan.Plan) error {
	var next []string
	for _, change := range p.Changes {
		next = append(next, fmt.Sprintf("%s: %s  (%s)", change.What, change.Flags, outcome(change.Result)))
	}
	if len(next) > 0 {
		next = append([]string{"what would fit, the change that costs least first:"}, next...)
	}
	return failure.New(failure.Refused, errors.New(strings.Join(p.Reasons, "\n")), strings.Join(next, "\n"))
}

// outcome is what a change gives, in a few words.
func outcome(r fit.Result) string {
	return fmt.Sprintf("%.1f GiB of KV cache, %.1f requests of %d tokens", r.KVCacheGiB, r.MaxConcurrency, r.MaxModelLen)
}

// Explain gives errors of a plan that could not be made their exit code.
func Explain(err error) error {
	var (
		unknown *plan.Unknown
		config  *catalog.ConfigError
		input   *fit.InputError
	)
	switch {
	case errors.As(err, &unknown) && unknown.What == "accelerator":
		var names []string
		for _, a := range catalog.Accelerators() {
			names = append(names, a.ID)
		}
		return failure.New(failure.Usage, err, "known are: "+strings.Join(names, ", ")+"\nanother one with its memory: --accelerator-memory GIB")
	case errors.As(err, &unknown), errors.As(err, &config), errors.As(err, &input):
		return failure.New(failure.Usage, err, "")
	}
	return err
}
