package ui

import (
	"bytes"
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
