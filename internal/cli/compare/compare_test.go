package compare

import (
	"encoding/json"
	"math/rand/v2"
	"strings"
	"testing"

	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/cli-runtime/pkg/genericiooptions"

	"github.com/kubectl-summarizer/kubectl-summarizer/internal/cli/factory"
	"github.com/kubectl-summarizer/kubectl-summarizer/internal/failure"
	"github.com/kubectl-summarizer/kubectl-summarizer/internal/runs"
	"github.com/kubectl-summarizer/kubectl-summarizer/internal/runs/runstest"
	"github.com/kubectl-summarizer/kubectl-summarizer/pkg/train"
)

// scores are of 200 examples: of each some score that the example gives it, and so much more.
func scores(better int, split string) train.ExampleScores {
	random := rand.New(rand.NewPCG(1, 2))
	s := train.ExampleScores{Version: 1, Split: "test", SplitSHA256: split, Metrics: []string{"rouge1", "rouge2", "rougeL", "rougeLsum"}}
	for range 200 {
		of := 3000 + random.IntN(2000)
		noise := random.IntN(400) - 200
		s.Scores = append(s.Scores, []int{of + better + noise, of/2 + better + noise, of*4/5 + better + noise, of*4/5 + better + noise})
	}
	return s
}

// judged is a run of a model with these scores.
func judged(t *testing.T, name, model string, s train.ExampleScores, change func(*train.Spec)) []runtime.Object {
	spec := runstest.Spec(name)
	spec.Model.ID = model
	if change != nil {
		change(&spec)
	}
	objects := runstest.Objects(t, spec, train.Options{})
	runstest.Record(t, objects, name, train.KeyResult, runstest.Result(name, 0.5))
	return runstest.Record(t, objects, name, train.KeyScores, s)
}

func TestVerdicts(t *testing.T) {
	const large, small = "mistralai/Mistral-7B-Instruct-v0.3", "Qwen/Qwen2.5-1.5B-Instruct"
	base := scores(0, "s")
	other := scores(0, "s")
	for i := range other.Scores { // as good, example by example up or down
		for m := range other.Scores[i] {
			other.Scores[i][m] += 150 - 300*(i%2)
		}
	}
	for name, test := range map[string]struct {
		a       train.ExampleScores
		verdict train.Verdict
		take    string
		says    string
	}{
		"better":        {scores(200, "s"), train.Better, "a", "a is better than b\nthe whole 95 % interval"},
		"worse":         {scores(-200, "s"), train.Worse, "b", "a is worse than b\n"},
		"no difference": {other, train.NoDifference, "b", "no difference: take the smaller, b\n"},
	} {
		t.Run(name, func(t *testing.T) {
			objects := append(judged(t, "a", large, test.a, nil), judged(t, "b", small, base, nil)...)
			o := &options{f: factory.New(genericiooptions.NewTestIOStreamsDiscard()), a: "a", b: "b", samples: 1000}
			got, err := o.compare(t.Context(), &runs.Observer{Client: runstest.New(objects...), Namespace: runstest.Namespace})
			if err != nil {
				t.Fatal(err)
			}
			var text, asJSON strings.Builder
			if got.print(&text, "text") != nil || got.print(&asJSON, "json") != nil {
				t.Fatal("it cannot be printed")
			}
			if got.Verdict != test.verdict || got.Take != test.take || !strings.Contains(text.String(), test.says) {
				t.Errorf("%+v\n%s", got, text.String())
			}
			var parsed map[string]any
			if json.Unmarshal([]byte(asJSON.String()), &parsed) != nil || parsed["verdict"] != string(test.verdict) || parsed["take"] != test.take || parsed["examples"] != 200.0 {
				t.Error(asJSON.String())
			}
		})
	}
}

func TestRequire(t *testing.T) {
	for verdict, kind := range map[train.Verdict]failure.Kind{train.Better: 0, train.Worse: failure.Unhealthy, train.NoDifference: failure.Unhealthy} {
		r := &report{Comparison: train.Comparison{Verdict: verdict}}
		err := (&options{a: "a", b: "b", require: "better"}).required(r)
		if kind == 0 && err != nil || kind != 0 && failure.KindOf(err) != kind {
			t.Errorf("%s: %v", verdict, err)
		}
		if err := (&options{}).required(r); err != nil {
			t.Errorf("nothing was required: %v", err)
		}
	}
}

func TestTable(t *testing.T) {
	r := &report{A: "new", B: "old", Take: "new", Comparison: train.Comparison{
		Examples: 819, Split: "test", Samples: 10000, Confidence: 95, Verdict: train.Better, Reason: "because",
		Metrics: []train.MetricComparison{{Metric: "rouge1", A: 0.53, B: 0.5123, Difference: train.Interval{0.0177, 0.006, 0.0294}}},
	}}
	var out strings.Builder
	if err := r.text(&out); err != nil {
		t.Fatal(err)
	}
	want := `METRIC    NEW     OLD     DIFFERENCE   95% INTERVAL
ROUGE-1   53.00   51.23   +1.77        +0.60 to +2.94

new is better than old
because (819 examples of the split test, 10000 samples)
`
	if out.String() != want {
		t.Errorf("%s\nwant:\n%s", out.String(), want)
	}
}

func TestWhatCannotBeCompared(t *testing.T) {
	unjudged := func(name string, change func(*train.Spec)) []runtime.Object {
		spec := runstest.Spec(name)
		if change != nil {
			change(&spec)
		}
		return runstest.Objects(t, spec, train.Options{})
	}
	fine := judged(t, "b", "m/b", scores(0, "s"), nil)
	for name, test := range map[string]struct {
		a    []runtime.Object
		kind failure.Kind
		says string
		next string
	}{
		"other examples":     {judged(t, "a", "m/a", scores(0, "other"), nil), failure.Refused, "judged on different examples", ""},
		"other instructions": {judged(t, "a", "m/a", scores(0, "s"), func(s *train.Spec) { s.Prompt.Instruction = "x" }), failure.Refused, "asked different things", ""},
		"not judged yet":     {unjudged("a", nil), failure.Refused, "has not been judged; it is pending", "runs show a"},
		"never judged":       {unjudged("a", func(s *train.Spec) { s.Evaluation.Engine = "none" }), failure.Refused, "has not been judged", "--eval-engine none"},
		"not there":          {nil, failure.Failed, `there is no run "a"`, ""},
		"another scorer": {func() []runtime.Object {
			objects := judged(t, "a", "m/a", scores(0, "s"), nil)
			result := runstest.Result("a", 0.5)
			result.Evaluation.Scorer = "another"
			return runstest.Record(t, objects, "a", train.KeyResult, result)
		}(), failure.Refused, "scored differently", ""},
	} {
		o := &options{f: factory.New(genericiooptions.NewTestIOStreamsDiscard()), a: "a", b: "b", samples: 1000}
		client := runstest.New(append(append([]runtime.Object{}, test.a...), fine...)...)
		_, err := o.compare(t.Context(), &runs.Observer{Client: client, Namespace: runstest.Namespace})
		if failure.KindOf(err) != test.kind || err == nil || !strings.Contains(err.Error(), test.says) || !strings.Contains(failure.NextOf(err), test.next) {
			t.Errorf("%s: %v\n%s", name, err, failure.NextOf(err))
		}
	}
}

func TestWrongFlags(t *testing.T) {
	for _, args := range [][]string{{"a", "a"}, {"a", "b", "-o", "xml"}, {"a", "b", "--require", "best"}, {"a", "b", "--samples", "3"}} {
		cmd := NewCmd(factory.New(genericiooptions.NewTestIOStreamsDiscard()))
		cmd.SetArgs(args)
		cmd.SilenceErrors, cmd.SilenceUsage = true, true
		if err := cmd.Execute(); failure.KindOf(err) != failure.Usage {
			t.Errorf("%v: %v", args, err)
		}
	}
}
