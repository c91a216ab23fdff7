package release

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"
)

// Helm's own RunWithContext returns at once and goes on in the background; the process
// would then end in the middle.
func TestFinishWaitsForWorkThatCannotBeCancelled(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		start := time.Now()
		done, err := finish(ctx, func() (bool, error) { time.Sleep(10 * time.Second); return true, nil })
		if !done || err != nil || time.Since(start) != 10*time.Second {
			t.Errorf("got %v, %v after %s", done, err, time.Since(start))
		}
	})
}

func TestFinishGivesUp(t *testing.T) {
	for name, test := range map[string]struct {
		cancelAfter, wait time.Duration
		want              error
	}{
		"after Ctrl-C":    {time.Second, time.Second + settleLimit, context.Canceled},
		"when it hangs":   {time.Hour, applyLimit, context.DeadlineExceeded},
		"before it began": {0, settleLimit, context.Canceled},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				ctx, cancel := context.WithCancel(t.Context())
				defer cancel()
				go func() { time.Sleep(test.cancelAfter); cancel() }()
				start := time.Now()
				_, err := finish(ctx, func() (bool, error) { time.Sleep(2 * time.Hour); return true, nil })
				if !errors.Is(err, test.want) || time.Since(start) != test.wait {
					t.Errorf("got %v after %s, want %v after %s", err, time.Since(start), test.want, test.wait)
				}
				time.Sleep(3 * time.Hour)
			})
		})
	}
}

// The record of a killed Apply is taken over after a minute, so no Apply may last that long.
func TestNoApplyOutlivesItsRecord(t *testing.T) {
	if applyLimit+10*time.Second > abandonedAfter {
		t.Errorf("an Apply may last %s, its record counts as abandoned after %s", applyLimit, abandonedAfter)
	}
}
