package portforward

import (
	"fmt"
	"io"
	"sync"
	"time"

	"github.com/kubectl-summarizer/kubectl-summarizer/internal/cluster"
	"github.com/kubectl-summarizer/kubectl-summarizer/internal/tunnel"
)

// logger writes one line a change, with the time of day: this command runs for hours.
type logger struct {
	mu  sync.Mutex
	w   io.Writer
	now func() time.Time
}

func (l *logger) printf(format string, args ...any) {
	l.mu.Lock()
	defer l.mu.Unlock()
	fmt.Fprintf(l.w, "%s  %s\n", l.now().Format(time.TimeOnly), fmt.Sprintf(format, args...))
}

// changed tells of pods that came and went.
func (f *forward) changed(added, gone []tunnel.Pod, ready int) {
	for _, pod := range gone {
		f.log.printf("pod %s takes no more requests%s", pod.Name, left(ready))
	}
	for _, pod := range added {
		f.log.printf("pod %s is ready", pod.Name)
	}
}

func left(ready int) string {
	switch ready {
	case 0:
		return fmt.Sprintf("; no other is ready: requests wait %s, then get a 503", patience)
	case 1:
		return "; 1 is ready"
	}
	return fmt.Sprintf("; %d are ready", ready)
}

// trouble tells of a cluster that cannot be watched: the pods known so far stay in use.
func (f *forward) trouble(err error) {
	if err == nil {
		f.log.printf("the cluster answers again")
		return
	}
	f.log.printf("cannot follow the pods: %v", cluster.Explain(err))
}
