package train_test

import (
	"encoding/json"
	"math"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/kubectl-summarizer/kubectl-summarizer/pkg/train"
)

func scores(t *testing.T, name string) train.ExampleScores {
	t.Helper()
	s, err := train.ParseScores(mustRead(t, filepath.Join("testdata", "compare", name+".json")))
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// expected.json says how NumPy worked these out, with other random numbers and twenty times as many samples as a
// user takes. A bound of 50,000 samples is off by 0.012 standard errors (one sigma); five percent are four sigma.
func TestCompareAgreesWithNumPy(t *testing.T) {
	var expected map[string]json.RawMessage
	if err := json.Unmarshal(mustRead(t, filepath.Join("testdata", "compare", "expected.json")), &expected); err != nil {
		t.Fatal(err)
	}
	for name, verdict := range map[string]train.Verdict{"better": train.Better, "tie": train.NoDifference} {
		var want struct{ A, B, Mean, Low, High, SE []float64 }
		if err := json.Unmarshal(expected[name], &want); err != nil {
			t.Fatal(err)
		}
		got, err := train.Compare(scores(t, name), scores(t, "b"), 50_000, 1)
		if err != nil {
			t.Fatal(err)
		}
		if got.Verdict != verdict {
			t.Errorf("%s: %s (%s), want %s", name, got.Verdict, got.Reason, verdict)
		}
		for m, metric := range got.Metrics {
			for what, pair := range map[string][3]float64{
				"mean of a":  {metric.A, want.A[m], 1e-8},
				"mean of b":  {metric.B, want.B[m], 1e-8},
				"difference": {metric.Difference[0], want.Mean[m], 1e-8},
				"low":        {metric.Difference[1], want.Low[m], 0.05 * want.SE[m]},
				"high":       {metric.Difference[2], want.High[m], 0.05 * want.SE[m]},
			} {
				if math.Abs(pair[0]-pair[1]) > pair[2] {
					t.Errorf("%s: %s of %s is %g, NumPy has %g", name, what, metric.Metric, pair[0], pair[1])
				}
			}
		}
	}
}

// Of four differences all 256 draws can be listed: 5 have a sum below 2 and 15 one of at most 2, so that the 2.5 %
// point is 2; 5 have a sum above 16 and 9 one of at least 16.
func TestCompareIsTheBootstrap(t *testing.T) {
	a := train.ExampleScores{Version: 1, Split: "test", SplitSHA256: "4", Metrics: []string{"rouge1"}, Scores: [][]int{{0}, {1}, {2}, {5}}}
	b := a
	b.Scores = [][]int{{0}, {0}, {0}, {0}}
	got, err := train.Compare(a, b, 50_000, 1)
	if err != nil {
		t.Fatal(err)
	}
	want := train.Interval{8.0 / 4 / 10000, 2.0 / 4 / 10000, 16.0 / 4 / 10000}
	if got.Metrics[0].Difference != want {
		t.Errorf("got %v, want %v", got.Metrics[0].Difference, want)
	}
	if got.Verdict != train.NoDifference || !strings.Contains(got.Reason, "too few") {
		t.Errorf("four examples are enough: %s, %s", got.Verdict, got.Reason)
	}
}

func TestCompareIsTheSameEachTime(t *testing.T) {
	a, b := scores(t, "better"), scores(t, "b")
	first, err := train.Compare(a, b, 1000, 1)
	if err != nil {
		t.Fatal(err)
	}
	again, err := train.Compare(a, b, 1000, 1)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(first, again); diff != "" {
		t.Errorf("the same seed differs:\n%s", diff)
	}
	other, err := train.Compare(a, b, 1000, 2)
	if err != nil {
		t.Fatal(err)
	}
	if other.Metrics[0].Difference == first.Metrics[0].Difference {
		t.Error("another seed draws the same")
	}
}

func TestCompareTurnedRoundIsWorse(t *testing.T) {
	got, err := train.Compare(scores(t, "b"), scores(t, "better"), 2000, 1)
	if err != nil || got.Verdict != train.Worse {
		t.Errorf("got %s (%s), %v", got.Verdict, got.Reason, err)
	}
}

func TestCompareWithItselfIsNoDifference(t *testing.T) {
	got, err := train.Compare(scores(t, "b"), scores(t, "b"), 200, 1)
	if err != nil || got.Verdict != train.NoDifference || got.Metrics[0].Difference != (train.Interval{}) {
		t.Errorf("got %+v, %v", got, err)
	}
}

// A run that gains in ROUGE-1 by losing in another metric is not better.
func TestCompareTakesAVerdictBack(t *testing.T) {
	a, b := scores(t, "better"), scores(t, "b")
	for i := range a.Scores {
		a.Scores[i][1] = max(0, b.Scores[i][1]-200)
	}
	got, err := train.Compare(a, b, 2000, 1)
	if err != nil || got.Verdict != train.NoDifference || !strings.Contains(got.Reason, "rouge2 is worse") {
		t.Errorf("got %s (%s), %v", got.Verdict, got.Reason, err)
	}
}

// Metrics are matched by name.
func TestCompareMatchesMetrics(t *testing.T) {
	a, b := scores(t, "better"), scores(t, "b")
	want, err := train.Compare(a, b, 500, 1)
	if err != nil {
		t.Fatal(err)
	}
	slices.Reverse(b.Metrics)
	for i := range b.Scores {
		slices.Reverse(b.Scores[i])
	}
	got, err := train.Compare(a, b, 500, 1)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("another order of metrics differs:\n%s", diff)
	}
}

func TestCompareRefusesWhatCannotBePaired(t *testing.T) {
	for name, c := range map[string]struct {
		change  func(b *train.ExampleScores)
		samples int
		want    string
	}{
		"other examples":  {func(b *train.ExampleScores) { b.SplitSHA256 = "other" }, 10, "different examples"},
		"other number":    {func(b *train.ExampleScores) { b.Scores = b.Scores[1:] }, 10, "300 and 299"},
		"missing metric":  {func(b *train.ExampleScores) { b.Metrics = []string{"rouge1", "rouge2", "rougeL", "meteor"} }, 10, "rougeLsum"},
		"without samples": {func(*train.ExampleScores) {}, 0, "samples"},
	} {
		b := scores(t, "b")
		c.change(&b)
		if _, err := train.Compare(scores(t, "better"), b, c.samples, 1); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestParseScoresRefusesWhatIsNotWhole(t *testing.T) {
	for name, document := range map[string]string{
		"no JSON":       `{`,
		"version":       `{"version":2,"metrics":["rouge1"],"scores":[[1]]}`,
		"no examples":   `{"version":1,"metrics":["rouge1"],"scores":[]}`,
		"short row":     `{"version":1,"metrics":["rouge1","rouge2"],"scores":[[1,2],[1]]}`,
		"beyond 1":      `{"version":1,"metrics":["rouge1"],"scores":[[10001]]}`,
		"below 0":       `{"version":1,"metrics":["rouge1"],"scores":[[-1]]}`,
		"fraction of 1": `{"version":1,"metrics":["rouge1"],"scores":[[0.5]]}`,
	} {
		if _, err := train.ParseScores([]byte(document)); err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
}

// 819 examples and 10,000 samples are what `compare` takes on SAMSum.
func BenchmarkCompare(b *testing.B) {
	run := train.ExampleScores{Version: 1, SplitSHA256: "x", Metrics: []string{"rouge1", "rouge2", "rougeL", "rougeLsum"}}
	for i := range 819 {
		run.Scores = append(run.Scores, []int{i, 2 * i, 3 * i, 4 * i})
	}
	for b.Loop() {
		if _, err := train.Compare(run, run, 10_000, 1); err != nil {
			b.Fatal(err)
		}
	}
}
