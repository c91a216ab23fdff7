package catalog

import "strings"

// count fills in the parameters, layer by layer as transformers builds them.
func count(text fields, a *Architecture) {
	width := func(n int) int64 { return int64(n) }
	h, heads, kv, dim := width(a.Hidden), width(a.Heads), width(a.KVHeads), width(a.HeadDim)
	biased := text.flag(strings.HasPrefix(a.Type, "qwen2"), "attention_bias")
	outputBiased := biased && !strings.HasPrefix(a.Type, "qwen2")

	attention := h*heads*dim + 2*h*kv*dim + heads*dim*h
	if text.flag(false, "attn_output_gate") {
		attention += h * heads * dim
	}
	var attentionOther int64
	if biased {
		attentionOther += (heads + 2*kv) * dim
	}
	if outputBiased {
		attentionOther += h
	}
	if rank := text.number(0, 0, mostWidth, "kv_lora_rank"); rank > 0 {
		attention = latentAttention(text, a, rank)
		attentionOther += int64(rank + text.number(0, 0, mostWidth, "q_lora_rank")) // their norms
	}
	switch {
	case strings.HasPrefix(a.Type, "qwen3"), strings.HasPrefix(a.Type, "gemma3"):
		attentionOther += 2 * dim // norms of queries and keys
	case a.Type == "gpt_oss":
		attentionOther += heads // the sinks
	}
	linear := linearAttention(h, a.Linear)
	// Before anything is multiplied in whole numbers, which would overflow unseen.
	largest := float64(a.Layers) * float64(max(1, a.Experts)) * float64(h) * float64(max(a.Intermediate, a.ExpertIntermediate, a.Heads*a.HeadDim, a.Linear.ValueHeads*a.Linear.ValueDim, a.Linear.KeyHeads*a.Linear.KeyDim))
	if largest > mostParams {
		text.fail("hidden_size", "and the other sizes together make %.0e parameters, which no model has", largest)
		return
	}

	mlp := 3 * h * width(a.Intermediate)
	active := mlp
	dense := a.Layers
	var router, expertOther int64
	if a.Experts > 0 {
		dense = text.number(0, 0, a.Layers, "first_k_dense_replace")
		one := 3 * h * width(a.ExpertIntermediate)
		shared := width(text.number(0, 0, mostExperts, "n_shared_experts"))*one + 3*h*width(text.number(0, 0, mostWidth, "shared_expert_intermediate_size"))
		router = h * width(a.Experts)
		if a.Type == "gpt_oss" {
			router += width(a.Experts)
			expertOther = width(a.Experts) * (2*width(a.ExpertIntermediate) + h)
		}
		mlp = width(a.Experts)*one + shared
		active = width(a.ExpertsPerToken)*one + shared + router
	}
	denseMLP := 3 * h * width(a.Intermediate)
	norms := 2 * h
	if strings.HasPrefix(a.Type, "gemma2") || strings.HasPrefix(a.Type, "gemma3") {
		norms = 4 * h
	}

	layers, attending := width(a.Layers), width(a.Layers-a.LinearLayers)
	sparse := layers - width(dense)
	a.LinearParams = attending*attention + width(a.LinearLayers)*linear + sparse*mlp + width(dense)*denseMLP
	a.OtherParams = layers*norms + h + attending*attentionOther + sparse*(router+expertOther)
	a.EmbeddingParams = width(a.Vocab) * h
	output := a.EmbeddingParams
	if !a.Tied {
		a.EmbeddingParams *= 2
	}
	a.ActiveParams = attending*attention + width(a.LinearLayers)*linear + sparse*active + width(dense)*denseMLP + output
}

// latentAttention counts multi-head latent attention (DeepSeek-V2, arXiv 2405.04434, section 2.1) and sets the widths
// of what it keeps.
func latentAttention(text fields, a *Architecture, rank int) int64 {
	rope := text.number(64, 1, mostWidth, "qk_rope_head_dim")
	nope := text.number(128, 1, mostWidth, "qk_nope_head_dim")
	a.ValueDim = text.number(128, 1, mostWidth, "v_head_dim")
	a.HeadDim, a.LatentDim = nope+rope, rank+rope
	h, heads := int64(a.Hidden), int64(a.Heads)
	queries := h * heads * int64(a.HeadDim)
	if lora := int64(text.number(0, 0, mostWidth, "q_lora_rank")); lora > 0 {
		queries = h*lora + lora*heads*int64(a.HeadDim)
	}
	return queries + h*int64(a.LatentDim) + int64(rank)*heads*int64(nope+a.ValueDim) + heads*int64(a.ValueDim)*h
}

// linearAttention counts one layer of a gated delta network: queries, keys, values, gate and output, two small
// projections, the convolution.
func linearAttention(h int64, l LinearAttention) int64 {
	keys, values := int64(l.KeyHeads*l.KeyDim), int64(l.ValueHeads*l.ValueDim)
	return h*(2*keys+2*values) + 2*h*int64(l.ValueHeads) + int64(l.Conv)*(2*keys+values) + values*h
}

// visionParams counts an encoder of images: a transformer of patches, and what merges its output into the text's width.
func visionParams(v fields, hidden int) int64 {
	width := int64(v.number(0, 0, mostVisionWidth, "embed_dim", "hidden_size"))
	layers := int64(v.number(0, 0, 1000, "num_hidden_layers", "depth"))
	mlp := int64(v.number(int(4*width), 0, mostVisionWidth, "intermediate_size"))
	patch := int64(v.number(14, 1, 1024, "patch_size"))
	frames := int64(v.number(1, 1, 64, "temporal_patch_size"))
	merge := int64(v.number(1, 1, 16, "spatial_merge_size"))
	matrices := int64(2)
	if strings.HasPrefix(v.text("model_type"), "qwen2_5") || v.object["out_hidden_size"] != nil && v.object["deepstack_visual_indexes"] == nil && mlp < 3*width {
		matrices = 3 // gated
	}
	params := layers*(4*width*width+matrices*width*mlp+8*width) + 3*patch*patch*frames*width
	if image := int64(v.number(0, 0, 100_000, "image_size")); image > 0 {
		params += image / patch * (image / patch) * width
		return params + width*int64(hidden)
	}
	merged := width * merge * merge
	one := merged*merged + merged*int64(hidden)
	if extra, ok := v.object["deepstack_visual_indexes"].([]any); ok {
		one *= int64(1 + len(extra))
	}
	return params + one
}

// visionPatches are those of the largest image: of one size where the encoder takes one size only, otherwise what
// Qwen's processors take at most, 16384 merged patches of four.
func visionPatches(v fields) int {
	if image := v.number(0, 0, 100_000, "image_size"); image > 0 {
		side := image / v.number(14, 1, 1024, "patch_size")
		return side * side
	}
	return 4 * 16384
}
