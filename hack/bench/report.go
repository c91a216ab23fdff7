package main

import (
	"fmt"
	"os"
	"regexp"
	"runtime"
	"strings"
	"time"
)

// report is a section of docs/performance.md: the table and how it came about.
func report(results []result, leftOut string, binary int64, pairs int) string {
	var b strings.Builder
	fmt.Fprintf(&b, `Written by `+"`make bench`"+`; run it on your machine. Whole processes, started %d times each in alternating pairs; medians, and the
ratio ours/helm's as the median of the pairs' ratios with its middle half in brackets. Below 1 is faster or smaller than helm,
which is built from source with the same compiler and flags. Memory is the peak resident set, the touched pages of the program's own
file included: about 30 MB of each figure here. This run: %s.

| what | ours | helm | time, ratio | memory, ratio | budget |
|---|---|---|---|---|---|
`, pairs, machine())
	for _, r := range results {
		fmt.Fprintf(&b, "| %s | %s, %s | %s, %s | %s | %s | %s |\n", r.name,
			millis(r.ours.wall), mega(r.ours.memory), millis(r.theirs.wall), mega(r.theirs.memory),
			ratio(r.wallRatio, r.wallSpread), ratio(r.memoryRatio, r.memorySpread), budget(r))
	}
	fmt.Fprintf(&b, "| the plugin's file, stripped | %s | | | | at most %s: %s |\n",
		mega(float64(binary)), mega(maxBinary), verdict(binary <= maxBinary))
	if leftOut != "" {
		fmt.Fprintf(&b, "\n%s\n", leftOut)
	}
	return b.String()
}

func millis(d time.Duration) string { return fmt.Sprintf("%.1f ms", d.Seconds()*1000) }

func mega(bytes float64) string { return fmt.Sprintf("%.1f MB", bytes/1e6) }

func ratio(r float64, s [2]float64) string { return fmt.Sprintf("%.2f (%.2f to %.2f)", r, s[0], s[1]) }

func budget(r result) string {
	var parts []string
	if r.maxWall > 0 {
		parts = append(parts, fmt.Sprintf("time at most %g", r.maxWall))
	}
	if r.maxMemory > 0 {
		parts = append(parts, fmt.Sprintf("memory at most %g", r.maxMemory))
	}
	if r.within > 0 {
		parts = append(parts, "time at most "+millis(r.within))
	}
	return strings.Join(parts, ", ") + ": " + verdict(r.met())
}

func verdict(met bool) string {
	if met {
		return "met"
	}
	return "**missed**"
}

var memTotal = regexp.MustCompile(`MemTotal:\s+(\d+) kB`)

// machine says how big the machine is, and nothing else of it.
func machine() string {
	text := fmt.Sprintf("%d cores", runtime.NumCPU())
	if data, err := os.ReadFile("/proc/meminfo"); err == nil {
		var kib float64
		if m := memTotal.FindSubmatch(data); m != nil {
			if _, err := fmt.Sscan(string(m[1]), &kib); err == nil {
				text += fmt.Sprintf(", %.0f GiB of memory", kib/(1<<20))
			}
		}
	}
	return text + ", " + runtime.GOOS + "/" + runtime.GOARCH + ", " + runtime.Version()
}
