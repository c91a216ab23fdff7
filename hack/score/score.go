package main

import (
	"fmt"
	"io"
	"math"
	"slices"
	"strings"
	"text/tabwriter"

	"github.com/kubectl-summarizer/kubectl-summarizer/pkg/fit"
)

// prediction is what a formula says of a row.
type prediction struct {
	tokens int
	kvGiB  float64
	fits   bool
	// sure is false within the formula's own band.
	sure bool
}

type outcome struct {
	id, reason string // reason: why it could not be judged
	prediction
	logged    int
	loggedGiB float64 // of the cache, for logs without its tokens
	startKnow bool
	started   bool
}

// score collects what one formula says of all rows.
type score struct {
	name     string
	predict  func(fit.Request) (prediction, error)
	outcomes []outcome
}

func (s *score) add(r record) {
	o := outcome{id: r["id"], logged: int(r.number("kv_tokens")), loggedGiB: r.number("available_kv_gib"), startKnow: r["fits"] != "", started: r["fits"] == "yes"}
	defer func() { s.outcomes = append(s.outcomes, o) }()
	request, err := r.request()
	if err != nil {
		o.reason = err.Error()
		return
	}
	if o.prediction, err = s.predict(request); err != nil {
		o.reason = err.Error()
	}
}

// ours is package fit.
func ours(r fit.Request) (prediction, error) {
	result, err := fit.Serving(r)
	return prediction{result.KVCacheTokens, result.KVCacheGiB, result.Fits, result.Verdict != fit.Tight}, err
}

// kaito is KAITO's memory estimator (kaito-project/kaito, website/docs/memory-estimator.md): 0.84 of the GPU, weights
// with 2 % and 2.3 GiB plus 5 % of the weights beside them.
func kaito(r fit.Request) (prediction, error) {
	r.Utilization = 0.84
	return simple(r, func(weights float64) float64 { return 0.02*weights + 2.3 + 0.05*weights })
}

// planner is llm-d-planner's capacity_planner.py: 5.5 GiB of activations for a dense model, 8 for a mixture of experts,
// 2.5 for one with an image encoder, and 0.15 (0.6 over several GPUs) beside tensors.
func planner(r fit.Request) (prediction, error) {
	return simple(r, func(float64) float64 {
		activation, other := 5.5, 0.15
		switch {
		case r.Model.Experts > 0:
			activation = 8
		case r.Model.VisionWidth > 0:
			activation = 2.5
		}
		if r.TensorParallel > 1 {
			other = 0.6
		}
		return activation + other
	})
}

// simple takes our weights and KV bytes, which are theirs too, with another overhead.
func simple(r fit.Request, overhead func(weights float64) float64) (prediction, error) {
	result, err := fit.Serving(r)
	if err != nil {
		return prediction{}, err
	}
	r.KVCacheGiB = result.GPUGiB*result.Utilization - result.WeightsGiB - overhead(result.WeightsGiB)
	if r.KVCacheGiB <= 0 {
		return prediction{sure: true}, nil
	}
	given, err := fit.Serving(r)
	return prediction{given.KVCacheTokens, given.KVCacheGiB, given.HeadroomGiB >= 0, true}, err
}

func (o outcome) off() (float64, bool) {
	switch {
	case o.reason != "" || o.tokens == 0 && !o.started:
		return 0, false
	case o.logged == 0 && o.loggedGiB > 0:
		return o.kvGiB/o.loggedGiB - 1, true // a token is as large in both
	case o.logged == 0:
		return 0, false
	}
	return float64(o.tokens)/float64(o.logged) - 1, true
}

func printScores(w io.Writer, rows int, scores []*score) error {
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintf(table, "%d rows\tKV tokens: rows\tmedian error\tworst error\tstarts judged\tfalse \"fits\"\tin the band\tfalse refusals\tin the band\tnot judged\n", rows)
	for _, s := range scores {
		var errs []float64
		var judged, falseFits, nearFits, falseNo, nearNo, left int
		for _, o := range s.outcomes {
			if o.reason != "" {
				left++
				continue
			}
			if off, ok := o.off(); ok {
				errs = append(errs, math.Abs(off))
			}
			if !o.startKnow {
				continue
			}
			judged++
			switch {
			case o.fits && !o.started && o.sure:
				falseFits++
			case o.fits && !o.started:
				nearFits++
			case !o.fits && o.started && o.sure:
				falseNo++
			case !o.fits && o.started:
				nearNo++
			}
		}
		slices.Sort(errs)
		fmt.Fprintf(table, "%s\t%d\t%.1f %%\t%.1f %%\t%d\t%d\t%d\t%d\t%d\t%d\n", s.name, len(errs), 100*median(errs), 100*last(errs), judged, falseFits, nearFits, falseNo, nearNo, left)
	}
	if err := table.Flush(); err != nil {
		return err
	}
	fmt.Fprintln(w, "\nnot judged:")
	for _, o := range scores[0].outcomes {
		if o.reason != "" {
			fmt.Fprintf(w, "  id %s: %s\n", o.id, strings.ReplaceAll(o.reason, "\n", " "))
		}
	}
	return nil
}

func printRows(w io.Writer, rows []record, scores []*score) error {
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "id\tmodel\tGPU\tvLLM\tlogged\tformula\ttokens\terror\tstarted\tfits")
	for i, row := range rows {
		for _, s := range scores {
			o := s.outcomes[i]
			if o.reason != "" {
				continue
			}
			off := ""
			if e, ok := o.off(); ok {
				off = fmt.Sprintf("%+.1f %%", 100*e)
			}
			fits := fmt.Sprint(o.fits)
			if !o.sure {
				fits += " (band)"
			}
			fmt.Fprintf(table, "%s\t%.30s\t%.20s\t%s\t%d\t%s\t%d\t%s\t%s\t%s\n", o.id, row["model"], row["gpu"], row["vllm_version"], o.logged, s.name, o.tokens, off, row["fits"], fits)
		}
	}
	fmt.Fprintln(table)
	return table.Flush()
}

func median(sorted []float64) float64 {
	n := len(sorted)
	if n == 0 {
		return math.NaN()
	}
	return (sorted[(n-1)/2] + sorted[n/2]) / 2
}

func last(sorted []float64) float64 {
	if len(sorted) == 0 {
		return math.NaN()
	}
	return sorted[len(sorted)-1]
}
