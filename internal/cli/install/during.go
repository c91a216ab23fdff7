package install

import (
	"fmt"
	"sync"
	"time"

	"github.com/kubectl-summarizer/kubectl-summarizer/internal/ui"
)

// patience is how long a step may take before it is named; most pass in a moment.
const patience = 2 * time.Second

// during does a step of the installation, and says what is waited for when it takes long.
func (o *options) during(step string, work func() error) error {
	o.live = ui.NewLive(o.f.Streams.ErrOut, o.f.Now)
	done := make(chan struct{})
	var named sync.WaitGroup
	named.Go(func() {
		select {
		case <-done:
		case <-time.After(patience):
			o.live.Set(step, "")
		}
	})
	err := work()
	close(done)
	named.Wait()
	o.live.Close()
	o.live = nil
	return err
}

// say writes a line, above the one that says what is waited for.
func (o *options) say(format string, args ...any) {
	if o.live != nil {
		o.live.Printf(format, args...)
		return
	}
	fmt.Fprintf(o.f.Streams.ErrOut, format+"\n", args...)
}

func (o *options) warn(message string) { o.say("warning: %s", message) }
