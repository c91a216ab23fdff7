package promote

import (
	"bytes"
	"errors"
	"io/fs"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/cli-runtime/pkg/genericiooptions"
	"sigs.k8s.io/yaml"

	"github.com/kubectl-summarizer/kubectl-summarizer/charts"
	"github.com/kubectl-summarizer/kubectl-summarizer/internal/cli/factory"
	"github.com/kubectl-summarizer/kubectl-summarizer/internal/failure"
	"github.com/kubectl-summarizer/kubectl-summarizer/internal/runs"
	"github.com/kubectl-summarizer/kubectl-summarizer/internal/runs/runstest"
	"github.com/kubectl-summarizer/kubectl-summarizer/internal/ui"
	"github.com/kubectl-summarizer/kubectl-summarizer/pkg/render"
	"github.com/kubectl-summarizer/kubectl-summarizer/pkg/train"
)

const (
	model  = "HuggingFaceTB/SmolLM2-135M-Instruct"
	tuned  = "0123456789abcdef0123456789abcdef01234567"
	legacy = `model: {id: ` + model + `, revision: ` + tuned + `, weightsGiB: 0.3}
`
)

// serving is a release with these values, over the chart's.
func serving(t *testing.T, values string) *served {
	t.Helper()
	chart, err := fs.Sub(charts.FS, charts.Name)
	if err != nil {
		t.Fatal(err)
	}
	defaults, err := render.DefaultValues(chart)
	if err != nil {
		t.Fatal(err)
	}
	s := &served{defaults: defaults}
	if err := yaml.Unmarshal([]byte(values), &s.values); err != nil {
		t.Fatal(err)
	}
	return s
}

// cookies is a run that ended well.
func cookies(change func(*runs.Run)) *runs.Run {
	result := runstest.Result("cookies", 0.5)
	run := &runs.Run{Name: "cookies", Namespace: runstest.Namespace, State: runs.Succeeded, Spec: runstest.Spec("cookies"), Result: &result, Options: &train.Options{}}
	if change != nil {
		change(run)
	}
	return run
}

func promoting(args ...string) (*options, *bytes.Buffer) {
	streams, _, _, errOut := genericiooptions.NewTestIOStreams()
	f := factory.New(streams)
	o := &options{f: f, name: "cookies", namespace: runstest.Namespace, release: "r", served: "cookies", steps: &ui.Steps{W: errOut, Now: f.Now}}
	for i := 0; i+1 < len(args); i += 2 {
		switch args[i] {
		case "from":
			o.from = args[i+1]
		case "name":
			o.served = args[i+1]
		case "against":
			o.against, o.canary = args[i+1], 20
		}
	}
	return o, errOut
}

var published = &runs.Published{Repo: "team/cookies", Revision: "0123abc", URL: "u"}

// The values are given to the chart itself: what it makes of them is what serves.
func TestWhatTheReleaseBecomes(t *testing.T) {
	chart, err := fs.Sub(charts.FS, charts.Name)
	if err != nil {
		t.Fatal(err)
	}
	for name, test := range map[string]struct {
		values string
		args   []string
		run    func(*runs.Run)
		has    []string
		not    []string
	}{
		"from the volume": {legacy, nil, nil,
			[]string{"cookies=/adapters/cookies", "claimName: train-cookies", "mountPath: /adapters/cookies", "subPath: runs/cookies/adapter", "--max-loras=1"}, []string{"--max-lora-rank="}},
		"from the Hub": {legacy, nil, func(r *runs.Run) { r.Published = published },
			[]string{"cookies=/cache/repos/team--cookies/0123abc", `"revision": "0123abc"`}, []string{"claimName"}},
		"published, but from the volume": {legacy, []string{"from", "volume"}, func(r *runs.Run) { r.Published = published },
			[]string{"cookies=/adapters/cookies"}, []string{"team/cookies"}},
		"published merged": {legacy, nil, func(r *runs.Run) { r.Merged = &runs.Published{Repo: "team/whole"} },
			[]string{"cookies=/adapters/cookies"}, []string{"team/whole"}},
		"beside another": {legacy + "adapters: [{name: old, repo: team/old}]\n", nil, nil,
			[]string{"old=/cache/repos/team--old/main", "cookies=/adapters/cookies", "--max-loras=2"}, nil},
		"in place of its namesake": {legacy + "adapters: [{name: cookies, repo: team/old}]\n", nil, nil, []string{"--max-loras=1"}, []string{"team--old"}},
		"beside other volumes": {legacy + "extraVolumes: [{name: mine, emptyDir: {}}]\nextraVolumeMounts: [{name: mine, mountPath: /mine}]\n", nil, nil,
			[]string{"mountPath: /mine", "mountPath: /adapters/cookies"}, nil},
		"under another name":          {legacy, []string{"name", "Support_v2.1"}, nil, []string{"Support_v2.1=/adapters/Support_v2.1", "name: adapter-support-v2-1"}, nil},
		"a rank that was set too low": {legacy + "engine: {maxLoraRank: 8}\nadapters: [{name: old, repo: team/old}]\n", nil, nil, []string{"--max-lora-rank=16"}, nil},
		"a rank that is enough":       {legacy + "engine: {maxLoraRank: 64}\nadapters: [{name: old, repo: team/old}]\n", nil, nil, []string{"--max-lora-rank=64"}, nil},
		"nothing reads the rank":      {legacy + "model: {id: " + model + ", download: false, revision: " + tuned + "}\n", nil, func(r *runs.Run) { r.Result.Adapter.Rank = 20 }, []string{"--max-lora-rank=32"}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			values := test.values
			if strings.Count(values, "model:") > 1 { // the second stands for both
				values = values[strings.LastIndex(values, "model:"):]
			}
			o, _ := promoting(test.args...)
			source, err := o.source(cookies(test.run))
			if err != nil {
				t.Fatal(err)
			}
			now := serving(t, values)
			got, err := now.with(source)
			if err != nil {
				t.Fatal(err)
			}
			rendered, err := render.Render(t.Context(), chart, render.Options{Release: "r", Namespace: "ml", Values: got})
			if err != nil {
				t.Fatal(err)
			}
			text := string(rendered.Manifests)
			for _, has := range test.has {
				if !strings.Contains(text, has) {
					t.Errorf("%q is not in:\n%s", has, text)
				}
			}
			for _, not := range test.not {
				if strings.Contains(text, not) {
					t.Errorf("%q is in it", not)
				}
			}
			// Going back renders what was there: the values of before are not touched.
			if again := serving(t, values); !equal(again.values, now.values) {
				t.Errorf("the former values were changed: %v", now.values)
			}
		})
	}
}

func equal(a, b any) bool {
	one, err := yaml.Marshal(a)
	other, err2 := yaml.Marshal(b)
	return err == nil && err2 == nil && bytes.Equal(one, other)
}

func TestSourcesThatAreNone(t *testing.T) {
	for _, p := range []*runs.Published{nil, {Repo: "team/whole"}} {
		o, _ := promoting("from", "hub")
		_, err := o.source(cookies(func(r *runs.Run) { r.Merged = p }))
		if failure.KindOf(err) != failure.Refused || !strings.Contains(failure.NextOf(err), "publish cookies --repo ORG/NAME -n ml\nor serve it from its volume: --from volume") {
			t.Errorf("%v\n%s", err, failure.NextOf(err))
		}
	}
}

func TestFit(t *testing.T) {
	claim := func(modes ...corev1.PersistentVolumeAccessMode) []runtime.Object {
		return []runtime.Object{&corev1.PersistentVolumeClaim{
			ObjectMeta: metav1.ObjectMeta{Name: "train-cookies", Namespace: runstest.Namespace}, Spec: corev1.PersistentVolumeClaimSpec{AccessModes: modes},
		}}
	}
	once := claim(corev1.ReadWriteOnce)
	rolling := legacy + "strategy: {type: RollingUpdate, maxSurge: 1}\n"
	for name, test := range map[string]struct {
		values  string
		objects []runtime.Object
		args    []string
		run     func(*runs.Run)
		says    []string
		next    string
		warns   string
	}{
		"all is well":              {values: legacy, objects: once},
		"another model":            {values: "model: {id: m/x, revision: main}", objects: once, says: []string{"release r serves m/x, and run cookies has tuned " + model}, next: "install NAME --model " + model},
		"another commit":           {values: strings.ReplaceAll(legacy, tuned, strings.Repeat("f", 40)), objects: once, says: []string{"at commit ffffffffffff, and run cookies has tuned 0123456789ab"}, next: "--revision " + tuned},
		"a branch":                 {values: strings.ReplaceAll(legacy, tuned, "main"), objects: once, warns: `at "main", which may move`},
		"another vLLM":             {values: legacy + "image: {tag: v0.33.0}", objects: once, says: []string{"the release runs vllm/vllm-openai:v0.33.0, and the run was judged by vllm/vllm-openai:v0.32.0"}, next: "--skip-checks"},
		"the same from a mirror":   {values: legacy + "image: {repository: mirror.local/vllm}", objects: once},
		"not judged":               {values: legacy, objects: once, run: func(r *runs.Run) { r.Result.Evaluation = nil }, says: []string{"was not judged"}, next: "--skip-checks"},
		"judged by transformers":   {values: legacy, objects: once, run: func(r *runs.Run) { r.Result.Evaluation.Served = false }, says: []string{"was not seen"}},
		"several replicas":         {values: legacy + "replicas: 2", objects: once, says: []string{"2 replicas, and the volume of the run can be on one node only"}, next: "publish cookies"},
		"a shared volume":          {values: legacy + "replicas: 2", objects: claim(corev1.ReadWriteMany)},
		"the volume is gone":       {values: legacy, says: []string{"PersistentVolumeClaim train-cookies, is gone"}, next: "--from hub"},
		"a canary on Autopilot":    {values: legacy, objects: once, args: []string{"against", model}, says: []string{"no pod without a GPU"}, next: "publish cookies"},
		"a canary elsewhere":       {values: legacy + "platform: gke-standard", objects: once, args: []string{"against", model}},
		"a rollout needs two":      {values: rolling, objects: once, warns: "only on the node of the old one"},
		"a rival that is not":      {values: legacy, objects: once, args: []string{"against", "old"}, says: []string{`does not serve "old"`}, next: "--against " + model},
		"a rival that would go":    {values: legacy + "adapters: [{name: cookies, repo: a/b}]", objects: once, args: []string{"against", "cookies"}, says: []string{"to be compared, both must be served"}, next: "--name NAME"},
		"from the Hub, no volume":  {values: legacy, run: func(r *runs.Run) { r.Published = published }},
		"two things stand in it":   {values: "model: {id: m/x, revision: main}", says: []string{"2 things", "m/x", "is gone"}},
		"a run on a local image":   {values: legacy + "image: {repository: localhost/vllm-cpu}", objects: once, run: func(r *runs.Run) { r.Options.Image = "localhost:5000/vllm-cpu:v0.32.0" }},
		"an image by digest alone": {values: legacy, objects: once, run: func(r *runs.Run) { r.Options.Image = "a/b@sha256:" + strings.Repeat("0", 64) }, says: []string{"was judged by a/b@sha256"}},
	} {
		t.Run(name, func(t *testing.T) {
			o, errOut := promoting(test.args...)
			o.client = runstest.New(test.objects...)
			run, now := cookies(test.run), serving(t, test.values)
			source, err := o.source(run)
			if err != nil {
				t.Fatal(err)
			}
			err = o.fit(t.Context(), run, now, source)
			if (err == nil) != (len(test.says) == 0) || err != nil && failure.KindOf(err) != failure.Refused {
				t.Fatal(err)
			}
			for _, says := range test.says {
				if !strings.Contains(err.Error(), says) {
					t.Errorf("%q is not in %v", says, err)
				}
			}
			if !strings.Contains(failure.NextOf(err), test.next) || !strings.Contains(errOut.String(), test.warns) || test.warns == "" && errOut.Len() > 0 {
				t.Errorf("next %s\nstderr %s", failure.NextOf(err), errOut)
			}
		})
	}
}

func TestRival(t *testing.T) {
	one, two := "adapters: [{name: a, repo: x/y}]\n", "adapters: [{name: a, repo: x/y}, {name: b, repo: x/z}]\n"
	for name, test := range map[string]struct {
		values  string
		canary  int
		against string
		want    string
	}{
		"without a comparison":      {legacy + one, 0, "", model},
		"with the only adapter":     {legacy + one, 10, "", "a"},
		"with the model":            {legacy, 10, "", model},
		"with the model under two":  {legacy + two, 10, "", model},
		"with the one that is told": {legacy + two, 10, "b", "b"},
		"under its served name":     {legacy[:len(legacy)-2] + ", servedName: short}\n", 10, "", "short"},
	} {
		o, _ := promoting()
		o.canary, o.against = test.canary, test.against
		if got := o.rival(serving(t, test.values)); got != test.want {
			t.Errorf("%s: %s", name, got)
		}
	}
}

func TestJudge(t *testing.T) {
	found := func(verdict train.Verdict) *train.Event {
		return &train.Event{Event: "probe", Adapter: "cookies", Base: "old", Examples: 100, Different: 97, Verdict: verdict,
			Scores:     map[string]map[string]float64{"adapter": {"rouge1": 0.49}, "base": {"rouge1": 0.5}},
			Difference: map[string]train.Interval{"rouge1": {-0.01, -0.02, 0.001}}}
	}
	for name, test := range map[string]struct {
		found  *train.Event
		canary int
		kind   failure.Kind
		says   string
	}{
		"it answers otherwise":            {found(train.Worse), 0, 0, "probe: 97 of 100 answers of cookies differ from those of old\n"},
		"no worse":                        {found(train.NoDifference), 100, 0, "canary: no difference: ROUGE-1 on 100 examples: cookies 49.0, old 50.0, difference -1.00 (-2.00 to +0.10)\n"},
		"worse":                           {found(train.Worse), 100, failure.Unhealthy, "cookies is worse than what is served now: ROUGE-1 on 100 examples: cookies 49.0, old 50.0"},
		"nobody may read it":              {nil, 0, 0, "probe: cookies is served and answers otherwise"},
		"nobody may read it, but must be": {nil, 100, failure.Failed, "you may not read its log"},
	} {
		o, errOut := promoting()
		o.canary = test.canary
		err := o.judge(test.found)
		text := errOut.String()
		if err != nil {
			text += err.Error()
		}
		if (err == nil) != (test.kind == 0) || err != nil && failure.KindOf(err) != test.kind || !strings.Contains(text, test.says) {
			t.Errorf("%s: %v\n%s", name, err, text)
		}
	}
}

func TestInterruption(t *testing.T) {
	for values, warns := range map[string]bool{
		legacy: true,
		legacy + "strategy: {type: RollingUpdate, maxSurge: 1}\n":                    false,
		legacy + "strategy: {type: RollingUpdate, maxSurge: 25%}\n":                  false,
		legacy + "strategy: {type: RollingUpdate, maxSurge: 0}\n":                    true,
		legacy + "replicas: 2\nstrategy: {type: RollingUpdate, maxUnavailable: 1}\n": false,
		legacy + "replicas: 2\n": true,
	} {
		o, errOut := promoting()
		o.interruption(serving(t, values))
		if warned := strings.Contains(errOut.String(), "does not answer while its model is loaded again"); warned != warns {
			t.Errorf("%s: %v", values, errOut)
		}
	}
}

func TestWrongFlags(t *testing.T) {
	for _, args := range [][]string{
		{"r", "--from", "disk"}, {"r", "--dry-run", "client"}, {"r", "--canary", "-1"}, {"r", "--canary", "19"}, {"r", "--against", "x"}, {"r", "--timeout", "0s"}, {},
	} {
		t.Setenv("KUBECONFIG", t.TempDir()+"/none")
		cmd := NewCmd(factory.New(genericiooptions.NewTestIOStreamsDiscard()))
		cmd.SetArgs(args)
		cmd.SilenceErrors, cmd.SilenceUsage = true, true
		err := cmd.Execute()
		var told *failure.Error
		if err == nil || errors.As(err, &told) && told.Kind != failure.Usage {
			t.Errorf("%v: %v", args, err)
		}
	}
}
