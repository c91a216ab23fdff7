package chartflags

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/spf13/pflag"

	"github.com/kubectl-summarizer/kubectl-summarizer/charts"
	"github.com/kubectl-summarizer/kubectl-summarizer/internal/failure"
	"github.com/kubectl-summarizer/kubectl-summarizer/pkg/render"
)

// values runs Values on a command line, with stdin and the values of a last install, and
// returns what it wrote to stderr too.
func values(t *testing.T, last m, stdin string, args ...string) (m, string, error) {
	t.Helper()
	_, got, stderr, err := read(t, last, stdin, args...)
	return got, stderr, err
}

func read(t *testing.T, last m, stdin string, args ...string) (*Flags, m, string, error) {
	t.Helper()
	f := &Flags{}
	if last != nil {
		f.Over(last)
	}
	set := pflag.NewFlagSet("test", pflag.ContinueOnError)
	f.AddTo(set)
	if err := set.Parse(args); err != nil {
		t.Fatal(err)
	}
	var stderr strings.Builder
	got, err := f.Values(chart(t), strings.NewReader(stdin), &stderr)
	return f, got, stderr.String(), err
}

func chart(t *testing.T) fs.FS {
	t.Helper()
	chart, err := fs.Sub(charts.FS, charts.Name)
	if err != nil {
		t.Fatal(err)
	}
	return chart
}

type m = map[string]any

func TestTypedFlagsBecomeValues(t *testing.T) {
	const digest = "sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
	for _, test := range []struct {
		args string
		want m
	}{
		{"", m{}},
		{"--gpus 2 --replicas 0", m{"gpu": m{"count": int64(2)}, "replicas": int64(0)}},
		{"--max-model-len 4096", m{"engine": m{"maxModelLen": int64(4096)}}},
		{"--max-model-len 32k", m{"engine": m{"maxModelLen": "32k"}}},
		{"--max-model-len auto", m{"engine": m{"maxModelLen": "auto"}}},
		{"--accelerator nvidia-h100-80gb --platform custom", m{"gpu": m{"accelerator": "nvidia-h100-80gb"}, "platform": "custom"}},
		{"--hf-secret mine", m{"hfToken": m{"secretName": "mine"}}},
		{"--hf-secret mine:token", m{"hfToken": m{"secretName": "mine", "secretKey": "token"}}},
		{"--served-name chat", m{"model": m{"servedName": "chat"}}},
		{"--adapter a=o/r --adapter b=o/r@v1 --adapter c=/mnt/c", m{"adapters": []any{
			m{"name": "a", "repo": "o/r"}, m{"name": "b", "repo": "o/r", "revision": "v1"}, m{"name": "c", "repo": "/mnt/c"},
		}}},
		{"--image repo:v1", m{"image": m{"repository": "repo", "tag": "v1", "digest": ""}}},
		{"--image host:5000/a/b:v1", m{"image": m{"repository": "host:5000/a/b", "tag": "v1", "digest": ""}}},
		{"--image ghcr.io/a/b@" + digest, m{"image": m{"repository": "ghcr.io/a/b", "digest": digest}}},
		{"--image a/b:v1@" + digest, m{"image": m{"repository": "a/b", "tag": "v1", "digest": digest}}},
		{"--image localhost/vllm-sim:v0.10.2", m{"image": m{"repository": "localhost/vllm-sim", "tag": "v0.10.2", "digest": ""}}},
	} {
		got, stderr, err := values(t, nil, "", strings.Fields(test.args)...)
		if err != nil || stderr != "" {
			t.Errorf("%s: error %v, stderr %q", test.args, err, stderr)
			continue
		}
		if diff := cmp.Diff(test.want, got); diff != "" {
			t.Errorf("%s: want -, got +\n%s", test.args, diff)
		}
	}
}

func TestWhatIsNoValueIsAUsageError(t *testing.T) {
	for _, test := range []struct{ args, want string }{
		{"--model gpt", `--model: "gpt" is not an id on the Hugging Face Hub: write ORG/NAME`},
		{"--model a/b/c", "is not an id"},
		{"--model a/..", "is not an id"},
		{"--model -a/b", "is not an id"},
		{"--model https://huggingface.co/org/name/tree/main", "is an address: give the id alone, org/name"},
		{"--model hf_abcdefghijklmnopqrstuvwxyz0123456789", "that is a token, not a name"},
		{"--model=", "is not an id"},
		{"--model /", "is not an id"},
		{"--revision a;b", `--revision: "a;b" is not a commit, tag or branch`},
		{"--gpus 0", "--gpus: must be at least 1, but is 0"},
		{"--replicas -1", "--replicas: must be at least 0, but is -1"},
		{"--max-model-len 8kb", `--max-model-len: must be a number of tokens such as 8192 or 32k, or auto, but is "8kb"`},
		{"--max-model-len 0", "--max-model-len: must be at least 1"},
		{"--image vllm/vllm-openai", `names no tag and no digest: write vllm/vllm-openai:TAG`},
		{"--image Vllm/x:v1", `"Vllm" is not a part of an image's name`},
		{"--image a:b:c", "is not a part"},
		{"--image a@sha256:12", "the digest is not sha256:"},
		{"--image a:-x", `"-x" is not a tag`},
		{"--image https://x/y:v1", "is not a part"},
		{"--hf-secret Upper", "not the name of a Secret"},
		{"--hf-secret a:b/c", "not a key of a Secret"},
		{"--adapter a", `--adapter: "a" is not of the form NAME=ORG/REPO[@REVISION]`},
		{"--adapter a=r", `"r" is not an id on the Hugging Face Hub`},
		{"--adapter a=o/r --adapter a=o/s", "two adapters are called a"},
		{"--adapter a=o/r@", "is not a commit"},
		{"--accelerator=", "--accelerator: is empty"},
		{"--gpus 2 --set gpu.count=4", "--gpus says that gpu.count is 2, but --set says 4: give one of them"},
		{"--set replicas", "--set replicas: has no '='"},
		{"-f https://example.com/values.yaml", "values are read from files only"},
		{"-f /does/not/exist", "-f /does/not/exist: no such file"},
		{"-f /", "is a directory"},
		{"-f - -f -", "-f - is given twice"},
	} {
		_, _, err := values(t, nil, "", strings.Fields(test.args)...)
		if err == nil || failure.KindOf(err) != failure.Usage || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s:\n got %v (exit code %d)\nwant %s", test.args, err, failure.KindOf(err), test.want)
		}
	}
}

func TestATokenInTheWrongPlaceIsNotRepeated(t *testing.T) {
	const token = "hf_abcdefghijklmnopqrstuvwxyz0123456789"
	for _, flag := range []string{"--hf-secret", "--model"} {
		_, stderr, err := values(t, nil, "", flag, token)
		if err == nil || strings.Contains(err.Error()+stderr+failure.NextOf(err), token[:8]) {
			t.Errorf("%s: %v %s", flag, err, stderr)
		}
	}
}

func TestTheRevisionBelongsToItsModel(t *testing.T) {
	chartDefault := "mistralai/Mistral-7B-Instruct-v0.3"
	for _, test := range []struct {
		name  string
		base  m
		stdin string
		args  []string
		want  any // model.revision; nil for what the chart says
	}{
		{"no model", nil, "", nil, nil},
		{"the default model", nil, "", []string{"--model", chartDefault}, nil},
		{"another model", nil, "", []string{"--model", "o/n"}, ""},
		{"another model with a revision", nil, "", []string{"--model", "o/n", "--revision", "v1"}, "v1"},
		{"--set decides", nil, "", []string{"--model", "o/n", "--set", "model.revision=v2"}, "v2"},
		{"over a file's model", nil, "model: {id: o/file, revision: v3}", []string{"-f", "-", "--model", "o/n"}, ""},
		{"the file's own model", nil, "model: {id: o/n, revision: v3}", []string{"-f", "-", "--model", "o/n"}, "v3"},
		{"back to the default", nil, "model: {id: o/file, revision: v3}", []string{"-f", "-", "--model", chartDefault}, "c170c708c41dac9275d15a8fff4eca08d52bab71"},
		{"the last install's model", m{"model": m{"id": "o/n", "revision": "v4"}}, "", []string{"--model", "o/n"}, "v4"},
		{"another than the last install's", m{"model": m{"id": "o/n", "revision": "v4"}}, "", []string{"--model", "o/other"}, ""},
		{"the default after another", m{"model": m{"id": "o/n", "revision": "v4"}}, "", []string{"--model", chartDefault}, nil},
		{"a file's model over the last install's", m{"model": m{"id": "o/n", "revision": "v4"}}, "model: {id: o/file}", []string{"-f", "-"}, ""},
		{"both say the same", m{"model": m{"id": "o/n", "revision": "v4"}}, "model: {id: o/file}", []string{"-f", "-", "--model", "o/file"}, ""},
		{"--set model.id over the last install's", m{"model": m{"id": "o/n", "revision": "v4"}}, "", []string{"--set", "model.id=o/set"}, ""},
		{"--set both", m{"model": m{"id": "o/n", "revision": "v4"}}, "", []string{"--set", "model.id=o/set,model.revision=v5"}, "v5"},
		{"nothing of the model", m{"model": m{"id": "o/n", "revision": "v4"}}, "", []string{"--gpus", "2"}, "v4"},
	} {
		got, _, err := values(t, test.base, test.stdin, test.args...)
		if err != nil {
			t.Errorf("%s: %v", test.name, err)
			continue
		}
		if diff := cmp.Diff(test.want, at(got, "model", "revision")); diff != "" {
			t.Errorf("%s: want -, got +\n%s", test.name, diff)
		}
	}
}

func TestTheSizeOfAnotherModelIsAskedFor(t *testing.T) {
	for args, want := range map[string]bool{
		"--model o/n":                                true,
		"--model o/n --set model.weightsGiB=3":       false,
		"--model mistralai/Mistral-7B-Instruct-v0.3": false,
		"": false,
	} {
		_, stderr, err := values(t, nil, "", strings.Fields(args)...)
		if err != nil || strings.Contains(stderr, "model.weightsGiB=N") != want {
			t.Errorf("%q: error %v, stderr %q", args, err, stderr)
		}
	}
}

// An upgrade to another model must not give it the memory, disk and time of the one before.
func TestTheSizeBelongsToItsModel(t *testing.T) {
	last := m{"model": m{"id": "o/n", "revision": "v4", "weightsGiB": 140.0}, "replicas": 2.0}
	for _, test := range []struct {
		name  string
		stdin string
		args  []string
		want  any // model.weightsGiB; nil for what the chart says
		note  bool
	}{
		{"another model", "", []string{"--model", "o/other"}, nil, true},
		{"the default model", "", []string{"--model", "mistralai/Mistral-7B-Instruct-v0.3"}, nil, false},
		{"another model with its size", "", []string{"--model", "o/other", "--set", "model.weightsGiB=3"}, int64(3), false},
		{"a file's size", "model: {weightsGiB: 4}", []string{"--model", "o/other", "-f", "-"}, 4.0, false},
		{"a file's model", "model: {id: o/file}", []string{"-f", "-"}, nil, true},
		{"the same model", "", []string{"--model", "o/n"}, 140.0, false},
		{"nothing of the model", "", []string{"--gpus", "2"}, 140.0, false},
	} {
		got, stderr, err := values(t, last, test.stdin, test.args...)
		if err != nil {
			t.Errorf("%s: %v", test.name, err)
			continue
		}
		if diff := cmp.Diff(test.want, at(got, "model", "weightsGiB")); diff != "" {
			t.Errorf("%s: want -, got +\n%s", test.name, diff)
		}
		if strings.Contains(stderr, "model.weightsGiB=N") != test.note {
			t.Errorf("%s: %q", test.name, stderr)
		}
		if at(got, "replicas") != 2.0 || at(last, "model", "weightsGiB") != 140.0 {
			t.Errorf("%s: values %v, last %v", test.name, got, last)
		}
	}
}

func TestWhatStaysOfTheModelBeforeIsNamed(t *testing.T) {
	last := m{
		"model":    m{"id": "o/n", "servedName": "chat", "chatTemplate": ""},
		"engine":   m{"quantization": "awq", "dtype": "half"},
		"adapters": []any{m{"name": "a", "repo": "o/a"}},
	}
	const warning = "warning: still as the last install set it for o/n: "
	for _, test := range []struct {
		args []string
		want string // "" for no warning
	}{
		{[]string{"--model", "o/other"}, "adapters, model.servedName, engine.quantization;"},
		{[]string{"--model", "o/other", "--adapter", "b=o/b", "--served-name", "s"}, "engine.quantization;"},
		{[]string{"--model", "o/other", "--set", "adapters=null,engine.quantization="}, "model.servedName;"},
		{[]string{"--set", "model.id=o/other"}, "adapters, model.servedName, engine.quantization;"},
		{[]string{"--model", "o/n"}, ""},
		{nil, ""},
	} {
		_, stderr, err := values(t, last, "", test.args...)
		if err != nil || strings.Contains(stderr, "warning") != (test.want != "") || test.want != "" && !strings.Contains(stderr, warning+test.want) {
			t.Errorf("%q: error %v, stderr %q", test.args, err, stderr)
		}
	}
}

// A chart that takes a value no longer must not leave the user looking for it on the command line.
func TestABadValueOfTheLastInstallIsNamedAsSuch(t *testing.T) {
	for _, test := range []struct {
		last m
		args []string
		want string
	}{
		{m{"replica": 2.0, "gpu": m{"count": "x"}}, []string{"--set", "replicas=two"}, "from the values of the last install: gpu.count, replica;"},
		{m{"adapters": []any{m{"name": "a", "repo": ""}}}, nil, "from the values of the last install: adapters[0].repo;"},
		{m{"gpu": m{"count": "x"}}, []string{"--set", "gpu.count=y"}, ""},
		{nil, []string{"--set", "gpu.count=y"}, ""},
	} {
		f, got, _, err := read(t, test.last, "", test.args...)
		if err != nil {
			t.Fatal(err)
		}
		_, err = render.Render(t.Context(), chart(t), render.Options{Release: "r", Namespace: "n", Values: got})
		err = f.Explain(err)
		next := failure.NextOf(err)
		if failure.KindOf(err) != failure.Usage || !strings.HasPrefix(next, test.want) || strings.Contains(next, "--reset-values") != (test.want != "") {
			t.Errorf("%v %q: %v; next: %q", test.last, test.args, err, next)
		}
	}
}

// Such as --set-file model.chatTemplate=<(command).
func TestSetFileTakesAPipe(t *testing.T) {
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	pipe := fmt.Sprintf("/dev/fd/%d", r.Fd())
	if _, err := os.Stat(pipe); err != nil {
		t.Skipf("this system shows no open files as paths: %v", err)
	}
	if _, err := w.WriteString("{{ template }}"); err != nil || w.Close() != nil {
		t.Fatal(err)
	}
	got, _, err := values(t, nil, "", "--set-file", "model.chatTemplate="+pipe)
	if err != nil || at(got, "model", "chatTemplate") != "{{ template }}" {
		t.Errorf("%v, error %v", got, err)
	}
}

func TestTheLastInstallLiesBelowEverything(t *testing.T) {
	base := m{"replicas": 3.0, "gpu": m{"count": 4.0, "accelerator": "a"}}
	got, _, err := values(t, base, "gpu: {accelerator: b}", "-f", "-", "--gpus", "2")
	if err != nil {
		t.Fatal(err)
	}
	want := m{"replicas": 3.0, "gpu": m{"count": int64(2), "accelerator": "b"}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff(m{"replicas": 3.0, "gpu": m{"count": 4.0, "accelerator": "a"}}, base); diff != "" {
		t.Errorf("the last install's values were changed: %s", diff)
	}
}

func TestFilesThatAreNoValues(t *testing.T) {
	dir := t.TempDir()
	binary := filepath.Join(dir, "binary")
	large := filepath.Join(dir, "large")
	for path, data := range map[string][]byte{binary: {'a', 0, 'b'}, large: make([]byte, largestFile+1)} {
		if err := os.WriteFile(path, data, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for path, want := range map[string]string{binary: "is binary", large: "larger than 5 MiB"} {
		_, _, err := values(t, nil, "", "-f", path)
		if failure.KindOf(err) != failure.Usage || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", path, err)
		}
	}
}
