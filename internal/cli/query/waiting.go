package query

import (
	"fmt"
	"io"
	"sync"
	"time"

	"github.com/kubectl-summarizer/kubectl-summarizer/internal/ui"
)

const (
	// quiet is how long a wait may last without a word on a terminal.
	quiet = 2 * time.Second
	// logEvery is how often a log that is not a terminal hears of a wait.
	logEvery = 30 * time.Second
)

// waiting says what is being waited for once that takes long, in a line that vanishes when
// the answer begins.
type waiting struct {
	w        io.Writer
	terminal bool

	mu    sync.Mutex
	what  string
	since time.Time
	drawn bool
	ended bool
	end   chan struct{}
}

func newWaiting(w io.Writer) *waiting {
	s := &waiting{w: w, terminal: ui.IsTerminal(w), since: time.Now(), end: make(chan struct{})}
	go s.run()
	return s
}

func (s *waiting) set(what string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.what, s.since = what, time.Now()
}

// stop ends the line; it may be called again.
func (s *waiting) stop() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.ended {
		return
	}
	s.ended = true
	close(s.end)
	if s.drawn && s.terminal {
		fmt.Fprint(s.w, "\r\x1b[K")
	}
}

func (s *waiting) run() {
	first, every := logEvery, logEvery
	if s.terminal {
		first, every = quiet, time.Second
	}
	timer := time.NewTimer(first)
	defer timer.Stop()
	for {
		select {
		case <-s.end:
			return
		case <-timer.C:
			s.draw()
			timer.Reset(every)
		}
	}
}

func (s *waiting) draw() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.ended || s.what == "" {
		return
	}
	line := fmt.Sprintf("%s (%s)", s.what, ui.Duration(time.Since(s.since)))
	if !s.terminal {
		fmt.Fprintln(s.w, line)
		return
	}
	fmt.Fprintf(s.w, "\r%s\x1b[K", line)
	s.drawn = true
}
