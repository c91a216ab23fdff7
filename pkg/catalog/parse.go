package catalog

import (
	"encoding/json"
	"maps"
	"slices"
	"strings"
)

// Limits of what a model can be: a hundred times the largest ones, so that no product overflows.
const (
	mostLayers, mostWidth, mostHeads = 10_000, 4_000_000, 100_000
	mostVocab, mostContext           = 100_000_000, 1_000_000_000
	mostExperts, mostVisionWidth     = 100_000, 100_000
	mostParams                       = 1e15
)

// counted are the model types whose count of parameters is tested against the published one.
var counted = map[string]bool{
	"llama": true, "mistral": true, "mixtral": true, "qwen2": true, "qwen3": true, "qwen3_moe": true, "gemma2": true,
	"gemma3": true, "gemma3_text": true, "phi3": true, "gpt_oss": true, "smollm3": true, "granite": true, "qwen2_5_vl": true, "qwen3_vl": true,
	"qwen2_5_vl_text": true, "qwen3_vl_text": true,
}

// ParseConfig reads the architecture of a language model from its config.json, as the Hub has it. Its error is a
// *ConfigError, which names the field.
func ParseConfig(data []byte) (Architecture, error) {
	top, err := decode(data)
	if err != nil {
		return Architecture{}, err
	}
	text, nested := top.inner("text_config")
	if !nested {
		if thinker, ok := top.inner("thinker_config"); ok {
			top = thinker
			text, nested = top.inner("text_config")
		}
	}
	if !nested {
		text = top
	}
	text.fill(familyDefaults[text.text("model_type")])
	a := Architecture{
		Type:         text.text("model_type"),
		Layers:       text.need(mostLayers, "num_hidden_layers", "n_layer", "num_layers"),
		Hidden:       text.need(mostWidth, "hidden_size", "n_embd", "d_model"),
		Heads:        text.need(mostHeads, "num_attention_heads", "n_head"),
		Vocab:        text.need(mostVocab, "vocab_size"),
		Context:      text.number(0, 1, mostContext, "max_position_embeddings", "n_positions", "max_sequence_length"),
		Tied:         text.flag(top.flag(tiedByDefault(text.text("model_type")), "tie_word_embeddings"), "tie_word_embeddings"),
		Experts:      text.number(0, 0, mostExperts, "num_local_experts", "num_experts", "n_routed_experts"),
		DType:        dtypeOf(text, top),
		Quantization: quantizationOf(text, top),
	}
	a.KVHeads = text.number(a.Heads, 1, mostHeads, "num_key_value_heads")
	a.HeadDim = text.number(max(1, a.Hidden/max(1, a.Heads)), 1, mostWidth, "head_dim")
	a.ValueDim = a.HeadDim
	a.Intermediate = text.number(4*a.Hidden, 1, mostWidth, "intermediate_size", "n_inner", "ffn_dim")
	a.ExpertsPerToken = text.number(min(a.Experts, 2), 0, mostExperts, "num_experts_per_tok", "moe_topk", "top_k_experts")
	a.ExpertIntermediate = text.number(a.Intermediate, 1, mostWidth, "moe_intermediate_size", "expert_ffn_hidden_size")
	if a.KVHeads > a.Heads {
		text.fail("num_key_value_heads", "is %d, above the %d num_attention_heads", a.KVHeads, a.Heads)
	}
	layersOf(text, &a)
	count(text, &a)
	if vision, ok := top.inner("vision_config"); ok {
		a.VisionParams = visionParams(vision, a.Hidden)
		a.VisionWidth = vision.number(0, 0, mostVisionWidth, "embed_dim", "hidden_size")
		a.VisionPatches = visionPatches(vision)
	}
	a.Approximate = !counted[a.Type]
	if *top.err != nil {
		return Architecture{}, *top.err
	}
	return a, nil
}

// familyDefaults are what transformers takes for fields that the makers' own files leave out.
var familyDefaults = map[string]map[string]any{
	"gemma3_text": {
		"num_attention_heads": json.Number("8"), "num_key_value_heads": json.Number("4"), "head_dim": json.Number("256"),
		"vocab_size": json.Number("262208"), "max_position_embeddings": json.Number("131072"),
	},
}

// tiedByDefault is what transformers takes where a file does not say whether the embeddings are shared: most families
// have them apart.
func tiedByDefault(modelType string) bool {
	return strings.HasPrefix(modelType, "gemma") || strings.HasPrefix(modelType, "cohere") || modelType == "gpt2"
}

func dtypeOf(text, top fields) string {
	dtype := text.text("dtype", "torch_dtype")
	if dtype == "" {
		dtype = top.text("dtype", "torch_dtype")
	}
	if dtype == "" {
		dtype = "bfloat16"
	}
	return strings.TrimPrefix(dtype, "torch.")
}

// quantizationOf reads quantization_config as its makers write it: AutoAWQ, GPTQ, fp8, compressed-tensors, ModelOpt,
// bitsandbytes.
func quantizationOf(text, top fields) Quantization {
	config, ok := top.inner("quantization_config")
	if !ok {
		config, ok = text.inner("quantization_config")
	}
	if !ok {
		return Quantization{}
	}
	method := config.text("quant_method")
	bits := config.number(0, 1, 32, "bits", "w_bit", "weight_bits")
	switch method {
	case "bitsandbytes":
		if config.flag(false, "load_in_8bit") {
			return Quantization{Method: method, Bits: 8}
		}
	case "compressed-tensors":
		var group int
		if bits, group = groupBits(config); bits == 4 && group == 16 {
			return Quantization{Method: method, Bits: quantized["nvfp4"]}
		}
	case "modelopt":
		if strings.Contains(config.text("quant_algo"), "fp4") {
			return Quantization{Method: "nvfp4", Bits: quantized["nvfp4"]}
		}
		return Quantization{Method: "fp8", Bits: 8}
	}
	if known, ok := QuantizationOf(method); ok && (bits == 0 || bits == 4) {
		return known
	}
	switch {
	case bits == 4:
		return Quantization{Method: method, Bits: quantized["awq"]}
	case bits > 0:
		return Quantization{Method: method, Bits: float64(bits)}
	}
	return Quantization{Method: method, Bits: 16}
}

// groupBits are the bits of the weights of compressed-tensors' first group by name, and how many weights share a scale.
func groupBits(config fields) (bits, size int) {
	groups, ok := config.inner("config_groups")
	if !ok {
		return 0, 0
	}
	for _, name := range slices.Sorted(maps.Keys(groups.object)) {
		if group, ok := groups.inner(name); ok {
			if weights, ok := group.inner("weights"); ok {
				return weights.number(0, 1, 32, "num_bits"), weights.number(0, -1, mostWidth, "group_size")
			}
		}
	}
	return 0, 0
}

// layersOf finds which layers keep what.
func layersOf(text fields, a *Architecture) {
	a.Window = text.number(0, 0, mostContext, "sliding_window")
	types := text.texts("layer_types")
	switch {
	case len(types) > 0:
		if len(types) != a.Layers {
			text.fail("layer_types", "has %d entries for %d layers", len(types), a.Layers)
		}
		for _, kind := range types {
			switch kind {
			case "sliding_attention", "chunked_attention":
				a.SlidingLayers++
			case "linear_attention", "conv", "mamba":
				a.LinearLayers++
			}
		}
	case a.Window == 0 || strings.HasPrefix(a.Type, "qwen") && !text.flag(false, "use_sliding_window"):
		a.Window = 0
	case a.Type == "gemma2":
		a.SlidingLayers = (a.Layers + 1) / 2
	case strings.HasPrefix(a.Type, "gemma3"), a.Type == "cohere2", a.Type == "exaone4":
		pattern := text.number(6, 1, mostLayers, "sliding_window_pattern")
		a.SlidingLayers = a.Layers - a.Layers/pattern
	default:
		a.SlidingLayers = a.Layers
	}
	if interval := text.number(0, 0, mostLayers, "full_attention_interval"); interval > 0 && len(types) == 0 {
		a.LinearLayers = a.Layers - a.Layers/interval
	}
	if a.LinearLayers > 0 {
		a.Linear = LinearAttention{
			KeyHeads: text.number(16, 1, mostHeads, "linear_num_key_heads"), ValueHeads: text.number(32, 1, mostHeads, "linear_num_value_heads"),
			KeyDim: text.number(128, 1, mostWidth, "linear_key_head_dim"), ValueDim: text.number(128, 1, mostWidth, "linear_value_head_dim"),
			Conv: text.number(4, 1, 64, "linear_conv_kernel_dim"),
		}
	}
}
