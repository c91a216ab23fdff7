package query

import (
	"fmt"
	"io"
	"os"
	"strings"
	"sync"
	"time"

	"golang.org/x/term"

	"github.com/kubectl-summarizer/kubectl-summarizer/internal/ui"
)

const (
	// quiet is how long a wait may last without a word.
	quiet = 2 * time.Second
	// logEvery is how often a log that is not a terminal hears that the wait goes on.
	logEvery = 30 * time.Second
	// redraw is how often it is looked whether there is something to say.
	redraw = 250 * time.Millisecond
)

// waiting says what is being waited for once that takes long: on a terminal in a line that
// vanishes when the answer begins, elsewhere in a line at first, one for news that last and
// one each half minute.
type waiting struct {
	w        io.Writer
	terminal bool
	begun    time.Time

	mu           sync.Mutex
	what, why    string
	since        time.Time // of what
	changed      time.Time // the latest news
	said         string    // what was printed last, without its time
	printed      time.Time
	drawn, ended bool
	end          chan struct{}
}

func newWaiting(w io.Writer) *waiting {
	s := &waiting{w: w, terminal: ui.IsTerminal(w), begun: time.Now(), end: make(chan struct{})}
	go s.run()
	return s
}

// set names what is being waited for.
func (s *waiting) set(what string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if what != s.what {
		s.what, s.why = what, ""
		s.since = time.Now()
		s.changed = s.since
	}
}

// again says why the same is asked for once more.
func (s *waiting) again(why error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if text := "asking again: " + why.Error(); text != s.why {
		s.why, s.changed = text, time.Now()
	}
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
	if s.drawn {
		fmt.Fprint(s.w, "\r\x1b[K")
	}
}

func (s *waiting) run() {
	ticker := time.NewTicker(redraw)
	defer ticker.Stop()
	for {
		select {
		case <-s.end:
			return
		case <-ticker.C:
			s.tick()
		}
	}
}

func (s *waiting) tick() {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := time.Now()
	switch {
	case s.ended || s.what == "" || now.Sub(s.begun) < quiet:
	case s.terminal:
		fmt.Fprintf(s.w, "\r%s\x1b[K", s.fitted(s.line(now)))
		s.drawn = true
	case s.due(now):
		fmt.Fprintln(s.w, s.line(now))
		s.printed, s.said = now, s.what+s.why
	}
}

// due says whether a log is to hear of the wait now.
func (s *waiting) due(now time.Time) bool {
	if s.what+s.why != s.said && now.Sub(s.changed) >= quiet {
		return true
	}
	return now.Sub(s.printed) >= logEvery
}

func (s *waiting) line(now time.Time) string {
	line := s.what
	// What has just begun has no time worth telling.
	if so := now.Sub(s.since); so >= time.Second {
		line += " (" + ui.Duration(so) + ")"
	}
	if s.why != "" {
		line += "; " + s.why
	}
	return strings.ReplaceAll(line, "\n", " ")
}

// fitted cuts a line to the width of the terminal: one that wraps cannot be drawn over.
func (s *waiting) fitted(line string) string {
	width := 80
	if file, ok := s.w.(*os.File); ok {
		if columns, _, err := term.GetSize(int(file.Fd())); err == nil && columns > 0 {
			width = columns
		}
	}
	if text := []rune(line); len(text) >= width {
		return string(text[:max(width-2, 0)]) + "…"
	}
	return line
}
