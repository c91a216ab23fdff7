package tunnel

import (
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"strings"
	"time"

	"k8s.io/streaming/pkg/httpstream"
)

// verdictWait is how long the end of a connection waits for the node to say why it ended:
// the reason comes in a stream of its own, often just behind the end of the data.
const verdictWait = 250 * time.Millisecond

// Conn is a connection to a pod's port. Its streams know no deadlines: end it by Close.
type Conn struct {
	session httpstream.Connection
	data    httpstream.Stream
	pod     Pod
	ended   chan struct{} // closed when the node has nothing more to say
	failure error         // what it said; read after ended
}

// BrokenError is a connection that the pod's node could not make or keep.
type BrokenError struct {
	Pod    string
	Reason string
}

// Error gives the node's reason.
func (e *BrokenError) Error() string {
	return fmt.Sprintf("the connection to pod %s failed: %s", e.Pod, e.Reason)
}

func newConn(session httpstream.Connection, data, failures httpstream.Stream, pod Pod) *Conn {
	c := &Conn{session: session, data: data, pod: pod, ended: make(chan struct{})}
	go func() {
		defer close(c.ended)
		message, _ := io.ReadAll(io.LimitReader(failures, 8<<10)) // an error here is the end of the session
		if len(message) > 0 {
			c.failure = &BrokenError{Pod: pod.Name, Reason: nodeReason(string(message), pod.Port)}
			session.Close() // some runtimes leave the data stream open
		}
	}()
	return c
}

// nodeReason shortens the commonest report of container runtimes, which is a paragraph of
// sandbox identifiers around two words.
func nodeReason(message string, port int32) string {
	message = strings.TrimSpace(message)
	if strings.Contains(message, "connection refused") {
		return fmt.Sprintf("nothing listens on its port %d", port)
	}
	return message
}

// Read returns what the pod sends. When the node said why the connection ended, that is
// the error instead of io.EOF.
func (c *Conn) Read(p []byte) (int, error) {
	n, err := c.data.Read(p)
	if err == nil {
		return n, nil
	}
	select {
	case <-c.ended:
		if c.failure != nil {
			return n, c.failure
		}
	case <-time.After(verdictWait):
	}
	return n, err
}

// Write sends to the pod.
func (c *Conn) Write(p []byte) (int, error) {
	n, err := c.data.Write(p)
	if err != nil {
		select {
		case <-c.ended:
			if c.failure != nil {
				return n, c.failure
			}
		default:
		}
	}
	return n, err
}

// Close ends the connection on both sides at once, so that a server stops what it was
// working on for it.
func (c *Conn) Close() error {
	return errors.Join(c.data.Reset(), c.session.Close())
}

type addr string

func (a addr) Network() string { return "port-forward" }
func (a addr) String() string  { return string(a) }

// LocalAddr is a name, not an address: there is no socket on this side.
func (c *Conn) LocalAddr() net.Addr { return addr("local") }

// RemoteAddr names the pod and its port.
func (c *Conn) RemoteAddr() net.Addr { return addr(fmt.Sprintf("%s:%d", c.pod.Name, c.pod.Port)) }

// SetDeadline is refused: the streams have none.
func (c *Conn) SetDeadline(time.Time) error { return os.ErrNoDeadline }

// SetReadDeadline is refused: the streams have none.
func (c *Conn) SetReadDeadline(time.Time) error { return os.ErrNoDeadline }

// SetWriteDeadline is refused: the streams have none.
func (c *Conn) SetWriteDeadline(time.Time) error { return os.ErrNoDeadline }
