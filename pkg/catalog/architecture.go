package catalog

// Architecture is what a model's memory and speed follow from: the numbers of its config.json.
// All widths and counts are of the whole model, before it is split over GPUs.
type Architecture struct {
	// Type is the configuration's model_type, such as "llama".
	Type string
	// Layers, of which SlidingLayers keep keys and values of the last Window tokens alone, and LinearLayers have
	// linear attention, with a state of fixed size in place of keys and values.
	Layers, SlidingLayers, LinearLayers, Window int
	// Hidden is the width between the layers, Intermediate that of a dense layer's MLP.
	Hidden, Intermediate int
	Heads, KVHeads       int
	// HeadDim is the width of a head of queries and keys, ValueDim that of values.
	HeadDim, ValueDim int
	// LatentDim is the width of the compressed keys and values of multi-head latent attention, 0 without it.
	LatentDim int
	Vocab     int
	// Context is the longest prompt plus answer in tokens that the model was made for.
	Context int
	// Tied says that input and output share their embeddings.
	Tied bool
	// Experts of a mixture, of which ExpertsPerToken work on each token; 0 for a dense model.
	Experts, ExpertsPerToken, ExpertIntermediate int
	// Linear is the linear attention of LinearLayers.
	Linear LinearAttention
	// DType is the number format of the weights: bfloat16, float16 or float32.
	DType string
	// Quantization is how the checkpoint's linear layers are stored.
	Quantization Quantization
	// VisionParams are the parameters of an encoder of images, 0 without one.
	VisionParams int64
	// VisionWidth is the encoder's width, VisionPatches the patches of the largest image that vLLM profiles it with.
	VisionWidth, VisionPatches int
	// LinearParams are the parameters of the linear layers of all blocks (what quantization and LoRA change, and what
	// tensor parallelism splits), EmbeddingParams those of input and output embeddings, OtherParams those of norms and
	// whatever else every GPU holds whole.
	LinearParams, EmbeddingParams, OtherParams int64
	// ActiveParams are the parameters that work on one token, without the input embedding.
	ActiveParams int64
	// Approximate says that the architecture is not one that the count is tested on.
	Approximate bool
}

// LinearAttention is a gated delta network: heads with a state matrix each.
type LinearAttention struct {
	KeyHeads, ValueHeads, KeyDim, ValueDim, Conv int
}

// Quantization is how weights are stored.
type Quantization struct {
	// Method is such as "fp8", "awq" or "" for none.
	Method string
	// Bits of a weight, with what its group's scales add.
	Bits float64
}

// Params is the number of parameters.
func (a Architecture) Params() int64 {
	return a.LinearParams + a.EmbeddingParams + a.OtherParams + a.VisionParams
}

// FullLayers is the number of layers that keep keys and values of every token.
func (a Architecture) FullLayers() int { return a.Layers - a.SlidingLayers - a.LinearLayers }

// bytesOf are the bytes of one number of a format.
var bytesOf = map[string]float64{"float32": 4, "float": 4, "bfloat16": 2, "float16": 2, "half": 2}

// DTypeBytes returns the bytes of one number of a format by vLLM's names, 2 for "auto", "" and unknown ones.
func DTypeBytes(dtype string) float64 {
	if bytes, known := bytesOf[dtype]; known {
		return bytes
	}
	return 2
}

// quantized are the bits of a weight by method: those of the weight, and those of the scales (16 bits for each group
// of 128 for AWQ and GPTQ, 8 for 16 for NVFP4, 8 for 32 for MXFP4, 32 for 64 for bitsandbytes).
var quantized = map[string]float64{
	"fp8": 8, "fbgemm_fp8": 8, "fp8_per_tensor": 8, "int8": 8, "experts_int8": 8,
	"awq": 4.16, "awq_marlin": 4.16, "gptq": 4.16, "gptq_marlin": 4.16,
	"bitsandbytes": 4.5, "nvfp4": 4.5, "modelopt_fp4": 4.5, "mxfp4": 4.25,
}

// QuantizationOf returns a method of vLLM's --quantization; known is false for one of which the size is not known.
func QuantizationOf(method string) (q Quantization, known bool) {
	if method == "" || method == "none" {
		return Quantization{}, true
	}
	bits, known := quantized[method]
	return Quantization{Method: method, Bits: bits}, known
}
