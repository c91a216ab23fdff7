package main

import (
	"bytes"
	"context"
	"fmt"
	"os/exec"
	"slices"
	"strings"
	"syscall"
	"time"
)

// sample is one run of a command.
type sample struct {
	wall time.Duration
	// memory is the peak resident set, in bytes.
	memory float64
}

// result holds the medians of one comparison.
type result struct {
	comparison
	ours, theirs             sample
	wallRatio, memoryRatio   float64 // medians of the pairs' ratios
	wallSpread, memorySpread [2]float64
}

func (r result) met() bool {
	return (r.maxWall == 0 || r.wallRatio <= r.maxWall) && (r.maxMemory == 0 || r.memoryRatio <= r.maxMemory) && (r.within == 0 || r.ours.wall <= r.within)
}

type runner struct{ env []string }

// compare runs the two commands in alternating pairs. One pair before the first is not counted: it fills the
// page cache.
func (r runner) compare(ctx context.Context, c comparison, pairs int) (result, error) {
	var ours, theirs []sample
	for i := range pairs + 1 {
		a, err := r.once(ctx, c.ours, c.between)
		if err != nil {
			return result{}, err
		}
		b, err := r.once(ctx, c.theirs, c.between)
		if err != nil {
			return result{}, err
		}
		if i > 0 {
			ours, theirs = append(ours, a), append(theirs, b)
		}
	}
	wall := func(s sample) float64 { return s.wall.Seconds() }
	memory := func(s sample) float64 { return s.memory }
	out := result{comparison: c}
	out.ours = sample{time.Duration(median(each(ours, wall)) * float64(time.Second)), median(each(ours, memory))}
	out.theirs = sample{time.Duration(median(each(theirs, wall)) * float64(time.Second)), median(each(theirs, memory))}
	wallRatios, memoryRatios := ratios(each(ours, wall), each(theirs, wall)), ratios(each(ours, memory), each(theirs, memory))
	out.wallRatio, out.memoryRatio = median(wallRatios), median(memoryRatios)
	out.wallSpread, out.memorySpread = spread(wallRatios), spread(memoryRatios)
	return out, nil
}

// once runs a command to its end, and then what undoes it, which is not measured.
func (r runner) once(ctx context.Context, args, undo []string) (sample, error) {
	s, err := r.run(ctx, args)
	if err == nil && len(undo) > 0 {
		_, err = r.run(ctx, undo)
	}
	return s, err
}

func (r runner) run(ctx context.Context, args []string) (sample, error) {
	cmd := exec.CommandContext(ctx, args[0], args[1:]...)
	cmd.Env = r.env
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	began := time.Now()
	if err := cmd.Run(); err != nil {
		return sample{}, fmt.Errorf("%s: %w\n%s", strings.Join(args, " "), err, stderr.String())
	}
	wall := time.Since(began)
	usage, ok := cmd.ProcessState.SysUsage().(*syscall.Rusage)
	if !ok {
		return sample{}, fmt.Errorf("this system does not say how much memory a process used")
	}
	// Linux counts in KiB, and from the moment of the fork on: a child never shows less than this program itself
	// uses, which is far less than any of the programs measured.
	return sample{wall, float64(usage.Maxrss) * 1024}, nil
}

func each(samples []sample, value func(sample) float64) []float64 {
	out := make([]float64, len(samples))
	for i, s := range samples {
		out[i] = value(s)
	}
	return out
}

func ratios(ours, theirs []float64) []float64 {
	out := make([]float64, len(ours))
	for i := range ours {
		out[i] = ours[i] / theirs[i]
	}
	return out
}

// median of a list that is not empty.
func median(values []float64) float64 {
	sorted := slices.Sorted(slices.Values(values))
	n := len(sorted)
	return (sorted[(n-1)/2] + sorted[n/2]) / 2
}

// spread is where the middle half of the values lies.
func spread(values []float64) [2]float64 {
	sorted := slices.Sorted(slices.Values(values))
	n := len(sorted)
	return [2]float64{sorted[n/4], sorted[n-1-n/4]}
}
