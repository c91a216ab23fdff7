package portforward

import (
	"fmt"
	"net"
	"strings"
	"testing"

	"github.com/kubectl-summarizer/kubectl-summarizer/internal/failure"
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

func TestAddressToConnectTo(t *testing.T) {
	for listening, want := range map[string]string{"0.0.0.0": "127.0.0.1:8000", "::": "127.0.0.1:8000", "10.1.2.3": "10.1.2.3:8000", "::1": "[::1]:8000"} {
		if got := reachable(&net.TCPAddr{IP: net.ParseIP(listening), Port: 8000}); got != want {
			t.Errorf("%s: %s, want %s", listening, got, want)
		}
	}
}
