// Package cli is the command line: the root command, the printing of errors and the exit code.
package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"sync"

	"k8s.io/cli-runtime/pkg/genericiooptions"

	"github.com/kubectl-summarizer/kubectl-summarizer/internal/cli/factory"
	"github.com/kubectl-summarizer/kubectl-summarizer/internal/cluster"
	"github.com/kubectl-summarizer/kubectl-summarizer/internal/failure"
)

// quiet sets what all command lines of a process share.
var quiet = sync.OnceFunc(quietLibraries)

// Main runs one command line and returns the process's exit code.
func Main(ctx context.Context, args []string, streams genericiooptions.IOStreams) int {
	quiet()
	f := factory.New(streams)
	root := NewRoot(f)
	root.SetArgs(args)
	err := root.ExecuteContext(ctx)
	if err == nil {
		return 0
	}
	err = cluster.ExplainFor(f.Target(), err)
	var told *failure.Error
	if errors.Is(ctx.Err(), context.Canceled) && !errors.As(err, &told) {
		// What a library says of its own cancellation is no news to whoever pressed Ctrl-C.
		err = failure.New(failure.Interrupted, errors.New("interrupted"), "")
	}
	report(streams.ErrOut, err)
	return int(failure.KindOf(err))
}

// report prints an error once: what failed, then what to do about it.
func report(w io.Writer, err error) {
	if message := err.Error(); message != "" {
		fmt.Fprintf(w, "error: %s\n", message)
	}
	if next := failure.NextOf(err); next != "" {
		fmt.Fprintf(w, "%s\n", indent(next))
	}
}

func indent(text string) string {
	lines := strings.Split(strings.TrimSpace(text), "\n")
	return "  " + strings.Join(lines, "\n  ")
}
