package portforward

import (
	"errors"
	"fmt"
	"net"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/kubectl-summarizer/kubectl-summarizer/internal/failure"
	"github.com/kubectl-summarizer/kubectl-summarizer/internal/tunnel"
)

func TestListen(t *testing.T) {
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	port := taken.Addr().(*net.TCPAddr).Port

	f := &forward{options: &options{address: "127.0.0.1", port: port}}
	err = f.listen(t.Context())
	if err == nil || err.Error() != fmt.Sprintf("port %d of 127.0.0.1 is in use by another program", port) ||
		failure.KindOf(err) != failure.Failed || !strings.Contains(failure.NextOf(err), "--port 0") {
		t.Errorf("a port in use: %v, next %q", err, failure.NextOf(err))
	}

	f.port = 0
	if err := f.listen(t.Context()); err != nil {
		t.Fatal(err)
	}
	defer f.listener.Close()
	if got := f.listener.Addr().(*net.TCPAddr); got.Port == 0 || !got.IP.IsLoopback() {
		t.Errorf("listens on %s", got)
	}

	f.address = "192.0.2.77" // a documentation address, of no machine
	if err := f.listen(t.Context()); err == nil || !strings.HasPrefix(err.Error(), "cannot listen on 192.0.2.77:0: ") {
		t.Errorf("an address of another machine: %v", err)
	}
}

type roundTripper func() (*http.Response, error)

func (f roundTripper) RoundTrip(*http.Request) (*http.Response, error) { return f() }

// TestPodsThatCannotBeReached: each attempt takes 10 s to find out, and a client must not hang
// for six of them; the next request gets as many as the first.
func TestPodsThatCannotBeReached(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		dials := 0
		transport := retrying(roundTripper(func() (*http.Response, error) {
			dials++
			time.Sleep(10 * time.Second)
			return nil, &tunnel.DialError{Pod: "a", Err: errors.New("no tunnel within 10s")}
		}))
		for n := range 2 {
			req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://calls/v1/models", nil)
			if err != nil {
				t.Fatal(err)
			}
			start := time.Now()
			resp, err := transport.RoundTrip(req)
			if err == nil {
				resp.Body.Close()
			}
			if took := time.Since(start); err == nil || took > 31*time.Second || dials != 3*(n+1) {
				t.Errorf("request %d: %v after %s and %d dials", n+1, err, took, dials)
			}
		}
	})
}

func TestAddressToConnectTo(t *testing.T) {
	for listening, want := range map[string]string{"0.0.0.0": "127.0.0.1:8000", "::": "127.0.0.1:8000", "10.1.2.3": "10.1.2.3:8000", "::1": "[::1]:8000"} {
		if got := reachable(&net.TCPAddr{IP: net.ParseIP(listening), Port: 8000}); got != want {
			t.Errorf("%s: %s, want %s", listening, got, want)
		}
	}
}
