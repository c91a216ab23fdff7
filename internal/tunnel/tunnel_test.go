package tunnel_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"

	"github.com/kubectl-summarizer/kubectl-summarizer/internal/tunnel"
	"github.com/kubectl-summarizer/kubectl-summarizer/internal/vllm"
	"github.com/kubectl-summarizer/kubectl-summarizer/internal/vllm/vllmtest"
)

// fixed is a Source of the same pods always.
type fixed []tunnel.Pod

func (f fixed) Ready(context.Context) ([]tunnel.Pod, error) { return f, nil }

func clientOf(t *testing.T, transport http.RoundTripper) *vllm.Client {
	t.Helper()
	c, err := vllm.New("http://release", transport)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

var request = vllm.ChatRequest{Model: "smol", Messages: vllm.SummaryMessages("", vllm.Instruction, "A: hi")}

func ignore(string) error { return nil }

func TestAnswerThroughTheTunnel(t *testing.T) {
	for name, c := range map[string]struct {
		noSockets bool
		env, want string
	}{
		"WebSocket":                  {want: "websocket"},
		"SPDY where there are none":  {noSockets: true, want: "spdy"},
		"SPDY by kubectl's variable": {env: "false", want: "spdy"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Setenv("KUBECTL_PORT_FORWARD_WEBSOCKETS", c.env)
			n, server := startNode(t), vllmtest.Start(t)
			n.noSockets = c.noSockets
			transport := tunnel.NewTransport(n.dialer(t), fixed{n.pod("a", server.URL)})
			answer, err := clientOf(t, transport).ChatStream(t.Context(), request, ignore)
			if err != nil || answer.Text != "Amanda baked cookies." {
				t.Fatalf("%+v, %v", answer, err)
			}
			if n.upgraded() != c.want {
				t.Errorf("upgraded by %q", n.upgraded())
			}
			transport.Close()
			if _, err := clientOf(t, transport).Models(t.Context()); err != nil || n.upgraded() != c.want+" "+c.want {
				t.Errorf("the next connection: %v, %q", err, n.upgraded())
			}
		})
	}
}

func TestLargeTextsArriveWhole(t *testing.T) {
	echo := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		_, _ = w.Write(body)
	}))
	defer echo.Close()
	n := startNode(t)
	transport := tunnel.NewTransport(n.dialer(t), fixed{n.pod("a", echo.URL)})
	sent := bytes.Repeat([]byte("0123456789abcdef"), 4<<20/16)
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "http://release/", bytes.NewReader(sent))
	if err != nil {
		t.Fatal(err)
	}
	resp, err := transport.RoundTrip(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if got, err := io.ReadAll(resp.Body); err != nil || !bytes.Equal(got, sent) {
		t.Fatalf("%d bytes of %d, %v", len(got), len(sent), err)
	}
}

func TestForbidden(t *testing.T) {
	n := startNode(t)
	n.forbidden = true
	_, err := clientOf(t, tunnel.NewTransport(n.dialer(t), fixed{n.pod("a", "http://127.0.0.1:1")})).Models(t.Context())
	if !apierrors.IsForbidden(err) || !tunnel.Fatal(err) {
		t.Fatalf("%v, fatal %v", err, tunnel.Fatal(err))
	}
}

func TestNothingListens(t *testing.T) {
	n := startNode(t)
	_, err := clientOf(t, tunnel.NewTransport(n.dialer(t), fixed{n.pod("a", "http://127.0.0.1:1")})).Models(t.Context())
	var broken *tunnel.BrokenError
	if !errors.As(err, &broken) || err.Error() != "the connection to pod a failed: nothing listens on its port 8000" || tunnel.Fatal(err) {
		t.Fatal(err)
	}
}

func TestPodThatIsGone(t *testing.T) {
	n := startNode(t)
	_, err := clientOf(t, tunnel.NewTransport(n.dialer(t), fixed{{Namespace: "ns", Name: "gone", UID: "x", Port: 8000}})).Models(t.Context())
	var dial *tunnel.DialError
	if !errors.As(err, &dial) || !strings.HasPrefix(err.Error(), "cannot reach pod gone: ") {
		t.Fatal(err)
	}
}

func TestConnectionLostInAnAnswer(t *testing.T) {
	n, server := startNode(t), vllmtest.Start(t)
	server.Pause = 50 * time.Millisecond
	got := ""
	answer, err := clientOf(t, tunnel.NewTransport(n.dialer(t), fixed{n.pod("a", server.URL)})).ChatStream(t.Context(), request, func(s string) error {
		if got += s; got == "Amanda baked" {
			n.cut()
		}
		return nil
	})
	var broken *vllm.TruncatedError
	if !errors.As(err, &broken) || broken.Characters != 12 || answer.Text != "Amanda baked" {
		t.Fatalf("%+v, %v", answer, err)
	}
}

// TestCancelReachesTheServer: a question given up must not go on burning GPU time.
func TestCancelReachesTheServer(t *testing.T) {
	n, server := startNode(t), vllmtest.Start(t)
	server.Pieces, server.Pause = strings.Split(strings.Repeat("a ", 1000), " ")[:1000], 10*time.Millisecond
	ctx, cancel := context.WithCancel(t.Context())
	_, err := clientOf(t, tunnel.NewTransport(n.dialer(t), fixed{n.pod("a", server.URL)})).ChatStream(ctx, request, func(string) error {
		cancel()
		return nil
	})
	if !errors.Is(err, context.Canceled) {
		t.Fatal(err)
	}
	select {
	case <-server.Aborted():
	case <-time.After(5 * time.Second):
		t.Fatal("the server goes on")
	}
}

// TestGivingUpADial: client-go's dialers know no context; a late connection must be closed.
func TestGivingUpADial(t *testing.T) {
	n, server := startNode(t), vllmtest.Start(t)
	n.hang = make(chan struct{})
	pod := n.pod("a", server.URL)
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	start := time.Now()
	if _, err := n.dialer(t).Dial(ctx, pod); !errors.Is(err, context.DeadlineExceeded) || time.Since(start) > 5*time.Second {
		t.Fatalf("%v after %s", err, time.Since(start))
	}
	close(n.hang)
	select {
	case <-n.lateClosed:
	case <-time.After(5 * time.Second):
		t.Fatal("the late connection stays open")
	}
}

// TestOneClientCannotStallAnother: a reader that stops must hold up only itself.
func TestOneClientCannotStallAnother(t *testing.T) {
	flood := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/flood" {
			for r.Context().Err() == nil {
				if _, err := w.Write(make([]byte, 1<<20)); err != nil {
					return
				}
			}
		}
	}))
	n := startNode(t)
	transport := tunnel.NewTransport(n.dialer(t), fixed{n.pod("a", flood.URL)})
	ctx, cancel := context.WithCancel(t.Context())
	t.Cleanup(func() { cancel(); flood.CloseClientConnections(); flood.Close() })
	get := func(path string) *http.Response {
		req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://release"+path, nil)
		if err != nil {
			t.Fatal(err)
		}
		resp, err := transport.RoundTrip(req)
		if err != nil {
			t.Fatal(err)
		}
		return resp
	}
	stalled := get("/flood")
	defer stalled.Body.Close()
	time.Sleep(200 * time.Millisecond) // its buffers are full now
	done := make(chan struct{})
	go func() {
		for range 20 {
			get("/").Body.Close()
		}
		close(done)
	}()
	select {
	case <-done:
	case <-time.After(10 * time.Second):
		t.Fatal("held up by a client that does not read")
	}
}

func TestPodsTakeTurnsAndDeadOnesAreAvoided(t *testing.T) {
	n := startNode(t)
	server := func(name string) string {
		s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, name) }))
		t.Cleanup(s.Close)
		return s.URL
	}
	pods := fixed{n.pod("a", server("a")), n.pod("b", "http://127.0.0.1:1"), n.pod("c", server("c"))}
	transport := &vllm.Retrying{Base: tunnel.NewTransport(n.dialer(t), pods), Attempts: 2, Fatal: tunnel.Fatal}
	var answered string
	for range 7 {
		req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://release/", nil)
		if err != nil {
			t.Fatal(err)
		}
		resp, err := transport.RoundTrip(req)
		if err != nil {
			t.Fatalf("after %q: %v", answered, err)
		}
		body, _ := io.ReadAll(resp.Body)
		resp.Body.Close()
		answered += string(body)
	}
	if strings.Count(answered, "a") < 3 || strings.Count(answered, "c") < 3 {
		t.Fatalf("answered by %s", answered)
	}
}
