package status

import (
	"context"
	"errors"
	"fmt"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"

	"github.com/kubectl-summarizer/kubectl-summarizer/internal/cluster"
	"github.com/kubectl-summarizer/kubectl-summarizer/internal/tunnel"
	"github.com/kubectl-summarizer/kubectl-summarizer/internal/ui"
	"github.com/kubectl-summarizer/kubectl-summarizer/internal/vllm"
)

const (
	// askTimeout bounds one question to the server: a status must come even when it hangs.
	askTimeout = 5 * time.Second
	// askAttempts is how often it is asked. Each time it is the next ready pod's turn, so that
	// one that is just going does not speak for the release.
	askAttempts = 3
	askPause    = 500 * time.Millisecond
	// quiet is how long a wait may last without a word.
	quiet = 2 * time.Second
)

// served is what the server itself says that it serves.
type served struct {
	Model       string   `json:"model,omitempty"`
	MaxModelLen int      `json:"maxModelLen,omitempty"`
	Adapters    []string `json:"adapters"`
	VLLM        string   `json:"vllm,omitempty"`
	// Error is why the server did not answer, "" when it did.
	Error string `json:"error,omitempty"`
	// unasked: this user has no right to reach pods, which says nothing of the server.
	unasked bool
}

// silent says whether the server was asked and did not answer.
func (s *served) silent() bool { return s.Error != "" && !s.unasked }

// ask asks the ready pods of the release. What goes wrong is part of the answer.
func (o *options) ask(ctx context.Context) *served {
	live := ui.NewLive(o.f.Streams.ErrOut, o.f.Now)
	defer live.Close()
	soon := time.AfterFunc(quiet, func() { live.Set("waiting for the server to say what it serves", "") })
	defer soon.Stop()

	server, closeServer, err := o.server()
	if err != nil {
		return &served{Adapters: []string{}, Error: err.Error()}
	}
	defer closeServer()
	return ask(ctx, server, o.f.Target())
}

// server returns a client that reaches the release's ready pods in turn.
func (o *options) server() (*vllm.Client, func(), error) {
	client, err := o.f.Clientset()
	if err != nil {
		return nil, nil, err
	}
	config, err := o.f.RESTConfig()
	if err != nil {
		return nil, nil, err
	}
	transport := tunnel.NewTransport(tunnel.NewDialer(client, config), &tunnel.Release{Client: client, Namespace: o.namespace, Name: o.release})
	server, err := vllm.New("http://"+o.release, transport)
	return server, transport.Close, err
}

func ask(ctx context.Context, server *vllm.Client, target string) *served {
	for attempt := 1; ; attempt++ {
		s, err := askOnce(ctx, server)
		if err == nil {
			return s
		}
		if attempt == askAttempts || ctx.Err() != nil || !worthRepeating(err) {
			s.Error, s.unasked = cluster.ExplainFor(target, err).Error(), apierrors.IsForbidden(err)
			if errors.Is(err, context.DeadlineExceeded) {
				s.Error = fmt.Sprintf("it did not answer within %s, asked %d times", askTimeout, attempt)
			}
			return s
		}
		select {
		case <-ctx.Done():
		case <-time.After(askPause):
		}
	}
}

func worthRepeating(err error) bool {
	var answered *vllm.APIError
	if errors.As(err, &answered) {
		return answered.Transient() || answered.ShuttingDown()
	}
	return !tunnel.Fatal(err)
}

func askOnce(ctx context.Context, server *vllm.Client) (*served, error) {
	ctx, cancel := context.WithTimeout(ctx, askTimeout)
	defer cancel()
	s := &served{Adapters: []string{}}
	models, err := server.Models(ctx)
	if err != nil {
		return s, err
	}
	for _, m := range models {
		switch {
		case m.Parent != "":
			s.Adapters = append(s.Adapters, m.ID)
		case s.Model == "":
			s.Model, s.MaxModelLen = m.ID, m.MaxModelLen
		}
	}
	s.VLLM, err = server.Version(ctx)
	var answered *vllm.APIError
	if errors.As(err, &answered) {
		// Only vLLM itself tells its version.
		return s, nil
	}
	return s, err
}
