package query

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"time"

	"github.com/kubectl-summarizer/kubectl-summarizer/internal/failure"
	"github.com/kubectl-summarizer/kubectl-summarizer/internal/tunnel"
	"github.com/kubectl-summarizer/kubectl-summarizer/internal/vllm"
)

const (
	// attempts and backoff are for a server that says at once that it is busy: about 4 s.
	attempts = 6
	backoff  = 250 * time.Millisecond
	// askAgainFor bounds the repeats before the first token, those of all requests of one
	// question together, however slowly a server fails and however long it asks to wait.
	askAgainFor = 15 * time.Second
	dialTimeout = 10 * time.Second
)

// server is who answers: a release in the cluster, or an address.
type server struct {
	client *vllm.Client
	name   string // for messages

	status *waiting // hears of repeats

	target    string          // the flags that chose the cluster
	release   *tunnel.Release // nil for an address
	transport *tunnel.Transport
	pod       tunnel.Pod // which answers the current request
}

func (o *options) connect(status *waiting) (*server, error) {
	s := &server{status: status}
	var err error
	if o.url != "" {
		err = s.useURL(o.url)
	} else {
		err = s.useRelease(o)
	}
	if err != nil {
		return nil, err
	}
	s.client.Idle = o.idle
	return s, nil
}

func (s *server) useURL(url string) (err error) {
	s.name = "the server"
	transport := http.DefaultTransport.(*http.Transport).Clone()
	transport.DialContext = (&net.Dialer{Timeout: dialTimeout}).DialContext
	s.client, err = vllm.New(url, s.retrying(transport, func(err error) bool { return unreachable(err) != nil }))
	if err != nil {
		return failure.New(failure.Usage, fmt.Errorf("--url: %w", err), "")
	}
	s.name = s.client.Address()
	return nil
}

func (s *server) useRelease(o *options) error {
	namespace, err := o.f.Namespace()
	if err != nil {
		return err
	}
	config, err := o.f.RESTConfig()
	if err != nil {
		return err
	}
	clientset, err := o.f.Clientset()
	if err != nil {
		return err
	}
	s.name = fmt.Sprintf("release %q", o.release)
	s.target = o.f.Target()
	s.release = &tunnel.Release{Client: clientset, Namespace: namespace, Name: o.release, Target: s.target}
	s.transport = tunnel.NewTransport(tunnel.NewDialer(clientset, config), s.release)
	s.transport.Chosen = func(pod tunnel.Pod) { s.pod = pod }
	s.client, err = vllm.New("http://"+o.release, s.retrying(s.transport, tunnel.Fatal))
	return err
}

func (s *server) retrying(base http.RoundTripper, fatal func(error) bool) *vllm.Retrying {
	shared := vllm.NewBudget(askAgainFor)
	return &vllm.Retrying{
		Base: base, Attempts: attempts, Backoff: backoff, Fatal: fatal,
		Budget:    func() *vllm.Budget { return shared },
		Repeating: s.status.again,
	}
}

func (s *server) close() {
	if s.transport != nil {
		s.transport.Close()
	}
}

// unreachable returns the error of a connection that was never made, or nil.
func unreachable(err error) *net.OpError {
	var op *net.OpError
	if errors.As(err, &op) && op.Op == "dial" {
		return op
	}
	return nil
}

// fate says what became of the pod that broke off, waiting a moment for the cluster to notice.
func (s *server) fate(ctx context.Context) string {
	ctx, cancel := context.WithTimeout(ctx, 3*time.Second)
	defer cancel()
	for {
		if fate := s.release.Fate(ctx, s.pod); fate != "" {
			return "pod " + s.pod.Name + " " + fate
		}
		select {
		case <-ctx.Done():
			return "the connection to pod " + s.pod.Name + " was lost"
		case <-time.After(400 * time.Millisecond):
		}
	}
}
