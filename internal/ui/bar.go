package ui

import (
	"math"
	"strings"
)

// eighths are the blocks that fill one to seven eighths of a column.
var eighths = []rune(" ▏▎▍▌▋▊▉")

// Bar draws how much of total is done, width columns wide with its ends. A total that is not
// known (0) gives an empty bar.
func Bar(done, total float64, width int) string {
	inner := max(width-2, 1)
	share := 0.0
	if total > 0 && !math.IsNaN(done) {
		share = min(max(done/total, 0), 1)
	}
	filled := int(math.Floor(share * float64(inner) * 8))
	bar := []rune(strings.Repeat("█", filled/8))
	if rest := filled % 8; rest > 0 {
		bar = append(bar, eighths[rest])
	}
	return "│" + string(bar) + strings.Repeat(" ", inner-len(bar)) + "│"
}
