package portforward

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log"
	"net"
	"net/http"
	"strconv"
	"syscall"
	"time"

	"github.com/kubectl-summarizer/kubectl-summarizer/internal/failure"
	"github.com/kubectl-summarizer/kubectl-summarizer/internal/product"
	"github.com/kubectl-summarizer/kubectl-summarizer/internal/tunnel"
	"github.com/kubectl-summarizer/kubectl-summarizer/internal/vllm"
)

const (
	// patience is how long a request waits for a pod: over a quick swap, not a model's loading.
	patience = 10 * time.Second
	// attempts and backoff are for pods that say at once that they are busy or end: about 4 s.
	attempts = 6
	backoff  = 250 * time.Millisecond
	// askAgainFor bounds the repeats of a request whose pods cannot be reached, which each
	// attempt may take 10 s to find out.
	askAgainFor = 15 * time.Second
	// headerTimeout frees connections of local clients that never send a request.
	headerTimeout = 30 * time.Second
	// greeting bounds the look-up of the model's name for the example.
	greeting = 5 * time.Second
)

// forward is a local listener before a release.
type forward struct {
	*options
	release   *tunnel.Release
	watcher   *tunnel.Watcher
	transport *tunnel.Transport
	listener  net.Listener
	log       *logger
}

func (o *options) newForward() (*forward, error) {
	namespace, err := o.f.Namespace()
	if err != nil {
		return nil, err
	}
	config, err := o.f.RESTConfig()
	if err != nil {
		return nil, err
	}
	clientset, err := o.f.Clientset()
	if err != nil {
		return nil, err
	}
	f := &forward{options: o, log: &logger{w: o.f.Streams.ErrOut, now: o.f.Now}}
	f.release = &tunnel.Release{Client: clientset, Namespace: namespace, Name: o.release, Target: o.f.Target()}
	f.watcher = tunnel.NewWatcher(f.release)
	f.watcher.Patience = patience
	f.transport = tunnel.NewTransport(tunnel.NewDialer(clientset, config), f.watcher)
	return f, nil
}

// start looks whether the release is there, then opens the port and follows the pods. A
// release that is not ready yet is no error: its address may be used as soon as it is.
func (f *forward) start(ctx context.Context) error {
	var none *tunnel.NoPodError
	_, err := f.release.Ready(ctx)
	if err != nil && !(errors.As(err, &none) && none.Installed) {
		return err
	}
	if err := f.listen(ctx); err != nil {
		return err
	}
	if none != nil {
		f.log.printf("%s: requests wait %s, then get a 503", none, patience)
	}
	f.watcher.Changed = f.changed
	f.watcher.Trouble = f.trouble
	return f.watcher.Run(ctx)
}

func (f *forward) listen(ctx context.Context) (err error) {
	address := net.JoinHostPort(f.address, strconv.Itoa(f.port))
	f.listener, err = (&net.ListenConfig{}).Listen(ctx, "tcp", address)
	switch {
	case err == nil:
		return nil
	case errors.Is(err, syscall.EADDRINUSE):
		return failure.Failedf(fmt.Sprintf("take a free one: --port 0, or another: --port %d", other(f.port)),
			"port %d of %s is in use by another program", f.port, f.address)
	case errors.Is(err, fs.ErrPermission):
		return failure.Failedf("take another: --port 8000", "you may not listen on port %d", f.port)
	}
	var op *net.OpError
	if errors.As(err, &op) {
		err = op.Err
	}
	return failure.Failedf("", "cannot listen on %s: %w", address, err)
}

func other(port int) int {
	if port == 65535 {
		return port - 1
	}
	return port + 1
}

// serve passes requests on until ctx ends. That is how this command is meant to end, so there
// is no error to print; its exit code is still that of Ctrl-C, which no verb gives another
// meaning (kubectl's own port-forward ends with 0).
func (f *forward) serve(ctx context.Context) error {
	server := &http.Server{
		Handler:           tunnel.NewProxy(retrying(f.transport), func(err error) { f.log.printf("an answer broke off: %v", err) }),
		ReadHeaderTimeout: headerTimeout,
		ErrorLog:          log.New(io.Discard, "", 0),
	}
	go f.greet(ctx)
	stop := context.AfterFunc(ctx, func() { server.Close() })
	defer stop()
	err := server.Serve(f.listener)
	f.transport.Close()
	if ctx.Err() != nil {
		return failure.New(failure.Interrupted, errors.New(""), "")
	}
	return fmt.Errorf("cannot serve on %s: %w", f.listener.Addr(), err)
}

// retrying gives every request a budget of its own.
func retrying(base http.RoundTripper) *vllm.Retrying {
	return &vllm.Retrying{
		Base: base, Attempts: attempts, Backoff: backoff, Fatal: tunnel.Fatal,
		Budget: func() *vllm.Budget { return vllm.NewBudget(askAgainFor) },
	}
}

// greet prints the address, which is data, and how to use it, which is not.
func (f *forward) greet(ctx context.Context) {
	url := "http://" + reachable(f.listener.Addr()) + "/v1"
	fmt.Fprintln(f.f.Streams.Out, url)
	if ip := net.ParseIP(f.address); !ip.IsLoopback() {
		f.log.printf("whoever reaches this machine over the network can use the model: --address 127.0.0.1 keeps it to yourself")
	}
	f.log.printf("%s is release %q in namespace %q; Ctrl-C ends it. Try:\n%s", url, f.release.Name, f.release.Namespace, f.example(ctx, url))
}

// example is a request that can be pasted, with the model's name when it can be had.
func (f *forward) example(ctx context.Context, url string) string {
	ctx, cancel := context.WithTimeout(ctx, greeting)
	defer cancel()
	client, err := vllm.New("http://"+f.release.Name, f.transport)
	if err != nil {
		return "  curl " + url + "/models"
	}
	models, err := client.Models(ctx)
	if err != nil || len(models) == 0 {
		return "  curl " + url + "/models"
	}
	return fmt.Sprintf(`  curl %s/chat/completions -H 'Content-Type: application/json' \
    -d '{"model": %q, "messages": [{"role": "user", "content": "Hello"}]}'
  %s query --url %s "Amanda: I baked cookies. Jerry: Sure!"`, url, models[0].ID, product.Command, url)
}

// reachable writes a listener's address so that it can be connected to.
func reachable(addr net.Addr) string {
	tcp, ok := addr.(*net.TCPAddr)
	if !ok || !tcp.IP.IsUnspecified() {
		return addr.String()
	}
	return net.JoinHostPort("127.0.0.1", strconv.Itoa(tcp.Port))
}
