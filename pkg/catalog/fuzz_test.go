package catalog_test

import (
	"errors"
	"os"
	"strings"
	"testing"

	"github.com/kubectl-summarizer/kubectl-summarizer/pkg/catalog"
)

func TestParseConfigNamesWhatIsWrong(t *testing.T) {
	good := `{"num_hidden_layers":2,"hidden_size":64,"num_attention_heads":4,"vocab_size":100`
	for config, want := range map[string]string{
		``:                          "config.json is no whole JSON object",
		`[]`:                        "config.json is no JSON object, but a array",
		`null`:                      "config.json is no JSON object, but null",
		good:                        "config.json is no whole JSON object, is it cut off?",
		good + `} {}`:               "config.json goes on after its JSON object",
		`{}`:                        "config.json: num_hidden_layers is missing",
		good + `,"head_dim":"big"}`: `config.json: head_dim must be a whole number, but is the text "big"`,
		good + `,"head_dim":1e400}`: "config.json: head_dim must be a whole number, but is 1e400",
		good + `,"head_dim":1.5}`:   "config.json: head_dim must be a whole number, but is 1.5",
		good + `,"intermediate_size":99999999999999999999}`:                "config.json: intermediate_size must be from 1 to 4000000, but is 99999999999999999999",
		good + `,"num_key_value_heads":8}`:                                 "config.json: num_key_value_heads is 8, above the 4 num_attention_heads",
		good + `,"layer_types":["full_attention"]}`:                        "config.json: layer_types has 1 entries for 2 layers",
		good + `,"layer_types":[1,2]}`:                                     "config.json: layer_types[0] must be a text, but is the number 1",
		good + `,"tie_word_embeddings":"yes"}`:                             `config.json: tie_word_embeddings must be true or false, but is the text "yes"`,
		`{"text_config":7}`:                                                "config.json: text_config must be an object, but is the number 7",
		`{"text_config":{"num_hidden_layers":0}}`:                          "config.json: text_config.num_hidden_layers must be from 1 to 10000, but is 0",
		good + `,"quantization_config":{"quant_method":"awq","bits":"4"}}`: `config.json: quantization_config.bits must be a whole number, but is the text "4"`,
		good + `,"num_experts":100000,"moe_intermediate_size":4000000,"num_key_value_heads":4,"head_dim":4000000,"hidden_size":64000}`: "config.json: hidden_size and the other sizes together make 2e+17 parameters",
		`{"a":"` + strings.Repeat("x", 5<<20) + `"}`: "config.json has more than 4 MiB: this is no model's configuration",
	} {
		_, err := catalog.ParseConfig([]byte(config))
		var told *catalog.ConfigError
		if !errors.As(err, &told) || !strings.HasPrefix(err.Error(), want) {
			t.Errorf("%.80s:\n got %v\nwant %s", config, err, want)
		}
	}
}

// Whatever the file holds, the answer is an error that names a field or an architecture with sound numbers.
func FuzzParseConfig(f *testing.F) {
	data, err := os.ReadFile("data/models.json")
	if err != nil {
		f.Fatal(err)
	}
	for line := range strings.Lines(string(data)) {
		if _, config, ok := strings.Cut(line, `"config":`); ok {
			f.Add([]byte(strings.TrimRight(config, "},\n") + "}"))
			f.Add([]byte(strings.TrimSuffix(strings.TrimRight(config, ",\n"), "}")))
		}
	}
	f.Add([]byte(`{"num_hidden_layers":2,"hidden_size":64,"num_attention_heads":4,"vocab_size":100,"kv_lora_rank":512,"num_experts":8,"vision_config":{"hidden_size":3}}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		a, err := catalog.ParseConfig(data)
		var told *catalog.ConfigError
		switch {
		case err != nil && !errors.As(err, &told):
			t.Errorf("not a ConfigError: %v", err)
		case err == nil && (a.Params() <= 0 || a.LinearParams < 0 || a.FullLayers() < 0 || a.HeadDim < 1):
			t.Errorf("unsound: %+v", a)
		}
	})
}
