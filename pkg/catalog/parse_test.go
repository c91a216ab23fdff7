package catalog_test

import (
	"math"
	"testing"

	"github.com/kubectl-summarizer/kubectl-summarizer/pkg/catalog"
)

// Files leave out what is the default of their model type; makers of quantized copies say the same in different words.
func TestParseConfigAsTheHubHasIt(t *testing.T) {
	for name, c := range map[string]struct {
		config  string
		params  int64   // 0 is not looked at
		within  float64 // as a share
		bits    float64
		sliding int
	}{
		"gemma 3 leaves out heads and vocabulary": {
			config: `{"architectures":["Gemma3ForConditionalGeneration"],"model_type":"gemma3","text_config":{"hidden_size":2560,"intermediate_size":10240,"model_type":"gemma3_text","num_hidden_layers":34,"sliding_window":1024},
				"vision_config":{"hidden_size":1152,"image_size":896,"intermediate_size":4304,"model_type":"siglip_vision_model","num_attention_heads":16,"num_hidden_layers":27,"patch_size":14},"torch_dtype":"bfloat16"}`,
			params: 4_300_079_472, within: 0.02, sliding: 29,
		},
		"mistral without a word on its embeddings": {
			config: `{"model_type":"mistral","hidden_size":4096,"intermediate_size":14336,"num_attention_heads":32,"num_hidden_layers":32,"num_key_value_heads":8,"vocab_size":32000,"max_position_embeddings":32768}`,
			params: 7_241_732_096,
		},
		"Qwen2-VL names its encoder's width embed_dim": {
			config: `{"model_type":"qwen2_vl","hidden_size":3584,"intermediate_size":18944,"num_attention_heads":28,"num_hidden_layers":28,"num_key_value_heads":4,"vocab_size":152064,"tie_word_embeddings":false,"max_position_embeddings":32768,
				"vision_config":{"depth":32,"embed_dim":1280,"mlp_ratio":4,"num_heads":16,"in_chans":3,"hidden_size":3584,"patch_size":14,"spatial_merge_size":2,"temporal_patch_size":2}}`,
			params: 8_291_375_616, within: 0.02,
		},
		"NVFP4 by compressed-tensors": {
			config: `{"model_type":"qwen3","hidden_size":64,"intermediate_size":128,"num_attention_heads":4,"num_hidden_layers":2,"vocab_size":100,
				"quantization_config":{"quant_method":"compressed-tensors","format":"nvfp4-pack-quantized","config_groups":{"group_0":{"weights":{"num_bits":4,"group_size":16}}}}}`,
			bits: 4.5,
		},
		"4 bits in groups of 128": {
			config: `{"model_type":"qwen3","hidden_size":64,"intermediate_size":128,"num_attention_heads":4,"num_hidden_layers":2,"vocab_size":100,
				"quantization_config":{"quant_method":"compressed-tensors","config_groups":{"group_0":{"weights":{"num_bits":4,"group_size":128}}}}}`,
			bits: 4.16,
		},
		"8 bits by ModelOpt": {
			config: `{"model_type":"llama","hidden_size":64,"num_attention_heads":4,"num_hidden_layers":2,"vocab_size":100,"quantization_config":{"quant_method":"modelopt","quant_algo":"FP8"}}`,
			bits:   8,
		},
	} {
		a, err := catalog.ParseConfig([]byte(c.config))
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if off := math.Abs(float64(a.Params()-c.params)) / math.Max(1, float64(c.params)); c.params > 0 && off > c.within {
			t.Errorf("%s: %d parameters, want %d", name, a.Params(), c.params)
		}
		if a.Quantization.Bits != c.bits || a.SlidingLayers != c.sliding {
			t.Errorf("%s: %+v, %d sliding layers", name, a.Quantization, a.SlidingLayers)
		}
	}
}
