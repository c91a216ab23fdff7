package main

import (
	"encoding/json"
	"errors"
	"os"
	"reflect"
	"strconv"
	"strings"
	"testing"
)

// outcome is what the real program made of a case; testdata/parse.py records it.
type outcome struct {
	Code   int
	Last   string
	Model  string
	Port   int
	Served []string
	Len    int
}

func readJSON(t *testing.T, name string, into any) {
	t.Helper()
	data, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(data, into); err != nil {
		t.Fatalf("%s: %v", name, err)
	}
}

// TestAsTheRealProgram compares with recorded outcomes of vLLM 0.32.0's own parser.
func TestAsTheRealProgram(t *testing.T) {
	var cases [][]string
	var want []outcome
	readJSON(t, "testdata/cases.json", &cases)
	readJSON(t, "testdata/outcomes.json", &want)
	if len(cases) != len(want) || len(cases) == 0 {
		t.Fatalf("%d cases, %d outcomes: record them again, see compare_test.go", len(cases), len(want))
	}
	t.Chdir("testdata/config")
	for i, args := range cases {
		t.Run(strings.Join(args, " "), func(t *testing.T) {
			if got := outcomeOf(args); !reflect.DeepEqual(got, want[i]) {
				t.Errorf("\ngot  %+v\nwant %+v", got, want[i])
			}
		})
	}
}

func outcomeOf(args []string) outcome {
	p, err := readArgs(args)
	var usage *usageError
	if errors.As(err, &usage) {
		return outcome{Code: 2, Last: usage.Error()}
	}
	if err != nil {
		return outcome{Code: 1, Last: err.Error()}
	}
	o := outcome{Model: p.model, Served: p.values["served-model-name"]}
	o.Port, _ = strconv.Atoi(p.get("port", "8000"))
	if text := p.get("max-model-len", ""); text != "" {
		o.Len = -1
		if n, ok := humanInteger(text); ok {
			o.Len = n
		}
	}
	return o
}

// TestConfigFields: a misspelt field of a JSON configuration is refused.
func TestConfigFields(t *testing.T) {
	_, err := readArgs([]string{"m", "--compilation-config", `{"bogus":1}`})
	if err == nil || !strings.Contains(err.Error(), "1 validation error for CompilationConfig\nbogus\n  Unexpected keyword argument") {
		t.Error(err)
	}
	if _, err := readArgs([]string{"m", "--compilation-config", `{"mode":3}`}); err != nil {
		t.Error(err)
	}
}

func TestSimulatorArgs(t *testing.T) {
	p, err := readArgs([]string{"org/m", "--served-model-name", "a", "b", "--max-model-len", "2K", "--max-num-queued-reqs", "7",
		"--enable-lora", "--lora-modules", "x=/cache/x", "--gpu-memory-utilization", "0.9"})
	if err != nil {
		t.Fatal(err)
	}
	env := map[string]string{"VLLM_SIM_TTFT_MS": "20", "VLLM_SIM_ARGS": "--mode echo"}
	args, err := simulatorArgs(p, func(name string) string { return env[name] })
	if err != nil {
		t.Fatal(err)
	}
	line := " " + strings.Join(args, " ") + " "
	for _, want := range []string{" --model=org/m ", " --max-model-len=2048 ", " --max-waiting-queue-length=7 ", " --served-model-name a b ",
		` --lora-modules {"name":"x","path":"/cache/x"} `, " --time-to-first-token=20ms ", " --mode echo "} {
		if !strings.Contains(line, want) {
			t.Errorf("no%sin%s", want, line)
		}
	}
	if strings.Contains(line, "utilization") {
		t.Errorf("the simulator does not know memory: %s", line)
	}
}

func TestPlayRefusesNonsense(t *testing.T) {
	for _, name := range []string{"VLLM_SIM_STARTUP_SECONDS", "VLLM_SIM_CRASH_AFTER_SECONDS", "VLLM_SIM_EXIT_CODE"} {
		if _, err := readPlay(func(n string) string { return map[string]string{name: "soon"}[n] }); err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("%s=soon: %v", name, err)
		}
	}
}
