// Score scores a table of published vLLM start-ups: how far the KV cache that package fit works out is from what
// vLLM logged, beside KAITO's and llm-d-planner's published formulas. hack/fitscore runs it
package main

import (
	"encoding/csv"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
)

func main() {
	if err := run(os.Args[1:], os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "fitscore:", err)
		os.Exit(1)
	}
}

func run(args []string, w io.Writer) error {
	flags := flag.NewFlagSet("fitscore", flag.ContinueOnError)
	verbose := flags.Bool("v", false, "a line for each row and formula")
	if err := flags.Parse(args); err != nil {
		return err
	}
	if flags.NArg() != 1 {
		return errors.New("usage: fitscore [-v] FILE.csv, with the columns of vllm-startup-logs.csv")
	}
	file, err := os.Open(flags.Arg(0))
	if err != nil {
		return err
	}
	defer file.Close()
	rows, err := read(file)
	if err != nil {
		return fmt.Errorf("%s: %w", flags.Arg(0), err)
	}
	scores := []*score{{name: "ours", predict: ours}, {name: "KAITO", predict: kaito}, {name: "llm-d-planner", predict: planner}}
	for _, s := range scores {
		for _, row := range rows {
			s.add(row)
		}
	}
	if *verbose {
		if err := printRows(w, rows, scores); err != nil {
			return err
		}
	}
	return printScores(w, len(rows), scores)
}

// read returns the rows of a table with a header, by column.
func read(r io.Reader) ([]record, error) {
	reader := csv.NewReader(r)
	header, err := reader.Read()
	if err != nil {
		return nil, err
	}
	var rows []record
	for {
		cells, err := reader.Read()
		if errors.Is(err, io.EOF) {
			return rows, nil
		}
		if err != nil {
			return nil, err
		}
		row := record{}
		for i, name := range header {
			row[name] = cells[i]
		}
		rows = append(rows, row)
	}
}
