package ui

import (
	"bytes"
	"errors"
	"testing"
	"testing/synctest"
	"time"
)

// What passes in a moment is not named; what takes long is, and its warnings come as they are.
func TestDuring(t *testing.T) {
	for takes, want := range map[time.Duration]string{
		time.Second:     "warning: w\n",
		3 * time.Second: "checking\nwarning: w\n",
	} {
		synctest.Test(t, func(t *testing.T) {
			var out bytes.Buffer
			steps := &Steps{W: &out, Now: time.Now}
			err := steps.During("checking", func() error {
				time.Sleep(takes)
				steps.Warn("w")
				return errors.New("refused")
			})
			if err == nil || err.Error() != "refused" || out.String() != want {
				t.Errorf("%s: error %v, stderr %q", takes, err, out.String())
			}
		})
	}
}
