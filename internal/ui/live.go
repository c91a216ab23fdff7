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
	block   func(width int) []string
	drawn   int // lines on the screen that are drawn over
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

// Above puts lines above the status line, such as a chart, which are made anew each time that
// it is drawn, for the width of the terminal; nil takes them away. Only a terminal shows them.
func (l *Live) Above(lines func(width int) []string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.block = lines
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
	columns, rows := size(l.w)
	var lines []string
	if l.block != nil {
		lines = l.block(columns)
	}
	// What does not fit on the screen cannot be drawn over.
	lines = append(lines[:min(len(lines), max(rows-2, 0))], l.line())
	var b strings.Builder
	b.WriteString(home(l.drawn))
	for i, text := range lines {
		if i > 0 {
			b.WriteByte('\n')
		}
		b.WriteString(fit(text, columns) + "\x1b[K")
	}
	if l.drawn > len(lines) {
		b.WriteString("\x1b[J")
	}
	fmt.Fprint(l.w, b.String())
	l.drawn = len(lines)
}

// home goes back to the first of the lines that were drawn.
func home(drawn int) string {
	if drawn > 1 {
		return fmt.Sprintf("\r\x1b[%dA", drawn-1)
	}
	return "\r"
}

// fit cuts a text to one line of the terminal: one that wraps cannot be drawn over.
func fit(text string, columns int) string {
	line := []rune(strings.ReplaceAll(text, "\n", " "))
	if limit := max(columns-1, 1); len(line) > limit {
		line = append(line[:limit-1], '…')
	}
	return string(line)
}

func (l *Live) println() {
	fmt.Fprintln(l.w, strings.ReplaceAll(l.line(), "\n", " "))
	l.printed = l.now()
}

func (l *Live) clear() {
	if l.drawn > 0 {
		fmt.Fprint(l.w, home(l.drawn)+"\x1b[J")
		l.drawn = 0
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
