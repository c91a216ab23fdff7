package query

import (
	"bytes"
	"errors"
	"os"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// TestWaitingInALog: the first line comes after two seconds, the next ones seldom: when there
// is news that lasts, and each half minute.
func TestWaitingInALog(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var log bytes.Buffer
		w := newWaiting(&log)
		after := func(d time.Duration, want string) {
			t.Helper()
			time.Sleep(d)
			synctest.Wait()
			w.mu.Lock() // which the other side writes under
			defer w.mu.Unlock()
			if got := log.String(); got != want {
				t.Errorf("got %q, want %q", got, want)
			}
			log.Reset()
		}
		w.set("connecting")
		after(1900*time.Millisecond, "")
		w.set("waiting")
		after(200*time.Millisecond, "waiting\n") // two seconds of silence, whatever passed meanwhile
		after(20*time.Second, "")
		w.again(errors.New("busy"))
		after(time.Second, "")
		w.again(errors.New("the server\nanswered 503"))
		after(2500*time.Millisecond, "waiting (23s); asking again: the server answered 503\n")
		w.again(errors.New("the server\nanswered 503"))
		after(29*time.Second, "")
		after(2*time.Second, "waiting (53s); asking again: the server answered 503\n")
		w.set("reading")
		w.stop()
		w.stop()
		after(time.Hour, "")
	})
}

// TestWaitingFitsTheTerminal: a line that wraps would be left behind at every redraw.
func TestWaitingFitsTheTerminal(t *testing.T) {
	file, err := os.CreateTemp(t.TempDir(), "")
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	w := &waiting{w: file}
	for _, n := range []int{10, 79, 80, 500} {
		if got := []rune(w.fitted(strings.Repeat("é", n))); len(got) != min(n, 79) {
			t.Errorf("%d characters of %d on a terminal of 80", len(got), n)
		}
	}
}
