package tunnel_test

import (
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/kubectl-summarizer/kubectl-summarizer/internal/tunnel"
	"github.com/kubectl-summarizer/kubectl-summarizer/internal/vllm"
	"github.com/kubectl-summarizer/kubectl-summarizer/internal/vllm/vllmtest"
)

// local is a proxy as port-forward runs it, with its watcher on a cluster of objects.
type local struct {
	*httptest.Server
	release *tunnel.Release
	mu      sync.Mutex
	log     []string
}

func startLocal(t *testing.T, n *node, patience time.Duration, pods ...*corev1.Pod) *local {
	t.Helper()
	l := &local{release: release(deployment("calls", 1))}
	for _, p := range pods {
		l.add(t, p)
	}
	watcher := tunnel.NewWatcher(l.release)
	watcher.Patience = patience
	watcher.Changed = func(added, gone []tunnel.Pod, _ int) {
		for _, p := range added {
			l.note("+" + p.Name)
		}
		for _, p := range gone {
			l.note("-" + p.Name)
		}
	}
	if err := watcher.Run(t.Context()); err != nil {
		t.Fatal(err)
	}
	transport := &vllm.Retrying{Base: tunnel.NewTransport(n.dialer(t), watcher), Attempts: 6, Backoff: time.Millisecond, Fatal: tunnel.Fatal}
	l.Server = httptest.NewServer(tunnel.NewProxy(transport, func(error) { l.note("lost") }))
	t.Cleanup(l.Close)
	return l
}

func (l *local) add(t *testing.T, p *corev1.Pod) {
	t.Helper()
	if _, err := l.release.Client.CoreV1().Pods("ns").Create(t.Context(), p, metav1.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
}

func (l *local) remove(t *testing.T, name string) {
	t.Helper()
	if err := l.release.Client.CoreV1().Pods("ns").Delete(t.Context(), name, metav1.DeleteOptions{}); err != nil {
		t.Fatal(err)
	}
}

func (l *local) note(what string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.log = append(l.log, what)
}

// waitFor waits until the log is as wanted.
func (l *local) waitFor(t *testing.T, want string) {
	t.Helper()
	got := ""
	for range 200 {
		l.mu.Lock()
		got = strings.Join(l.log, " ")
		l.mu.Unlock()
		if got == want {
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
	t.Fatalf("log %q, want %q", got, want)
}

func (l *local) client(t *testing.T) *vllm.Client {
	t.Helper()
	c, err := vllm.New(l.URL, &http.Transport{})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestProxySpreadsRequestsOfOneClient(t *testing.T) {
	n, a, b := startNode(t), vllmtest.Start(t), vllmtest.Start(t)
	n.pod("a", a.URL)
	n.pod("b", b.URL)
	l := startLocal(t, n, 0, pod("a"), pod("b"))
	c := l.client(t)
	for range 10 {
		if _, err := c.Chat(t.Context(), request); err != nil {
			t.Fatal(err)
		}
	}
	if len(a.Requests()) != 5 || len(b.Requests()) != 5 {
		t.Fatalf("%d and %d requests", len(a.Requests()), len(b.Requests()))
	}
}

// TestProxyOutlivesPods: pods come and go, die without notice and drain; every request is
// answered, and streamed token by token.
func TestProxyOutlivesPods(t *testing.T) {
	n, a, b := startNode(t), vllmtest.Start(t), vllmtest.Start(t)
	n.pod("a", a.URL)
	n.pod("b", b.URL)
	l := startLocal(t, n, time.Second, pod("a"))
	c := l.client(t)
	summarize := func(when string) {
		t.Helper()
		var pieces []string
		answer, err := c.ChatStream(t.Context(), request, func(s string) error { pieces = append(pieces, s); return nil })
		if err != nil || answer.Text != "Amanda baked cookies." || len(pieces) != 4 {
			t.Fatalf("%s: %+v, %q, %v", when, answer, pieces, err)
		}
	}
	summarize("with one pod")
	l.add(t, pod("b"))
	l.waitFor(t, "+a +b")
	a.Close() // dead, but the cluster does not know yet
	for range 4 {
		summarize("with a dead pod")
	}
	l.remove(t, "a")
	l.waitFor(t, "+a +b -a")
	b.Fail(vllmtest.Draining, vllmtest.Busy)
	summarize("with a draining and a busy pod")
	l.remove(t, "b")
	l.waitFor(t, "+a +b -a -b")
	time.AfterFunc(100*time.Millisecond, func() { l.add(t, pod("b")) })
	summarize("before the next pod is ready")
}

// TestRestartsCostNoCharacter: between requests the pod's server is replaced by a new one, over
// and over, while the connections to the old one are kept. Every answer comes whole and once.
func TestRestartsCostNoCharacter(t *testing.T) {
	var pieces []string
	for i := range 200 {
		pieces = append(pieces, fmt.Sprintf(" %d", i))
	}
	want := strings.Join(pieces, "")
	n := startNode(t)
	var l *local
	for round := range 15 {
		server := vllmtest.Start(t)
		server.Pieces = pieces
		n.pod("a", server.URL)
		if l == nil {
			l = startLocal(t, n, time.Second, pod("a"))
		}
		sent := 1
		switch round % 3 {
		case 1:
			n.cut() // the tunnels break with the old server
		case 2: // killed with a request in its hands
			server.Fail(func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) })
			sent = 2
		}
		var got strings.Builder
		answer, err := l.client(t).ChatStream(t.Context(), request, func(s string) error { got.WriteString(s); return nil })
		if err != nil || got.String() != want || answer.Text != want {
			t.Fatalf("round %d: %q, %v", round, got.String(), err)
		}
		if len(server.Requests()) != sent {
			t.Fatalf("round %d: the server got %d requests, want %d", round, len(server.Requests()), sent)
		}
		server.CloseClientConnections()
		server.Close()
	}
}

func TestProxyWithoutAPod(t *testing.T) {
	l := startLocal(t, startNode(t), 50*time.Millisecond, pod("a", notReady))
	_, err := l.client(t).Chat(t.Context(), request)
	var refused *vllm.APIError
	if !errors.As(err, &refused) || refused.Status != 503 || !refused.Transient() || refused.RetryAfter != 5*time.Second ||
		!strings.HasPrefix(refused.Message, `no pod of release "calls" is ready: pod a is loading the model`) {
		t.Fatalf("%+v, %v", refused, err)
	}
}

func TestProxyClosesAnAnswerThatBreaksOff(t *testing.T) {
	n, a := startNode(t), vllmtest.Start(t)
	a.Pieces = []string{"Amanda", ""}
	n.pod("a", a.URL)
	l := startLocal(t, n, 0, pod("a"))
	answer, err := l.client(t).ChatStream(t.Context(), request, ignore)
	var broken *vllm.TruncatedError
	if !errors.As(err, &broken) || answer.Text != "Amanda" || len(a.Requests()) != 1 {
		t.Fatalf("%+v, %v", answer, err)
	}
	l.waitFor(t, "+a lost")
}

// TestProxyRepeatsOnlyWhatIsSafe: an adapter must not be loaded twice.
func TestProxyRepeatsOnlyWhatIsSafe(t *testing.T) {
	var calls int
	backend := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		calls++
		vllmtest.Busy(w, r)
	}))
	defer backend.Close()
	n := startNode(t)
	n.pod("a", backend.URL)
	l := startLocal(t, n, 0, pod("a"))
	for path, want := range map[string]int{"/v1/load_lora_adapter": 1, "/v1/completions": 6} {
		calls = 0
		resp, err := http.Post(l.URL+path, "application/json", strings.NewReader(`{"lora_name":"x"}`))
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		if calls != want || resp.StatusCode != http.StatusServiceUnavailable {
			t.Errorf("%s was sent %d times, want %d; status %d", path, calls, want, resp.StatusCode)
		}
	}
}

func TestProxyPassesOnWhatItGets(t *testing.T) {
	backend := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("X-Seen", fmt.Sprint(r.Method, " ", r.URL.RequestURI(), " ", r.Header.Get("Authorization"), " ", r.ContentLength))
		w.WriteHeader(http.StatusTeapot)
	}))
	defer backend.Close()
	n := startNode(t)
	n.pod("a", backend.URL)
	l := startLocal(t, n, 0, pod("a"))
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPut, l.URL+"/a%2Fb?c=d", strings.NewReader("body"))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer x")
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	if got := resp.Header.Get("X-Seen"); resp.StatusCode != http.StatusTeapot || got != "PUT /a%2Fb?c=d Bearer x 4" {
		t.Fatalf("%d %q", resp.StatusCode, got)
	}
}
