// Command bench compares the plugin with helm: wall time and peak memory of whole processes, in pairs that
// alternate (ours, helm's, ours, helm's, ...) so that a busy machine slows both.
//
//	bench -plugin FILE -helm3 FILE -helm4 FILE -chart DIR [-kubeconfig FILE] [-pairs N] [-o FILE]
//
// Without a kubeconfig the rows that need a cluster are left out. It exits with 1 when a budget is missed.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
)

type options struct {
	plugin, helm3, helm4, chart, values, kubeconfig, namespace, output string
	pairs                                                              int
}

func main() {
	var o options
	flag.StringVar(&o.plugin, "plugin", "bin/kubectl-summarizer", "the plugin")
	flag.StringVar(&o.helm3, "helm3", "", "helm 3")
	flag.StringVar(&o.helm4, "helm4", "", "helm 4")
	flag.StringVar(&o.chart, "chart", "charts/vllm-summarizer", "the chart")
	flag.StringVar(&o.values, "values", "", "values file of the installs")
	flag.StringVar(&o.kubeconfig, "kubeconfig", "", "cluster for the rows that install")
	flag.StringVar(&o.namespace, "namespace", "bench", "namespace for the rows that install")
	flag.IntVar(&o.pairs, "pairs", 15, "pairs of runs for each row")
	flag.StringVar(&o.output, "o", "", "write the table as Markdown to this file")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	met, err := run(ctx, o)
	if err != nil {
		fmt.Fprintf(os.Stderr, "bench: %v\n", err)
	}
	if err != nil || !met {
		stop()
		os.Exit(1) //nolint:gocritic // the deferred stop was just called
	}
}

// run measures every row, prints and writes the table, and says whether all budgets are met.
func run(ctx context.Context, o options) (bool, error) {
	home, err := os.MkdirTemp("", "bench")
	if err != nil {
		return false, err
	}
	defer os.RemoveAll(home)
	for name, program := range map[string]*string{"kubectl-summarizer": &o.plugin, "helm3": &o.helm3, "helm4": &o.helm4} {
		if *program, err = fresh(*program, filepath.Join(home, name)); err != nil {
			return false, err
		}
	}
	rows, leftOut := comparisons(o)
	size, err := os.Stat(o.plugin)
	if err != nil {
		return false, err
	}
	runner := runner{env: environment(home, o.kubeconfig)}
	var results []result
	for _, row := range rows {
		fmt.Fprintf(os.Stderr, "bench: %s, %d pairs\n", row.name, o.pairs)
		r, err := runner.compare(ctx, row, o.pairs)
		if err != nil {
			return false, fmt.Errorf("%s: %w", row.name, err)
		}
		results = append(results, r)
	}
	text := report(results, leftOut, size.Size(), o.pairs)
	fmt.Print(text)
	met := size.Size() <= maxBinary
	for _, r := range results {
		met = met && r.met()
	}
	if o.output == "" {
		return met, nil
	}
	return met, os.WriteFile(o.output, []byte(text), 0o644)
}

// fresh copies a program, so that all that are measured lie in the page cache in the same way: how much of a file
// each fault maps, and so its resident set, depends on how the file was written.
func fresh(program, to string) (string, error) {
	in, err := os.Open(program)
	if err != nil {
		return "", err
	}
	defer in.Close()
	out, err := os.OpenFile(to, os.O_CREATE|os.O_WRONLY, 0o755)
	if err != nil {
		return "", err
	}
	// Not read whole: this program's own memory would show in that of its children.
	_, err = io.Copy(out, in)
	return to, errors.Join(err, out.Close())
}
