package runview

import (
	"io"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/kubectl-summarizer/kubectl-summarizer/internal/runs"
)

func screenOf(names ...string) *screen {
	return newScreen(&Follower{ErrOut: io.Discard, Now: func() time.Time { return time.Unix(0, 0) }}, names)
}

// Of one run the loss curve is above the status line, of several a line each; both fit into any
// terminal.
func TestAbove(t *testing.T) {
	one := screenOf("r")
	defer one.close()
	if lines := one.above(80); lines != nil {
		t.Errorf("a curve of nothing: %q", lines)
	}
	for _, line := range []string{
		`{"event":"step","time":"t","step":5,"total":20,"loss":2.5}`, `{"event":"step","time":"t","step":10,"total":20,"loss":1.5}`,
	} {
		one.take(0, runs.Update{Run: at(runs.Training), Pod: "t1", Event: parse(t, line)})
	}
	for width, rows := range map[int]int{80: curveRows + 1, 300: curveRows + 1, 12: 0} {
		lines := one.above(width)
		if len(lines) != rows {
			t.Errorf("%d columns: %d lines", width, len(lines))
		}
		for _, line := range lines {
			if utf8.RuneCountInString(line) > min(width, 100) {
				t.Errorf("%d columns: %q", width, line)
			}
		}
	}

	two := screenOf("a", "longer")
	defer two.close()
	two.take(0, runs.Update{Run: at(runs.Training), Pod: "t1", Event: parse(t, `{"event":"step","time":"t","step":10,"total":20,"loss":1.5}`)})
	want := "a       training: │█████     │ step 10 of 20, loss 1.500\nlonger  looking for the run"
	if got := strings.Join(two.above(80), "\n"); got != want {
		t.Errorf("%s\nwant:\n%s", got, want)
	}
}
