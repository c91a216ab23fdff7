package ui

import (
	"fmt"
	"io"
	"strings"
	"sync"
	"time"
)

const (
	// redraw limits how often the line is drawn, so that it does not flicker.
	redraw = 200 * time.Millisecond
	// heartbeat is how often a log that is not a terminal hears that the wait goes on.
	heartbeat = 30 * time.Second
)

// Live shows what is being waited for: on a terminal one line that is drawn over, with the
// time so far; elsewhere one line a change and one each half minute.
type Live struct {
	w        io.Writer
	terminal bool
	now      func() time.Time

	mu      sync.Mutex
	phase   string
	detail  string
	since   time.Time
	printed time.Time
	drawn   bool
	stop    chan struct{}
	done    chan struct{}
}

// NewLive starts a status line on w; Close ends it.
func NewLive(w io.Writer, now func() time.Time) *Live {
	l := &Live{w: w, terminal: IsTerminal(w), now: now, stop: make(chan struct{}), done: make(chan struct{})}
	go l.run()
	return l
}

// Set names the phase and a detail of it. A new phase keeps the finished one on the screen
// with the time that it took; a new detail only changes the line.
func (l *Live) Set(phase, detail string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if phase == l.phase {
		l.detail = detail
		return
	}
	l.finish()
	l.phase, l.detail, l.since = phase, detail, l.now()
	if !l.terminal {
		l.println()
	}
}

// Printf writes a line of its own above the status line.
func (l *Live) Printf(format string, args ...any) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.clear()
	fmt.Fprintf(l.w, format+"\n", args...)
}

// Close ends the status line, leaving the last phase on the screen.
func (l *Live) Close() {
	close(l.stop)
	<-l.done
	l.mu.Lock()
	defer l.mu.Unlock()
	l.finish()
	l.phase = ""
}

func (l *Live) run() {
	defer close(l.done)
	ticker := time.NewTicker(redraw)
	defer ticker.Stop()
	for {
		select {
		case <-l.stop:
			return
		case <-ticker.C:
			l.tick()
		}
	}
}

func (l *Live) tick() {
	l.mu.Lock()
	defer l.mu.Unlock()
	switch {
	case l.phase == "":
	case l.terminal:
		l.draw()
	case l.now().Sub(l.printed) >= heartbeat:
		l.println()
	}
}

func (l *Live) line() string {
	text := l.phase
	// A phase that has just begun has no time worth telling.
	if so := l.now().Sub(l.since); so >= time.Second {
		text += " (" + Duration(so) + ")"
	}
	if l.detail != "" {
		text += ": " + l.detail
	}
	return text
}

func (l *Live) draw() {
	text := []rune(strings.ReplaceAll(l.line(), "\n", " "))
	if limit := max(width(l.w)-1, 1); len(text) > limit {
		text = append(text[:limit-1], '…')
	}
	fmt.Fprintf(l.w, "\r%s\x1b[K", string(text))
	l.drawn = true
}

func (l *Live) println() {
	fmt.Fprintln(l.w, strings.ReplaceAll(l.line(), "\n", " "))
	l.printed = l.now()
}

func (l *Live) clear() {
	if l.drawn {
		fmt.Fprint(l.w, "\r\x1b[K")
		l.drawn = false
	}
}

// finish leaves the ended phase with its time, unless it passed in a moment; only a
// terminal needs it said again.
func (l *Live) finish() {
	if l.phase == "" || !l.terminal {
		return
	}
	l.clear()
	if took := l.now().Sub(l.since); took >= time.Second {
		fmt.Fprintf(l.w, "%s: %s\n", l.phase, Duration(took))
	}
}
