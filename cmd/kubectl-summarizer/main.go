// Command kubectl-summarizer is the kubectl plugin `kubectl summarizer`.
package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"

	"k8s.io/cli-runtime/pkg/genericiooptions"
	// Users sign in to their clusters by OpenID Connect too; exec plugins need no import.
	_ "k8s.io/client-go/plugin/pkg/client/auth"

	"github.com/kubectl-summarizer/kubectl-summarizer/internal/cli"
)

func main() { os.Exit(run()) }

func run() int {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	// A second Ctrl-C ends the program at once.
	context.AfterFunc(ctx, stop)
	streams := genericiooptions.IOStreams{In: os.Stdin, Out: os.Stdout, ErrOut: os.Stderr}
	return cli.Main(ctx, os.Args[1:], streams)
}
