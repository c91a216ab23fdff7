package train

import (
	"fmt"
	"slices"
	"strings"
)

// Verdict says how the first of two runs compares with the second.
type Verdict string

// Verdicts. Of two runs without a difference the smaller model is the one to take.
const (
	Better       Verdict = "better"
	Worse        Verdict = "worse"
	NoDifference Verdict = "no difference"
)

// Comparison is a paired comparison of two runs on the same examples.
type Comparison struct {
	Examples int    `json:"examples"`
	Split    string `json:"split"`
	// Samples of the bootstrap, and the confidence of its intervals in percent.
	Samples    int                `json:"samples"`
	Confidence int                `json:"confidence"`
	Metrics    []MetricComparison `json:"metrics"`
	Verdict    Verdict            `json:"verdict"`
	// Reason is why, in one sentence.
	Reason string `json:"reason"`
}

// MetricComparison compares one metric, as F1 from 0 to 1.
type MetricComparison struct {
	Metric string `json:"metric"`
	// A and B are the means of the two runs.
	A float64 `json:"a"`
	B float64 `json:"b"`
	// Difference is A less B: its mean and the bounds of its interval.
	Difference Interval `json:"difference"`
}

// verdictMetric decides; the others can only take a verdict back.
const verdictMetric = "rouge1"

// confidence of the intervals in percent.
const confidence = 95

// fewestExamples from which a verdict is dared: the bootstrap of fewer is too sure of itself.
const fewestExamples = 20

// Compare compares a with b. samples and seed are of the bootstrap: the same give the same intervals.
//
// Both runs answered the same examples, so that the difference is taken example by example, and the examples are
// drawn in pairs with replacement: what makes some dialogues harder than others falls out (Koehn, "Statistical
// Significance Tests for Machine Translation Evaluation", 2004).
//
// A is better when the whole interval of the difference in ROUGE-1 is above zero and no other metric's is below
// it; worse the other way round. Runs that were judged on different examples are an error.
func Compare(a, b ExampleScores, samples int, seed uint64) (Comparison, error) {
	if err := sameExamples(a, b); err != nil {
		return Comparison{}, err
	}
	if samples < 1 {
		return Comparison{}, fmt.Errorf("%d samples of the bootstrap are too few", samples)
	}
	c := Comparison{Examples: len(a.Scores), Split: a.Split, Samples: samples, Confidence: confidence}
	var differences [][]int
	for m, metric := range a.Metrics {
		inB := slices.Index(b.Metrics, metric)
		column := make([]int, len(a.Scores))
		var sumA, sumB int
		for i := range a.Scores {
			column[i] = a.Scores[i][m] - b.Scores[i][inB]
			sumA, sumB = sumA+a.Scores[i][m], sumB+b.Scores[i][inB]
		}
		differences = append(differences, column)
		c.Metrics = append(c.Metrics, MetricComparison{
			Metric: metric, A: c.mean(float64(sumA)), B: c.mean(float64(sumB)), Difference: Interval{c.mean(float64(sumA - sumB))},
		})
	}
	for m, bounds := range bootstrap(differences, samples, seed) {
		c.Metrics[m].Difference[1], c.Metrics[m].Difference[2] = c.mean(bounds[0]), c.mean(bounds[1])
	}
	c.decide()
	return c, nil
}

func (c *Comparison) mean(sum float64) float64 { return sum / float64(c.Examples) / scoreScale }

// sameExamples refuses runs whose scores cannot be paired.
func sameExamples(a, b ExampleScores) error {
	switch {
	case a.SplitSHA256 == "" || a.SplitSHA256 != b.SplitSHA256:
		return fmt.Errorf("the runs were judged on different examples (%s %.12s and %s %.12s): "+
			"judge both on the same data and split, with the same limits", a.Split, a.SplitSHA256, b.Split, b.SplitSHA256)
	case len(a.Scores) != len(b.Scores):
		return fmt.Errorf("the runs have scores of %d and %d examples of the same split", len(a.Scores), len(b.Scores))
	case !slices.Contains(a.Metrics, verdictMetric):
		return fmt.Errorf("the first run has no scores in %s, but in %s", verdictMetric, strings.Join(a.Metrics, ", "))
	}
	for _, metric := range a.Metrics {
		if !slices.Contains(b.Metrics, metric) {
			return fmt.Errorf("the second run has no scores in %s, but in %s", metric, strings.Join(b.Metrics, ", "))
		}
	}
	return nil
}

// decide draws the verdict from the intervals.
func (c *Comparison) decide() {
	var rouge1 Interval
	var above, below []string
	for _, m := range c.Metrics {
		if m.Metric == verdictMetric {
			rouge1 = m.Difference
		} else if m.Difference[1] > 0 {
			above = append(above, m.Metric)
		} else if m.Difference[2] < 0 {
			below = append(below, m.Metric)
		}
	}
	range95 := fmt.Sprintf("%+.2f to %+.2f points", 100*rouge1[1], 100*rouge1[2])
	c.Verdict = NoDifference
	switch {
	case c.Examples < fewestExamples:
		c.Reason = fmt.Sprintf("%d examples are too few to tell; %d are the least", c.Examples, fewestExamples)
	case rouge1[1] <= 0 && rouge1[2] >= 0:
		c.Reason = fmt.Sprintf("the %d %% interval of the difference in %s, %s, includes zero", confidence, verdictMetric, range95)
	case rouge1[1] > 0 && len(below) > 0:
		c.Reason = fmt.Sprintf("%s is better, by %s, but %s is worse", verdictMetric, range95, strings.Join(below, ", "))
	case rouge1[2] < 0 && len(above) > 0:
		c.Reason = fmt.Sprintf("%s is worse, by %s, but %s is better", verdictMetric, range95, strings.Join(above, ", "))
	default:
		c.Verdict = Better
		if rouge1[2] < 0 {
			c.Verdict = Worse
		}
		c.Reason = fmt.Sprintf("the whole %d %% interval of the difference in %s is %s", confidence, verdictMetric, range95)
	}
}
