package ui

import (
	"fmt"
	"math"
	"strings"
)

// Braille patterns have two columns of four dots; dots[column][row] is a dot's bit.
const (
	brailleBase    = 0x2800
	brailleColumns = 2
	brailleRows    = 4
)

var dots = [brailleColumns][brailleRows]rune{{0x01, 0x02, 0x04, 0x40}, {0x08, 0x10, 0x20, 0x80}}

// labelWidth is what the numbers of the y axis take, with the axis itself.
const labelWidth = 7

// Curve is a line chart of values over steps, drawn in braille dots.
type Curve struct {
	// End is the step at the right edge; the last one seen when it is 0 or less than that.
	End    int
	points []point
}

type point struct {
	step  int
	value float64
}

// Add adds a value. What goes back to an earlier step, as a run that went on from a
// checkpoint does, replaces what came after it; a value that is no number is left out.
func (c *Curve) Add(step int, value float64) {
	for len(c.points) > 0 && c.points[len(c.points)-1].step >= step {
		c.points = c.points[:len(c.points)-1]
	}
	if !math.IsNaN(value) && !math.IsInf(value, 0) {
		c.points = append(c.points, point{step, value})
	}
}

// Lines draws the curve in so many rows and columns, and one row more for the axis below. It
// is nil for fewer than two values, or where there is no room.
func (c *Curve) Lines(width, rows int) []string {
	columns := width - labelWidth
	if len(c.points) < 2 || columns < 8 || rows < 2 {
		return nil
	}
	end := max(c.End, c.points[len(c.points)-1].step)
	heights := c.columns(columns*brailleColumns, end)
	low, high := bounds(heights)
	grid := plot(heights, low, high, rows)
	lines := make([]string, 0, rows+1)
	for i, row := range grid {
		label := strings.Repeat(" ", labelWidth-1) + "│"
		switch i {
		case 0:
			label = fmt.Sprintf("%*s┤", labelWidth-1, number(high))
		case rows - 1:
			label = fmt.Sprintf("%*s┤", labelWidth-1, number(low))
		}
		// Some fonts draw the pattern without dots as circles.
		text := strings.ReplaceAll(string(row), string(rune(brailleBase)), " ")
		lines = append(lines, label+strings.TrimRight(text, " "))
	}
	last := fmt.Sprintf(" %d", end)
	axis := strings.Repeat("─", max(columns-len(last), 0))
	return append(lines, strings.Repeat(" ", labelWidth-1)+"└"+axis+last)
}

// columns averages the values that fall into one column of dots; NaN where there is none.
func (c *Curve) columns(n, end int) []float64 {
	sums, counts := make([]float64, n), make([]int, n)
	for _, p := range c.points {
		at := min(max(p.step, 0)*n/max(end, 1), n-1)
		sums[at] += p.value
		counts[at]++
	}
	for i := range sums {
		if counts[i] == 0 {
			sums[i] = math.NaN()
			continue
		}
		sums[i] /= float64(counts[i])
	}
	return interpolated(sums)
}

// interpolated fills the gaps between two values with a straight line.
func interpolated(values []float64) []float64 {
	last := -1
	for i, v := range values {
		if math.IsNaN(v) {
			continue
		}
		for j := last + 1; last >= 0 && j < i; j++ {
			values[j] = values[last] + (v-values[last])*float64(j-last)/float64(i-last)
		}
		last = i
	}
	return values
}

func bounds(values []float64) (low, high float64) {
	low, high = math.Inf(1), math.Inf(-1)
	for _, v := range values {
		if !math.IsNaN(v) {
			low, high = min(low, v), max(high, v)
		}
	}
	if low == high {
		return low - 0.5, high + 0.5
	}
	return low, high
}

// plot sets the dots, and those between two neighbours, so that a steep curve has no gaps.
func plot(values []float64, low, high float64, rows int) [][]rune {
	grid := make([][]rune, rows)
	for i := range grid {
		grid[i] = []rune(strings.Repeat(string(rune(brailleBase)), len(values)/brailleColumns))
	}
	height := rows * brailleRows
	level := func(v float64) int { return int(math.Round((high - v) / (high - low) * float64(height-1))) }
	before := -1
	for x, v := range values {
		if math.IsNaN(v) {
			continue
		}
		y := level(v)
		from, to := y, y
		switch {
		case before >= 0 && before < y:
			from = before + 1
		case before > y:
			to = before - 1
		}
		for dot := from; dot <= to; dot++ {
			grid[dot/brailleRows][x/brailleColumns] |= dots[x%brailleColumns][dot%brailleRows]
		}
		before = y
	}
	return grid
}

// number writes a label of at most six columns.
func number(v float64) string {
	switch size := math.Abs(v); {
	case size >= 100000:
		return fmt.Sprintf("%.0e", v)
	case size >= 100:
		return fmt.Sprintf("%.0f", v)
	case size >= 0.01 || size == 0:
		return fmt.Sprintf("%.2f", v)
	}
	return fmt.Sprintf("%.0e", v)
}
