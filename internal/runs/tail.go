package runs

import (
	"bufio"
	"cmp"
	"context"
	"errors"
	"io"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
)

const (
	// reopen is the pause before a log that broke off is opened again.
	reopen = time.Second
	// longestLine bounds what is kept of one line: a program may write without end.
	longestLine = 1 << 20
)

// tail reads the log of one container to its end, each line once, over broken connections.
type tail struct {
	client         kubernetes.Interface
	namespace, pod string
	container      string
	// once: what is there is read, and what comes later is not waited for.
	once bool

	// last is the time of the last line, and seen how many lines had it: the server can be asked
	// for lines from a second on, and gives those again that were read already.
	last time.Time
	seen int
}

// Logs hands over the lines of a pod's log; with follow it goes on until the pod has ended.
func (o *Observer) Logs(ctx context.Context, pod *Pod, follow bool, line func(string) error) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	var broken error
	t := &tail{client: o.Client, namespace: o.Namespace, pod: pod.Name, container: pod.container, once: !follow}
	err := t.run(ctx, func(text string) {
		if broken == nil {
			if broken = line(text); broken != nil {
				cancel()
			}
		}
	})
	return cmp.Or(broken, err)
}

// run calls line for each line until the container has ended and its log is read, or the pod is
// gone, or ctx ends. Whoever may not read logs gets the refusal.
func (t *tail) run(ctx context.Context, line func(text string)) error {
	for {
		// Looked at before the log is opened: what ended before has written all that it will.
		ended, err := t.ended(ctx)
		if err == nil {
			err = t.read(ctx, line)
			if err == nil && (ended || t.once) {
				return nil
			}
		}
		switch {
		case ctx.Err() != nil:
			return context.Cause(ctx)
		case apierrors.IsNotFound(err):
			return nil
		case apierrors.IsForbidden(err), apierrors.IsUnauthorized(err), t.once:
			return err
		}
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-time.After(reopen):
		}
	}
}

// ended says whether the container runs no more.
func (t *tail) ended(ctx context.Context) (bool, error) {
	pod, err := t.client.CoreV1().Pods(t.namespace).Get(ctx, t.pod, metav1.GetOptions{})
	if err != nil {
		return false, err
	}
	if pod.Status.Phase == corev1.PodSucceeded || pod.Status.Phase == corev1.PodFailed {
		return true, nil
	}
	for _, c := range pod.Status.ContainerStatuses {
		if c.Name == t.container && c.State.Terminated != nil {
			return true, nil
		}
	}
	return false, nil
}

// read reads from where it stopped until the stream ends.
func (t *tail) read(ctx context.Context, line func(string)) error {
	options := &corev1.PodLogOptions{Container: t.container, Follow: !t.once, Timestamps: true}
	if !t.last.IsZero() {
		since := metav1.NewTime(t.last)
		options.SinceTime = &since
	}
	stream, err := t.client.CoreV1().Pods(t.namespace).GetLogs(t.pod, options).Stream(ctx)
	if err != nil {
		return err
	}
	defer stream.Close()
	again := t.seen // lines of the last moment that come again
	reader := bufio.NewReaderSize(stream, 64<<10)
	for {
		text, err := readLine(reader)
		if text != "" {
			at, rest := stamped(text)
			switch {
			case at.IsZero():
				// A server that gives no times cannot be asked to go on from one either.
				line(rest)
			case at.Before(t.last):
			case at.Equal(t.last) && again > 0:
				again--
			default:
				t.note(at)
				line(rest)
			}
		}
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
	}
}

func (t *tail) note(at time.Time) {
	if !at.Equal(t.last) {
		t.last, t.seen = at, 0
	}
	t.seen++
}

// readLine returns the next line without its end, cut at the longest that is kept.
func readLine(reader *bufio.Reader) (string, error) {
	var line strings.Builder
	for {
		part, more, err := reader.ReadLine()
		if line.Len() < longestLine {
			line.Write(part)
		}
		if err != nil || !more {
			return line.String(), err
		}
	}
}

// stamped cuts the time off a line of a log.
func stamped(line string) (time.Time, string) {
	stamp, text, found := strings.Cut(line, " ")
	if at, err := time.Parse(time.RFC3339Nano, stamp); found && err == nil {
		return at, text
	}
	return time.Time{}, line
}
