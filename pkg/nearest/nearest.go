// Package nearest finds the name that a mistyped one most likely meant.
package nearest

import "strings"

// shortestPrefix is the fewest letters that say which longer name they begin.
const shortestPrefix = 3

// Name returns the candidate with the fewest edits to typed, and whether it is near enough
// to be worth offering: at most a third of the longer name's letters, and at least one,
// differ. A name that begins with what was typed is nearer than any.
func Name(typed string, candidates []string) (string, bool) {
	best, bestDistance := "", -1
	for _, candidate := range candidates {
		if len(typed) >= shortestPrefix && strings.HasPrefix(strings.ToLower(candidate), strings.ToLower(typed)) {
			return candidate, true
		}
		d := distance(strings.ToLower(typed), strings.ToLower(candidate))
		if bestDistance < 0 || d < bestDistance {
			best, bestDistance = candidate, d
		}
	}
	limit := max(1, max(len(typed), len(best))/3)
	return best, bestDistance >= 0 && bestDistance <= limit
}

// distance is the optimal string alignment distance: insertions, deletions, substitutions
// and swaps of neighbours, since a swap is the commonest slip of the fingers.
func distance(a, b string) int {
	x, y := []rune(a), []rune(b)
	rows := make([][]int, len(x)+1)
	for i := range rows {
		rows[i] = make([]int, len(y)+1)
		rows[i][0] = i
	}
	for j := range rows[0] {
		rows[0][j] = j
	}
	for i := 1; i <= len(x); i++ {
		for j := 1; j <= len(y); j++ {
			cost := 1
			if x[i-1] == y[j-1] {
				cost = 0
			}
			rows[i][j] = min(rows[i-1][j]+1, rows[i][j-1]+1, rows[i-1][j-1]+cost)
			if i > 1 && j > 1 && x[i-1] == y[j-2] && x[i-2] == y[j-1] {
				rows[i][j] = min(rows[i][j], rows[i-2][j-2]+1)
			}
		}
	}
	return rows[len(x)][len(y)]
}
