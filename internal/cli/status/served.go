package status

import (
	"context"
	"errors"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"

	"github.com/kubectl-summarizer/kubectl-summarizer/internal/cli/factory"
	"github.com/kubectl-summarizer/kubectl-summarizer/internal/cluster"
	"github.com/kubectl-summarizer/kubectl-summarizer/internal/tunnel"
	"github.com/kubectl-summarizer/kubectl-summarizer/internal/vllm"
)

// askTimeout bounds the question to the server: a status must come even when it hangs.
const askTimeout = 10 * time.Second

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

// ask asks a ready pod of the release. What goes wrong is part of the answer.
func ask(ctx context.Context, f *factory.Factory, namespace, release string) *served {
	ctx, cancel := context.WithTimeout(ctx, askTimeout)
	defer cancel()
	s := &served{Adapters: []string{}}
	if err := s.fill(ctx, f, namespace, release); err != nil {
		s.Error, s.unasked = cluster.Explain(err).Error(), apierrors.IsForbidden(err)
	}
	return s
}

func (s *served) fill(ctx context.Context, f *factory.Factory, namespace, release string) error {
	client, err := f.Clientset()
	if err != nil {
		return err
	}
	config, err := f.RESTConfig()
	if err != nil {
		return err
	}
	transport := tunnel.NewTransport(tunnel.NewDialer(client, config), &tunnel.Release{Client: client, Namespace: namespace, Name: release})
	defer transport.Close()
	server, err := vllm.New("http://"+release, transport)
	if err != nil {
		return err
	}
	models, err := server.Models(ctx)
	if err != nil {
		return err
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
		return nil
	}
	return err
}
