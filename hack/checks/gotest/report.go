package main

import (
	"fmt"
	"io"
	"os"
	"regexp"
	"slices"
	"strings"
)

// event is one line of `go test -json`; see `go doc test2json`.
type event struct {
	Action  string
	Package string
	Test    string
	Output  string
}

// key names a test, or, for skips, a reason in test's place.
type key struct{ pkg, test string }

// report gathers the events of one run.
type report struct {
	out     io.Writer
	output  map[key][]string
	passed  int
	failed  int
	skipped int
	// reasons holds the names of the tests that were skipped, by package and the reason they gave.
	reasons map[key][]string
}

func newReport(out io.Writer) *report {
	return &report{out: out, output: map[key][]string{}, reasons: map[key][]string{}}
}

func (r *report) add(e event) {
	k := key{e.Package, e.Test}
	if e.Action == "output" || e.Action == "build-output" {
		if e.Test == "" {
			if !noise(e.Output) {
				fmt.Fprint(r.out, e.Output)
			}
			return
		}
		if !strings.HasPrefix(e.Output, "=== ") { // The run's own bookkeeping.
			r.output[k] = append(r.output[k], e.Output)
		}
		return
	}
	if e.Test == "" {
		return
	}
	switch e.Action {
	case "pass":
		r.passed++
	case "fail":
		r.failed++
		fmt.Fprint(r.out, strings.Join(r.output[k], ""))
	case "skip":
		r.skipped++
		why := key{shorten(e.Package), reason(r.output[k])}
		r.reasons[why] = append(r.reasons[why], e.Test)
	default:
		return
	}
	delete(r.output, k)
}

// noise is what go test says of packages that have nothing to test, and the bare verdict before the line that
// repeats it with the package's name.
func noise(line string) bool {
	return strings.Contains(line, "[no test files]") || line == "PASS\n" || line == "FAIL\n" ||
		strings.Contains(line, "testing: warning: no tests to run")
}

var location = regexp.MustCompile(`^\s*\S+\.go:\d+: `)

// reason finds what a test gave to Skip: the first line with a source position.
func reason(lines []string) string {
	for _, line := range lines {
		if location.MatchString(line) {
			return strings.TrimSpace(location.ReplaceAllString(line, ""))
		}
	}
	return "no reason given"
}

// shorten keeps what follows the module's owner and name.
func shorten(pkg string) string {
	parts := strings.SplitN(pkg, "/", 4)
	return parts[len(parts)-1]
}

func (r *report) counts() string {
	return fmt.Sprintf("%d tests passed, %d failed, %d skipped", r.passed, r.failed, r.skipped)
}

// leftOut has a line per package and reason.
func (r *report) leftOut() []string {
	var lines []string
	for k, tests := range r.reasons {
		names := tests[0]
		if len(tests) > 1 {
			names = fmt.Sprintf("%d tests", len(tests))
		}
		lines = append(lines, fmt.Sprintf("%s, %s: %s", k.pkg, names, k.test))
	}
	slices.Sort(lines)
	return lines
}

// end prints the totals and, for tests that were skipped, why.
func (r *report) end() {
	for _, line := range r.leftOut() {
		fmt.Fprintf(r.out, "skipped in %s\n", line)
	}
	fmt.Fprintln(r.out, r.counts())
}

// note appends the totals to the file that hack/test.sh prints at its end.
func (r *report) note(path string) error {
	f, err := os.OpenFile(path, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	fmt.Fprintln(f, r.counts())
	for _, line := range r.leftOut() {
		fmt.Fprintf(f, "left out in %s\n", line)
	}
	return f.Close()
}
