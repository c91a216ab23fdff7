package runview

import (
	"fmt"
	"sync"
	"time"

	"github.com/kubectl-summarizer/kubectl-summarizer/internal/runs"
	"github.com/kubectl-summarizer/kubectl-summarizer/internal/ui"
)

// screen is where the runs are shown: on a terminal the loss curve of one run, or a line for
// each of several, above the status line; elsewhere lines.
type screen struct {
	now      func() time.Time
	terminal bool
	live     *ui.Live

	mu     sync.Mutex
	tracks []*track
	// shown is when the status line of each run changed last, and said what a log was told of it.
	shown []time.Time
	said  []string
	left  int
}

func newScreen(f *Follower, names []string) *screen {
	s := &screen{
		now: f.Now, terminal: ui.IsTerminal(f.ErrOut), live: ui.NewLive(f.ErrOut, f.Now),
		shown: make([]time.Time, len(names)), said: make([]string, len(names)), left: len(names),
	}
	for _, name := range names {
		s.tracks = append(s.tracks, newTrack(name, f.Now))
	}
	s.live.Above(s.above)
	return s
}

func (s *screen) close() { s.live.Close() }

// take shows news of run i. Followers of several runs call it at once.
func (s *screen) take(i int, u runs.Update) {
	s.mu.Lock()
	lines := s.tracks[i].take(u)
	s.mu.Unlock()
	for _, line := range lines {
		if len(s.tracks) > 1 {
			line = s.tracks[i].name + ": " + line
		}
		s.live.Printf("%s", line)
	}
	s.mu.Lock()
	due := u.Event == nil && u.Pod == "" || s.now().Sub(s.shown[i]) >= settle
	if due {
		s.shown[i] = s.now()
	}
	s.mu.Unlock()
	if due {
		s.refresh(i)
	}
}

// over notes that one run is followed no more.
func (s *screen) over(i int) {
	s.mu.Lock()
	s.left--
	last := s.left == 0
	curve := s.tracks[i].curve.Lines(80, curveRows)
	s.mu.Unlock()
	if !last {
		s.refresh(i)
		return
	}
	s.live.Above(nil)
	if s.terminal && len(s.tracks) == 1 {
		for _, line := range curve {
			s.live.Printf("%s", line)
		}
	}
}

// refresh shows what run i does now.
func (s *screen) refresh(i int) {
	s.mu.Lock()
	one := len(s.tracks) == 1
	bar := 0
	if s.terminal {
		bar = barWidth
	}
	phase, detail := s.tracks[i].status(bar)
	over := s.tracks[i].run != nil && s.tracks[i].run.State.Over()
	left := s.left
	s.mu.Unlock()
	switch {
	case one && over:
		// What it came to is told at once.
	case one:
		s.live.Set(phase, detail)
	case s.terminal:
		s.live.Set(fmt.Sprintf("%d runs", len(s.tracks)), fmt.Sprintf("%d at work", left))
	default:
		s.log(i, phase, detail)
	}
}

// log tells a log of one of several runs: of each phase, and that it goes on.
func (s *screen) log(i int, phase, detail string) {
	s.mu.Lock()
	t := s.tracks[i]
	due := phase != s.said[i] || s.now().Sub(t.logged) >= heartbeat
	if due {
		s.said[i], t.logged = phase, s.now()
	}
	s.mu.Unlock()
	if !due {
		return
	}
	if detail != "" {
		phase += ": " + detail
	}
	s.live.Printf("%s: %s", t.name, phase)
}

// above are the lines above the status line.
func (s *screen) above(width int) []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.tracks) == 1 {
		return s.tracks[0].curve.Lines(min(width-1, 100), curveRows)
	}
	longest := 0
	for _, t := range s.tracks {
		longest = max(longest, len(t.name))
	}
	var lines []string
	for _, t := range s.tracks {
		phase, detail := t.status(shortBar)
		if detail != "" {
			phase += ": " + detail
		}
		lines = append(lines, fmt.Sprintf("%-*s  %s", longest, t.name, phase))
	}
	return lines
}
