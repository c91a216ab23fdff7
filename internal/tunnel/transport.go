package tunnel

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
)

const (
	// dialTimeout bounds a tunnel's opening: to a node that has died, it would hang.
	dialTimeout = 10 * time.Second
	// idleConn is shorter than the 5 s after which vLLM closes an idle connection itself.
	idleConn = 4 * time.Second
	// shunned is how long a pod that could not be reached is tried last. The cluster takes 40 s
	// to notice that a node has died, and calls its pods ready until then.
	shunned = 20 * time.Second
)

// Transport sends HTTP requests to the ready pods of a source in turn, whatever host they
// are addressed to. A request fails when its pod does; repeating it takes the next pod.
type Transport struct {
	// Chosen, when set, hears which pod a request goes to.
	Chosen func(Pod)

	source Source
	http   *http.Transport

	mu      sync.Mutex
	next    int
	avoided map[string]time.Time // by pod UID
}

// NewTransport returns a transport over the dialer's cluster.
func NewTransport(dialer *Dialer, source Source) *Transport {
	return &Transport{
		source:  source,
		avoided: map[string]time.Time{},
		http: &http.Transport{
			DialContext: func(ctx context.Context, _, address string) (net.Conn, error) {
				ctx, cancel := context.WithTimeoutCause(ctx, dialTimeout, fmt.Errorf("no tunnel within %s", dialTimeout))
				defer cancel()
				pod, err := podOf(address)
				if err != nil {
					return nil, err
				}
				conn, err := dialer.Dial(ctx, pod)
				if err != nil {
					return nil, err
				}
				return conn, nil
			},
			DisableCompression:  true,
			MaxIdleConnsPerHost: 256,
			IdleConnTimeout:     idleConn,
			WriteBufferSize:     64 << 10,
			ReadBufferSize:      32 << 10,
		},
	}
}

// RoundTrip sends the request to one ready pod.
func (t *Transport) RoundTrip(req *http.Request) (*http.Response, error) {
	pods, err := t.source.Ready(req.Context())
	if err != nil {
		closeBody(req)
		return nil, &sourceError{err}
	}
	pod := t.choose(pods)
	if t.Chosen != nil {
		t.Chosen(pod)
	}
	out := req.Clone(req.Context())
	out.URL.Scheme, out.URL.Host = "http", hostOf(pod)
	if out.Host == "" {
		out.Host = req.URL.Host
	}
	resp, err := t.http.RoundTrip(out)
	var dial *DialError
	var broken *BrokenError
	switch {
	case errors.As(err, &broken):
		t.avoid(pod)
		return resp, broken // without the name of the function in net/http that met it
	case errors.As(err, &dial):
		t.avoid(pod)
	}
	return resp, err
}

// Close ends the connections that no request uses.
func (t *Transport) Close() { t.http.CloseIdleConnections() }

// choose takes the pods in turn, those that failed lately last.
func (t *Transport) choose(pods []Pod) Pod {
	t.mu.Lock()
	defer t.mu.Unlock()
	start := t.next
	t.next++
	for i := range pods {
		pod := pods[(start+i)%len(pods)]
		if since, avoided := t.avoided[pod.UID]; !avoided || time.Since(since) > shunned {
			delete(t.avoided, pod.UID)
			return pod
		}
	}
	return pods[start%len(pods)]
}

func (t *Transport) avoid(pod Pod) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.avoided[pod.UID] = time.Now()
}

// sourceError marks an error of asking which pods there are.
type sourceError struct{ error }

func (e *sourceError) Unwrap() error { return e.error }

// Fatal says whether err will be the same at the next attempt: no pod is ready, or the
// cluster cannot be asked, or refuses.
func Fatal(err error) bool {
	var source *sourceError
	return errors.As(err, &source) || apierrors.IsForbidden(err) || apierrors.IsUnauthorized(err)
}

// hostOf writes a pod as a host, so that net/http pools connections by pod.
func hostOf(pod Pod) string {
	return net.JoinHostPort(strings.Join([]string{pod.Name, pod.Namespace, pod.UID}, "."), strconv.Itoa(int(pod.Port)))
}

// podOf reads hostOf's form. Of its parts only the pod's name may hold dots.
func podOf(address string) (Pod, error) {
	host, port, err := net.SplitHostPort(address)
	if err != nil {
		return Pod{}, err
	}
	number, err := strconv.ParseInt(port, 10, 32)
	if err != nil {
		return Pod{}, err
	}
	parts := strings.Split(host, ".")
	if len(parts) < 3 {
		return Pod{}, fmt.Errorf("%q is not a pod's address", host)
	}
	n := len(parts)
	return Pod{Name: strings.Join(parts[:n-2], "."), Namespace: parts[n-2], UID: parts[n-1], Port: int32(number)}, nil
}

func closeBody(req *http.Request) {
	if req.Body != nil {
		req.Body.Close()
	}
}
