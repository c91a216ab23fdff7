package query

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"strings"

	"github.com/kubectl-summarizer/kubectl-summarizer/internal/cluster"
	"github.com/kubectl-summarizer/kubectl-summarizer/internal/failure"
	"github.com/kubectl-summarizer/kubectl-summarizer/internal/product"
	"github.com/kubectl-summarizer/kubectl-summarizer/internal/tunnel"
	"github.com/kubectl-summarizer/kubectl-summarizer/internal/ui"
	"github.com/kubectl-summarizer/kubectl-summarizer/internal/vllm"
)

// explain gives an error its exit code and its remedy.
func (s *server) explain(ctx context.Context, err error) error {
	var told *failure.Error
	if errors.As(err, &told) {
		return err
	}
	if ctx.Err() != nil {
		return interrupted()
	}
	var (
		none   *tunnel.NoPodError
		broken *vllm.TruncatedError
		idle   *vllm.IdleError
		api    *vllm.APIError
	)
	switch {
	case errors.As(err, &none):
		return s.explainNone(none)
	case errors.As(err, &idle):
		return failure.New(failure.Timeout, err, s.look()+"\nor wait longer: --timeout DURATION")
	case errors.As(err, &api) && !errors.As(err, &broken):
		return s.explainAPI(api)
	case errors.As(err, &broken):
		return s.explainBroken(ctx, broken)
	case s.release == nil:
		return s.explainURL(err)
	}
	return s.explainTunnel(err)
}

// explainTunnel adds the remedy to a tunnel that failed, unless it was the cluster that
// refused it, which is explained elsewhere.
func (s *server) explainTunnel(err error) error {
	var (
		dial    *tunnel.DialError
		severed *tunnel.BrokenError
		told    *failure.Error
	)
	if (errors.As(err, &dial) || errors.As(err, &severed)) && !errors.As(cluster.Explain(err), &told) {
		return failure.New(failure.Failed, err, s.look())
	}
	return err
}

func interrupted() error {
	return failure.New(failure.Interrupted, errors.New("interrupted"), "")
}

func (s *server) explainNone(none *tunnel.NoPodError) error {
	if none.Installed {
		return failure.New(failure.Failed, none, s.look())
	}
	if none.NoNamespace {
		return failure.New(failure.Failed, none, "see which there are: kubectl get namespaces"+s.target)
	}
	next := "install it: " + s.command("install", none.Release) + "\nor give another: --release NAME, -n NAMESPACE"
	if none.Nearest != "" {
		next = "did you mean --release " + none.Nearest + "?\n" + next
	}
	return failure.New(failure.Failed, none, next)
}

func (s *server) explainAPI(api *vllm.APIError) error {
	switch {
	case api.Transient() && s.release != nil:
		return failure.New(failure.Failed, fmt.Errorf("%s is busy: %w", s.name, api), again(api)+", or serve more replicas; "+s.look())
	case api.Transient():
		return failure.New(failure.Failed, fmt.Errorf("%s is busy: %w", s.name, api), again(api))
	case api.Status == http.StatusBadRequest && strings.Contains(api.Message, "maximum context length"):
		return failure.New(failure.Refused, api, s.longer(0))
	case api.Status == http.StatusNotFound && s.release == nil:
		return failure.New(failure.Failed, fmt.Errorf("%s has no chat API: %w", s.name, api), "is --url the address of an OpenAI-compatible server?")
	}
	return failure.New(failure.Failed, api, "")
}

// again is when to try again, as far as a busy server says so.
func again(api *vllm.APIError) string {
	if api.RetryAfter > 0 {
		return "try again in " + ui.Duration(api.RetryAfter)
	}
	return "try again shortly"
}

func (s *server) explainBroken(ctx context.Context, broken *vllm.TruncatedError) error {
	var inStream *vllm.APIError
	if s.release == nil || errors.As(broken, &inStream) {
		return failure.New(failure.Failed, broken, "run the same command again")
	}
	gone := &vllm.TruncatedError{Characters: broken.Characters, Cause: errors.New(s.fate(ctx))}
	return failure.New(failure.Failed, gone, "run the same command again; is a pod ready: "+s.command("status", s.release.Name))
}

func (s *server) explainURL(err error) error {
	if op := unreachable(err); op != nil {
		cause := op.Err
		var syscallErr *os.SyscallError
		if errors.As(cause, &syscallErr) {
			cause = syscallErr.Err
		}
		return failure.New(failure.Failed, fmt.Errorf("cannot reach %s: %w", s.name, cause), "is the server up, and --url its address?")
	}
	return failure.New(failure.Failed, fmt.Errorf("%s: %w", s.name, err), "")
}

// look is how to see what the server does.
func (s *server) look() string {
	if s.release == nil {
		return "is the server at " + s.name + " well?"
	}
	return "see: " + s.command("status", s.release.Name)
}

// longer is what to do about a text of more tokens than the context.
func (s *server) longer(tokens int) string {
	if s.release == nil || tokens == 0 {
		return "give a shorter text, or send it in parts"
	}
	return fmt.Sprintf("give a shorter text, or serve a longer context:\n%s --max-model-len %d",
		s.command("install", s.release.Name), (tokens+1023)/1024*1024)
}

func (s *server) command(verb, release string) string {
	return fmt.Sprintf("%s %s %s -n %s%s", product.Command, verb, release, s.release.Namespace, s.target)
}
