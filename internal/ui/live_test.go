package ui

import (
	"bytes"
	"strings"
	"sync"
	"testing"
	"time"
)

// A log that is not a terminal gets one line a phase, and hears that the wait goes on.
func TestLiveInALog(t *testing.T) {
	var out safeBuffer
	clock := time.Unix(1000, 0)
	var mu sync.Mutex
	now := func() time.Time { mu.Lock(); defer mu.Unlock(); return clock }
	live := NewLive(&out, now)
	live.Set("loading", "shard 1")
	live.Set("loading", "shard\n2")
	mu.Lock()
	clock = clock.Add(heartbeat + 5*time.Second)
	mu.Unlock()
	deadline := time.Now().Add(5 * time.Second)
	for out.String() == "loading: shard 1\n" && time.Now().Before(deadline) {
		time.Sleep(10 * time.Millisecond)
	}
	live.Set("ready", "")
	live.Close()
	want := "loading: shard 1\nloading (35s): shard 2\nready\n"
	if out.String() != want {
		t.Errorf("got %q, want %q", out.String(), want)
	}
}

type safeBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (s *safeBuffer) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.Write(p)
}

func (s *safeBuffer) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.String()
}

func TestDuration(t *testing.T) {
	for d, want := range map[time.Duration]string{
		-time.Second: "0s", 8 * time.Second: "8s", 125 * time.Second: "2m05s", 3*time.Hour + 10*time.Minute: "3h10m", 100 * time.Hour: "4d",
	} {
		if got := Duration(d); got != want {
			t.Errorf("Duration(%d) = %s, want %s", d, got, want)
		}
	}
}

// On a terminal the lines above and the status line are drawn over, however many there are,
// and nothing of them stays when they go.
func TestLiveDrawsOverItself(t *testing.T) {
	var out bytes.Buffer
	l := &Live{w: &out, terminal: true, now: func() time.Time { return time.Unix(0, 0) }}
	drawn := func(do func()) string {
		out.Reset()
		do()
		return out.String()
	}
	l.Set("training", "step 1")
	for _, step := range []struct {
		name string
		do   func()
		want string
	}{
		{"one line", l.tick, "\rtraining: step 1\x1b[K"},
		{"with a chart", func() {
			l.Above(func(int) []string { return []string{"a", "b"} })
			l.tick()
		}, "\ra\x1b[K\nb\x1b[K\ntraining: step 1\x1b[K"},
		{"again", l.tick, "\r\x1b[2Aa\x1b[K\nb\x1b[K\ntraining: step 1\x1b[K"},
		{"a message", func() { l.Printf("warning: %s", "w") }, "\r\x1b[2A\x1b[Jwarning: w\n"},
		{"after it", l.tick, "\ra\x1b[K\nb\x1b[K\ntraining: step 1\x1b[K"},
		{"fewer lines", func() {
			l.Above(nil)
			l.tick()
		}, "\r\x1b[2Atraining: step 1\x1b[K\x1b[J"},
		{"more lines than the screen has", func() {
			l.Above(func(int) []string { return make([]string, 100) })
			l.tick()
		}, "\r" + strings.Repeat("\x1b[K\n", 22) + "training: step 1\x1b[K"},
	} {
		if got := drawn(step.do); got != step.want {
			t.Errorf("%s: %q, want %q", step.name, got, step.want)
		}
	}
}
