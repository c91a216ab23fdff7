package ui

import (
	"math"
	"strings"
	"testing"
	"unicode/utf8"
)

func TestCurve(t *testing.T) {
	var falling Curve
	falling.End = 100
	for step := 1; step <= 60; step++ {
		falling.Add(step, 1.4+0.9*math.Exp(-float64(step)/12))
	}
	var flat Curve
	flat.Add(1, 2)
	flat.Add(50, 2)
	for name, test := range map[string]struct {
		curve *Curve
		want  string
	}{
		"a loss that falls, with room for what is to come": {&falling, `
  2.19┤⠱⡀
      │ ⠱⡀
      │  ⠘⢄⡀
  1.41┤    ⠈⠑⠢⠤⠤⣀⣀⣀⣀⣀
      └─────────────────── 100`},
		"a flat one": {&flat, `
  2.50┤
      │
      │⠉⠉⠉⠉⠉⠉⠉⠉⠉⠉⠉⠉⠉⠉⠉⠉⠉⠉⠉⠉⠉⠉⠉
  1.50┤
      └──────────────────── 50`},
	} {
		if got := "\n" + strings.Join(test.curve.Lines(30, 4), "\n"); got != test.want {
			t.Errorf("%s:%s\nwant:%s", name, got, test.want)
		}
	}
}

// Whatever the terminal's size, the chart fits into it.
func TestCurveFits(t *testing.T) {
	for _, width := range []int{0, 5, 14, 15, 20, 80, 200} {
		for _, rows := range []int{0, 1, 2, 3, 8} {
			var c Curve
			for step := 1; step < 5000; step += 7 {
				c.Add(step, float64(step%300)*1e4)
			}
			lines := c.Lines(width, rows)
			if width >= 15 && rows >= 2 && len(lines) != rows+1 || (width < 15 || rows < 2) && lines != nil {
				t.Errorf("%d x %d: %d lines", width, rows, len(lines))
			}
			for _, line := range lines {
				if n := utf8.RuneCountInString(line); n > width {
					t.Errorf("%d x %d: %q is %d wide", width, rows, line, n)
				}
			}
		}
	}
}

// A run that goes on from a checkpoint repeats steps: their first losses are gone.
func TestCurveGoesBack(t *testing.T) {
	var c Curve
	for _, step := range []int{5, 10, 15, 20} {
		c.Add(step, 9)
	}
	c.Add(10, 1)
	c.Add(15, math.NaN())
	c.Add(20, math.Inf(1))
	if len(c.points) != 2 || c.points[0] != (point{5, 9}) || c.points[1] != (point{10, 1}) {
		t.Errorf("%v", c.points)
	}
}

func TestCurveOfNothing(t *testing.T) {
	var c Curve
	if lines := c.Lines(80, 6); lines != nil {
		t.Error(lines)
	}
	c.Add(1, 2)
	if lines := c.Lines(80, 6); lines != nil {
		t.Error(lines)
	}
}
