package train

import (
	"regexp"
	"slices"
	"strings"
	"testing"
)

func TestRunNames(t *testing.T) {
	const stamp = "20261125-0103"
	mistral, llama := "mistralai/Mistral-7B-Instruct-v0.3", "meta-llama/Llama-3.2-3B-Instruct"
	for name, test := range map[string]struct {
		given, data string
		models      []string
		want        []string
	}{
		"one model":                 {"", "samsum", []string{mistral}, []string{"samsum-20261125-0103"}},
		"two models":                {"", "samsum", []string{mistral, llama}, []string{"samsum-20261125-0103-mistral-7b", "samsum-20261125-0103-llama-3-2-3b"}},
		"a name":                    {"support", "samsum", []string{mistral}, []string{"support"}},
		"a name for two":            {"support", "samsum", []string{mistral, llama}, []string{"support-mistral-7b", "support-llama-3-2-3b"}},
		"the same model twice":      {"x", "samsum", []string{mistral, mistral}, []string{"x-mistral-7b", "x-mistral-7b-2"}},
		"a long name of data":       {"", strings.Repeat("conversation-", 5), []string{mistral}, []string{"conversation-conversation-20261125-0103"}},
		"the same with two models":  {"", strings.Repeat("conversation-", 5), []string{mistral, llama}, []string{"conversation-20261125-0103-mistral-7b", "conversation-20261125-0103-llama-3-2-3b"}},
		"a model without a size":    {"x", "", []string{"org/Instruct", "org/v0.3"}, []string{"x-instruct", "x-v0-3"}},
		"a model of a very long id": {"x", "", []string{"org/" + strings.Repeat("z", 90), mistral}, []string{"x-" + strings.Repeat("z", 16), "x-mistral-7b"}},
	} {
		got, _, err := runNames(test.given, test.data, stamp, test.models)
		if err != nil || !slices.Equal(got, test.want) {
			t.Errorf("%s: %v %v, want %v", name, got, err, test.want)
		}
		for _, n := range got {
			if !regexp.MustCompile(`^[a-z]([-a-z0-9]{0,38}[a-z0-9])?$`).MatchString(n) {
				t.Errorf("%s: %q is no name of a run", name, n)
			}
		}
	}
	if _, _, err := runNames(strings.Repeat("a", 35), "samsum", stamp, []string{mistral, llama}); err == nil || !strings.Contains(err.Error(), "give a shorter NAME") {
		t.Error(err)
	}
}

func TestDataName(t *testing.T) {
	for uri, want := range map[string]string{
		"samsum": "samsum", "hf://datasets/knkarthick/dialogsum": "dialogsum", "./my dialogues/": "my-dialogues",
		"gs://bucket/path/Calls_2026.jsonl.gz": "calls-2026", "/tmp/data.tar.gz": "data", "2026.csv": "run-2026", ".": "run", "日本": "run",
	} {
		if got := dataName(uri); got != want {
			t.Errorf("%s: %q, want %q", uri, got, want)
		}
	}
}
