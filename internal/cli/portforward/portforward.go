// Package portforward is the `port-forward` verb: a local address for a release's API.
package portforward

import (
	"context"
	"errors"
	"fmt"
	"net"

	"github.com/spf13/cobra"

	"github.com/kubectl-summarizer/kubectl-summarizer/internal/cli/factory"
	"github.com/kubectl-summarizer/kubectl-summarizer/internal/failure"
	"github.com/kubectl-summarizer/kubectl-summarizer/internal/product"
	"github.com/kubectl-summarizer/kubectl-summarizer/internal/tunnel"
)

const long = `Give a release's OpenAI-compatible API a local address.

Requests are spread over the ready pods, one by one. A pod that ends is replaced by
another, and a request that it had not begun to answer is sent again; while no pod
is ready, requests wait a little and then get a 503 that says why. The address
stays the same until Ctrl-C, which ends the command with exit code 130.`

const example = `  # http://127.0.0.1:8000/v1
  ` + product.Command + ` port-forward

  # a free port, for the release "calls"
  ` + product.Command + ` port-forward calls --port 0`

type options struct {
	f       *factory.Factory
	release string
	address string
	port    int
}

// NewCmd returns the port-forward command.
func NewCmd(f *factory.Factory) *cobra.Command {
	o := &options{f: f, release: product.DefaultRelease}
	cmd := &cobra.Command{
		Use:     "port-forward [RELEASE]",
		Short:   "Give the API a local address that survives restarts of its pods",
		Long:    long,
		Example: example,
		Args:    cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) == 1 {
				o.release = args[0]
			}
			if err := o.validate(); err != nil {
				return err
			}
			return o.run(cmd.Context())
		},
	}
	cmd.Flags().IntVar(&o.port, "port", 8000, "local port; 0 takes a free one")
	cmd.Flags().StringVar(&o.address, "address", "127.0.0.1", "local IP address to listen on")
	return cmd
}

func (o *options) validate() error {
	if err := tunnel.CheckName(o.release); err != nil {
		return failure.New(failure.Usage, err, "")
	}
	if o.port < 0 || o.port > 65535 {
		return failure.Usagef("--port is %d: it must be from 0 to 65535", o.port)
	}
	if o.address == "localhost" {
		o.address = "127.0.0.1"
	}
	if net.ParseIP(o.address) == nil {
		return failure.Usagef("--address %q is not an IP address", o.address)
	}
	return nil
}

func (o *options) run(ctx context.Context) error {
	forward, err := o.newForward()
	if err != nil {
		return err
	}
	if err := forward.start(ctx); err != nil {
		return o.explain(ctx, err)
	}
	return forward.serve(ctx)
}

// explain gives an error of the start its remedy.
func (o *options) explain(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return failure.New(failure.Interrupted, errors.New("interrupted"), "")
	}
	var none *tunnel.NoPodError
	if !errors.As(err, &none) {
		return err
	}
	if none.NoNamespace {
		return failure.New(failure.Failed, none, "see which there are: kubectl get namespaces"+o.f.Target())
	}
	next := fmt.Sprintf("install it: %[1]s install %[2]s -n %[3]s%[4]s\nor give another: %[1]s port-forward NAME -n NAMESPACE%[4]s",
		product.Command, none.Release, none.Namespace, o.f.Target())
	if none.Nearest != "" {
		next = "did you mean release " + none.Nearest + "?\n" + next
	}
	return failure.New(failure.Failed, none, next)
}
