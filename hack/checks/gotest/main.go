// Command gotest runs `go test` and prints what a reader needs: a line per package as it ends, the whole output of
// tests that failed, and last how many ran and which were skipped, with the reason that the test gave.
//
//	gotest [go test arguments]
package main

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
)

func main() {
	args := append([]string{"test", "-json"}, os.Args[1:]...)
	if len(os.Args) > 2 && os.Args[1] == "-C" { // Must stay in front.
		args = append([]string{"test", "-C", os.Args[2], "-json"}, os.Args[3:]...)
	}
	os.Exit(run(args))
}

func run(args []string) int {
	cmd := exec.Command("go", args...)
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err == nil {
		err = cmd.Start()
	}
	if err != nil {
		fmt.Fprintf(os.Stderr, "gotest: starting go: %v\n", err)
		return 1
	}
	report := newReport(os.Stdout)
	read(out, report)
	err = cmd.Wait()
	report.end()
	if path := os.Getenv("SUMMARIZER_NOTES"); path != "" {
		if err := report.note(path); err != nil {
			fmt.Fprintf(os.Stderr, "gotest: writing the summary: %v\n", err)
			return 1
		}
	}
	var exit *exec.ExitError
	switch {
	case err == nil && report.passed == 0:
		fmt.Fprintln(os.Stderr, "gotest: no test ran")
		return 1
	case err == nil:
		return 0
	case errors.As(err, &exit):
		return exit.ExitCode()
	}
	fmt.Fprintf(os.Stderr, "gotest: %v\n", err)
	return 1
}

// read feeds a report with the events of `go test -json`; lines that are no events are passed on.
func read(in io.Reader, r *report) {
	lines := bufio.NewReader(in)
	for {
		line, err := lines.ReadBytes('\n')
		if len(line) > 0 {
			var e event
			if json.Unmarshal(line, &e) == nil {
				r.add(e)
			} else {
				fmt.Fprintf(r.out, "%s", line)
			}
		}
		if err != nil {
			return
		}
	}
}
