package plan

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"k8s.io/cli-runtime/pkg/genericiooptions"

	"github.com/kubectl-summarizer/kubectl-summarizer/internal/cli/factory"
	"github.com/kubectl-summarizer/kubectl-summarizer/internal/failure"
)

func run(t *testing.T, args ...string) (out string, err error) {
	t.Helper()
	streams, _, stdout, _ := genericiooptions.NewTestIOStreams()
	cmd := NewCmd(factory.New(streams))
	cmd.SetArgs(args)
	cmd.SilenceErrors, cmd.SilenceUsage = true, true
	err = cmd.ExecuteContext(t.Context())
	return stdout.String(), err
}

// Every plan keeps to the published schema, whatever it says.
func TestJSONKeepsToItsSchema(t *testing.T) {
	schema, err := jsonschema.NewCompiler().Compile("../../../docs/plan.schema.json")
	if err != nil {
		t.Fatal(err)
	}
	for _, args := range [][]string{
		{}, {"--price-per-hour", "0.7"}, {"--model", "Qwen/Qwen3-14B"}, {"--model", "team/my-Qwen3-8B-tuned", "--max-model-len", "auto", "--compile-cache", "warm"},
		{"--accelerator", "quantum", "--accelerator-memory", "40"}, {"--gpus", "2", "--vllm-version", "0.9.2"},
	} {
		out, err := run(t, append(args, "-o", "json")...)
		if err != nil && failure.KindOf(err) != failure.Refused {
			t.Fatalf("%v: %v", args, err)
		}
		var plan any
		if err := json.Unmarshal([]byte(out), &plan); err != nil {
			t.Fatalf("%v: %v\n%s", args, err, out)
		}
		if err := schema.Validate(plan); err != nil {
			t.Errorf("%v: %v", args, err)
		}
		if fits := plan.(map[string]any)["fits"].(bool); fits == (err != nil) {
			t.Errorf("%v: fits is %v, and the error %v", args, fits, err)
		}
	}
}

func TestBadInput(t *testing.T) {
	dir := t.TempDir()
	file := func(name, text string) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	t.Setenv("HF_ENDPOINT", "http://127.0.0.1:1") // nobody is there
	t.Setenv("HF_HOME", dir)
	for _, c := range []struct {
		args       []string
		says, next string
	}{
		{[]string{"--model", "mistralai/Mistral-7B-Instruct-v0.33"}, `"mistralai/Mistral-7B-Instruct-v0.33" is not in the catalog; did you mean mistralai/Mistral-7B-Instruct-v0.3?; the config.json of mistralai/Mistral-7B-Instruct-v0.33 cannot be fetched from the Hub: 127.0.0.1:1 refuses the connection`, "--config FILE"},
		{[]string{"--accelerator", "nvidia-l5"}, "did you mean nvidia-l4?", "--accelerator-memory GIB"},
		{[]string{"--config", dir}, "is a directory", ""},
		{[]string{"--config", file("cut.json", `{"num_hidden_layers": 3`)}, "is it cut off?", ""},
		{[]string{"--config", file("huge.json", `{"num_hidden_layers": 1e300}`)}, "num_hidden_layers must be from 1 to 10000", ""},
		{[]string{"--config", file("big.json", strings.Repeat(" ", 9<<20))}, "has 9 MiB: this is no model's config.json", ""},
		{[]string{"--vllm-version", "newest"}, `vLLM version "newest" is no release of vLLM`, ""},
		{[]string{"--accelerator-memory", "-3"}, "--accelerator-memory must be a number above 0, but is -3", ""},
		{[]string{"--accelerator-memory", "NaN"}, "--accelerator-memory must be a number above 0", ""},
		{[]string{"--compile-cache", "hot"}, "cold", ""},
		{[]string{"-o", "xml"}, "table", ""},
	} {
		out, err := run(t, c.args...)
		if failure.KindOf(err) != failure.Usage || !strings.Contains(err.Error(), c.says) || !strings.Contains(failure.NextOf(err), c.next) || out != "" {
			t.Errorf("%v: %v\nnext: %s\nout: %s", c.args, err, failure.NextOf(err), out)
		}
	}
}

// What -o values prints is what install takes, and it gives the same plan.
func TestValuesGiveTheSamePlan(t *testing.T) {
	values, err := run(t, "--model", "Qwen/Qwen3-4B", "--max-model-len", "16k", "-o", "values")
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(values, "weightsGiB: 7.5") {
		t.Errorf("no size of the weights:\n%s", values)
	}
	file := filepath.Join(t.TempDir(), "values.yaml")
	if err := os.WriteFile(file, []byte(values), 0o600); err != nil {
		t.Fatal(err)
	}
	flags, err := run(t, "--model", "Qwen/Qwen3-4B", "--max-model-len", "16k")
	if err != nil {
		t.Fatal(err)
	}
	if again, err := run(t, "-f", file); err != nil || again != flags {
		t.Errorf("%v\n%s\n%s", err, again, flags)
	}
}

// The table of a plan that does not fit shows what is missing, and the error what would fit.
func TestWhatDoesNotFit(t *testing.T) {
	out, err := run(t, "--model", "Qwen/Qwen3-14B")
	if failure.KindOf(err) != failure.Refused {
		t.Fatalf("%v", err)
	}
	for _, want := range []string{"Qwen/Qwen3-14B on 1 x nvidia-l4, vLLM 0.32.0: does not fit", "missing"} {
		if !strings.Contains(out, want) {
			t.Errorf("no %q in\n%s", want, out)
		}
	}
	for _, want := range []string{"--gpus 2", "--accelerator "} {
		if !strings.Contains(failure.NextOf(err), want) {
			t.Errorf("no %q in\n%s", want, failure.NextOf(err))
		}
	}
}

// A training is planned as train itself does it: 7B fits an L4, and 14B only in 4 bits.
func TestTraining(t *testing.T) {
	out, err := run(t, "--train")
	if err != nil || !strings.Contains(out, "training mistralai/Mistral-7B-Instruct-v0.3 on one nvidia-l4: fits") {
		t.Errorf("%v\n%s", err, out)
	}
	out, err = run(t, "--train", "--model", "Qwen/Qwen3-14B")
	if failure.KindOf(err) != failure.Refused || !strings.Contains(out, "too large") || !strings.Contains(failure.NextOf(err), "--quantization nf4") {
		t.Errorf("%v\n%s\n%s", err, failure.NextOf(err), out)
	}
	out, err = run(t, "--train", "--model", "Qwen/Qwen3-14B", "--quantization", "nf4", "--batch-size", "1", "-o", "json")
	if err != nil || !strings.Contains(out, `"verdict": "fits"`) {
		t.Errorf("%v\n%s", err, out)
	}
	if _, err := run(t, "--train", "--sharing", "time-sharing", "--clients", "2"); failure.KindOf(err) != failure.Refused || !strings.Contains(err.Error(), "cannot share one") {
		t.Errorf("%v", err)
	}
	for _, args := range [][]string{{"--lora-rank", "0"}, {"--quantization", "fp8"}, {"-o", "values"}, {"--accelerator", "nvidia-l5"}} {
		if _, err := run(t, append(args, "--train")...); failure.KindOf(err) != failure.Usage {
			t.Errorf("%v: %v", args, err)
		}
	}
}
