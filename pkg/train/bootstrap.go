package train

import (
	"math"
	"math/rand/v2"
	"slices"
)

// bootstrap draws as many examples as there are, with replacement, samples times over, and returns for each column
// the bounds of the middle 95 % of its sums (the percentile method). One draw serves all columns.
func bootstrap(columns [][]int, samples int, seed uint64) [][2]float64 {
	n := len(columns[0])
	// The second word of the generator's seed is a constant: one number is what a user can repeat.
	random := rand.New(rand.NewPCG(seed, 0x9e3779b97f4a7c15))
	sums := make([][]float64, len(columns))
	for c := range sums {
		sums[c] = make([]float64, samples)
	}
	drawn := make([]int, n)
	for s := range samples {
		for i := range drawn {
			drawn[i] = random.IntN(n)
		}
		for c, column := range columns {
			sum := 0
			for _, i := range drawn {
				sum += column[i]
			}
			sums[c][s] = float64(sum)
		}
	}
	bounds := make([][2]float64, len(columns))
	const tail = (100 - confidence) / 200.0
	for c := range sums {
		slices.Sort(sums[c])
		bounds[c] = [2]float64{quantile(sums[c], tail), quantile(sums[c], 1-tail)}
	}
	return bounds
}

// quantile of sorted values, linear between two of them, as NumPy has it.
func quantile(sorted []float64, q float64) float64 {
	at := q * float64(len(sorted)-1)
	low := int(math.Floor(at))
	high := min(low+1, len(sorted)-1)
	return sorted[low] + (at-float64(low))*(sorted[high]-sorted[low])
}
