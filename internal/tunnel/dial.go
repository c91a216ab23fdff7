package tunnel

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"strconv"
	"sync/atomic"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/portforward"
	"k8s.io/client-go/transport/spdy"
	"k8s.io/streaming/pkg/httpstream"
)

// disableEnv is kubectl's own switch against WebSockets, for networks that break them.
const disableEnv = "KUBECTL_PORT_FORWARD_WEBSOCKETS"

// Dialer opens connections to pods through the API server.
type Dialer struct {
	client   kubernetes.Interface
	config   *rest.Config
	spdyOnly atomic.Bool // this cluster, or something before it, has no WebSockets
}

// NewDialer returns a dialer for the cluster of config.
func NewDialer(client kubernetes.Interface, config *rest.Config) *Dialer {
	d := &Dialer{client: client, config: config}
	if disabled, err := strconv.ParseBool(os.Getenv(disableEnv)); err == nil && !disabled {
		d.spdyOnly.Store(true)
	}
	return d
}

// DialError is a tunnel that could not be opened.
type DialError struct {
	Pod string
	Err error
}

// Error names the pod.
func (e *DialError) Error() string { return fmt.Sprintf("cannot reach pod %s: %v", e.Pod, e.Err) }

// Unwrap gives the cause.
func (e *DialError) Unwrap() error { return e.Err }

// Dial opens one connection to the pod's server port. It has an upgraded request of its own:
// the streams of a shared one have no flow control, so that a client which stops reading
// would hold up all others.
func (d *Dialer) Dial(ctx context.Context, pod Pod) (*Conn, error) {
	session, err := d.session(ctx, pod)
	if err != nil {
		return nil, &DialError{Pod: pod.Name, Err: err}
	}
	conn, err := open(ctx, session, pod)
	if err != nil {
		session.Close()
		return nil, &DialError{Pod: pod.Name, Err: err}
	}
	return conn, nil
}

type dialed struct {
	session httpstream.Connection
	err     error
}

// session upgrades a request to a connection that carries streams. client-go's dialers take
// no context, so one that is given up is closed when it comes.
func (d *Dialer) session(ctx context.Context, pod Pod) (httpstream.Connection, error) {
	result := make(chan dialed, 1)
	go func() {
		session, err := d.upgrade(pod)
		result <- dialed{session, err}
	}()
	select {
	case r := <-result:
		return r.session, r.err
	case <-ctx.Done():
		go func() {
			if r := <-result; r.session != nil {
				r.session.Close()
			}
		}()
		return nil, context.Cause(ctx)
	}
}

func (d *Dialer) upgrade(pod Pod) (httpstream.Connection, error) {
	target := d.client.CoreV1().RESTClient().Post().Resource("pods").
		Namespace(pod.Namespace).Name(pod.Name).SubResource("portforward").URL()
	if d.spdyOnly.Load() {
		return d.spdy(target)
	}
	session, err := d.webSocket(target)
	if err == nil || !(httpstream.IsUpgradeFailure(err) || httpstream.IsHTTPSProxyError(err)) {
		return session, err
	}
	// A missing right is tried again too: SPDY asks for another one (create, not get).
	session, spdyErr := d.spdy(target)
	if spdyErr == nil {
		d.spdyOnly.Store(true)
		return session, nil
	}
	if status := statusOf(err); status != nil {
		return nil, status // SPDY gives the same refusal as bare text
	}
	return nil, spdyErr
}

// statusOf returns the API server's own error in a failed upgrade, or nil.
func statusOf(err error) error {
	var upgrade *httpstream.UpgradeFailureError
	var status *apierrors.StatusError
	if errors.As(err, &upgrade) && errors.As(upgrade.Cause, &status) {
		return status
	}
	return nil
}

func (d *Dialer) webSocket(target *url.URL) (httpstream.Connection, error) {
	dialer, err := portforward.NewSPDYOverWebsocketDialerForStreaming(target, d.config)
	if err != nil {
		return nil, err
	}
	return negotiate(dialer)
}

func (d *Dialer) spdy(target *url.URL) (httpstream.Connection, error) {
	transport, upgrader, err := spdy.RoundTripperFor(d.config)
	if err != nil {
		return nil, err
	}
	return negotiate(spdy.NewDialerForStreaming(upgrader, &http.Client{Transport: transport}, http.MethodPost, target))
}

func negotiate(dialer httpstream.Dialer) (httpstream.Connection, error) {
	session, protocol, err := dialer.Dial(portforward.PortForwardProtocolV1Name)
	if err != nil {
		return nil, err
	}
	if protocol != portforward.PortForwardProtocolV1Name {
		session.Close()
		return nil, fmt.Errorf("the cluster speaks the port-forward protocol %q, not %q", protocol, portforward.PortForwardProtocolV1Name)
	}
	return session, nil
}

// open starts the pair of streams that make one connection: errors and data.
func open(ctx context.Context, session httpstream.Connection, pod Pod) (*Conn, error) {
	stop := context.AfterFunc(ctx, func() { session.Close() })
	defer stop()
	headers := http.Header{}
	headers.Set(corev1.PortHeader, strconv.Itoa(int(pod.Port)))
	headers.Set(corev1.PortForwardRequestIDHeader, "0")
	headers.Set(corev1.StreamType, corev1.StreamTypeError)
	failures, err := session.CreateStream(headers)
	if err != nil {
		return nil, err
	}
	failures.Close() // only read from
	headers.Set(corev1.StreamType, corev1.StreamTypeData)
	data, err := session.CreateStream(headers)
	if err != nil {
		return nil, err
	}
	return newConn(session, data, failures, pod), nil
}
