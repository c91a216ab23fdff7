package ui

import (
	"fmt"
	"io"
	"sync"
	"time"
)

// patience is how long a step may take before it is named; most pass in a moment.
const patience = 2 * time.Second

// Steps tells of what a command does before it follows anything: a step is named once it
// takes long. The zero value is of no use: give it a writer and a clock.
type Steps struct {
	W   io.Writer
	Now func() time.Time

	live *Live // says what is waited for, while a step is under way
}

// During does one step, and says what is waited for when it takes long.
func (s *Steps) During(step string, work func() error) error {
	s.live = NewLive(s.W, s.Now)
	done := make(chan struct{})
	var named sync.WaitGroup
	named.Go(func() {
		select {
		case <-done:
		case <-time.After(patience):
			s.live.Set(step, "")
		}
	})
	err := work()
	close(done)
	named.Wait()
	s.live.Close()
	s.live = nil
	return err
}

// Say writes a line, above the one that says what is waited for.
func (s *Steps) Say(format string, args ...any) {
	if s.live != nil {
		s.live.Printf(format, args...)
		return
	}
	fmt.Fprintf(s.W, format+"\n", args...)
}

// Warn writes a warning.
func (s *Steps) Warn(message string) { s.Say("warning: %s", message) }
