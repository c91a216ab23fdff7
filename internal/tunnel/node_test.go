package tunnel_test

import (
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"github.com/gorilla/websocket"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/runtime/schema"
	forwardnames "k8s.io/apimachinery/pkg/util/portforward"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/portforward"
	"k8s.io/streaming/pkg/httpstream"
	"k8s.io/streaming/pkg/httpstream/spdy"

	"github.com/kubectl-summarizer/kubectl-summarizer/internal/tunnel"
)

// node is the far end of port-forwards with Kubernetes' own protocol code: it upgrades by
// WebSocket or by SPDY and connects each pair of streams to a local server, one a pod. The
// API server, the kubelet and the runtime of a real cluster are covered end to end.
type node struct {
	api *httptest.Server

	mu         sync.Mutex
	backends   map[string]string // address by pod name
	upgrades   []string          // "websocket" and "spdy", in the order of success
	sessions   []httpstream.Connection
	noSockets  bool // WebSockets are refused as by an old proxy
	forbidden  bool
	hang       chan struct{} // upgrades wait for it when not nil
	lateClosed chan struct{}
}

func startNode(t *testing.T) *node {
	n := &node{backends: map[string]string{}, lateClosed: make(chan struct{}, 16)}
	n.api = httptest.NewServer(http.HandlerFunc(n.serve))
	t.Cleanup(func() {
		n.cut()
		n.api.CloseClientConnections()
		n.api.Close()
	})
	return n
}

func (n *node) dialer(t *testing.T) *tunnel.Dialer {
	t.Helper()
	config := &rest.Config{Host: n.api.URL}
	client, err := kubernetes.NewForConfig(config)
	if err != nil {
		t.Fatal(err)
	}
	return tunnel.NewDialer(client, config)
}

// pod adds a pod whose port is the server at url.
func (n *node) pod(name, url string) tunnel.Pod {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.backends[name] = strings.TrimPrefix(url, "http://")
	return tunnel.Pod{Namespace: "ns", Name: name, UID: "uid-" + name, Port: 8000}
}

// cut breaks all connections, as the end of a node does.
func (n *node) cut() {
	n.mu.Lock()
	defer n.mu.Unlock()
	for _, session := range n.sessions {
		session.Close()
	}
	n.sessions = nil
}

func (n *node) upgraded() string {
	n.mu.Lock()
	defer n.mu.Unlock()
	return strings.Join(n.upgrades, " ")
}

func (n *node) serve(w http.ResponseWriter, r *http.Request) {
	parts := strings.Split(r.URL.Path, "/")
	if len(parts) != 8 || parts[7] != "portforward" || parts[4] != "ns" {
		http.NotFound(w, r)
		return
	}
	n.mu.Lock()
	backend, found := n.backends[parts[6]]
	hang := n.hang
	n.mu.Unlock()
	if hang != nil {
		<-hang
	}
	switch {
	case n.forbidden:
		status := apierrors.NewForbidden(schema.GroupResource{Resource: "pods/portforward"}, parts[6], fmt.Errorf("no such right")).Status()
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(http.StatusForbidden)
		_ = json.NewEncoder(w).Encode(status)
	case !found:
		http.Error(w, "pod not found", http.StatusNotFound)
	case websocket.IsWebSocketUpgrade(r) && n.noSockets:
		http.Error(w, "no WebSockets here", http.StatusBadRequest)
	case websocket.IsWebSocketUpgrade(r):
		n.serveWebSocket(w, r, backend)
	default:
		n.serveSPDY(w, r, backend)
	}
}

func (n *node) serveWebSocket(w http.ResponseWriter, r *http.Request, backend string) {
	upgrader := websocket.Upgrader{Subprotocols: []string{forwardnames.WebsocketsSPDYTunnelingPortForwardV1}}
	socket, err := upgrader.Upgrade(w, r, nil)
	if err != nil {
		return
	}
	accept, handle := pairs(backend)
	session, err := spdy.NewServerConnection(portforward.NewTunnelingConnection("node", socket), accept)
	if err != nil {
		return
	}
	n.keep("websocket", session, handle)
}

func (n *node) serveSPDY(w http.ResponseWriter, r *http.Request, backend string) {
	if _, err := httpstream.Handshake(r, w, []string{portforward.PortForwardProtocolV1Name}); err != nil {
		return
	}
	accept, handle := pairs(backend)
	session := spdy.NewResponseUpgrader().UpgradeResponse(w, r, accept)
	if session == nil {
		return
	}
	n.keep("spdy", session, handle)
}

func (n *node) keep(kind string, session httpstream.Connection, handle func(httpstream.Connection)) {
	n.mu.Lock()
	n.upgrades = append(n.upgrades, kind)
	n.sessions = append(n.sessions, session)
	n.mu.Unlock()
	handle(session)
	n.lateClosed <- struct{}{}
}

// pairs connects an error stream and a data stream to the backend.
func pairs(backend string) (httpstream.NewStreamHandler, func(httpstream.Connection)) {
	streams := make(chan httpstream.Stream, 2)
	accept := func(stream httpstream.Stream, _ <-chan struct{}) error {
		streams <- stream
		return nil
	}
	return accept, func(session httpstream.Connection) {
		var failures, data httpstream.Stream
		for failures == nil || data == nil {
			select {
			case stream := <-streams:
				if stream.Headers().Get(corev1.StreamType) == corev1.StreamTypeError {
					failures = stream
				} else {
					data = stream
				}
			case <-session.CloseChan():
				return
			}
		}
		connect(backend, failures, data)
		<-session.CloseChan()
	}
}

func connect(backend string, failures, data httpstream.Stream) {
	defer failures.Close()
	defer data.Close()
	conn, err := net.Dial("tcp", backend)
	if err != nil {
		fmt.Fprintf(failures, "error forwarding port 8000 to pod 1234, uid : %v IPv6 dial tcp6: no suitable address found", err)
		return
	}
	defer conn.Close()
	go func() {
		_, _ = io.Copy(conn, data)
		conn.Close()
	}()
	_, _ = io.Copy(data, conn)
}
