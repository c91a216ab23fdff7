package train

import (
	"math"

	"github.com/kubectl-summarizer/kubectl-summarizer/pkg/catalog"
)

// Shape is what a model's memory in training follows from: a decoder of the Llama kind, with grouped-query
// attention and a gated MLP, without biases.
type Shape struct {
	Layers, Hidden, Intermediate int
	// KVWidth is the width of keys and values: heads times their dimension. QWidth is that of queries.
	QWidth, KVWidth int
	Vocab           int
	// Tied says that input and output share their embeddings.
	Tied bool
	// Known is false for a shape that was guessed from the number of parameters, which is then in params.
	Known  bool
	params int64
}

// gib is one GiB in bytes.
const gib = 1 << 30

// unknownParams are taken for a model of which nothing is known: a 7B model, the largest that one L4 trains.
const unknownParams = 7_250_000_000

// ShapeOf returns the shape of a model that the catalog has, or a guess from its number of parameters, 7.25
// billion when that is 0: Mistral-7B's proportions, with the large vocabulary of newer models.
func ShapeOf(id string, params int64) Shape {
	if model, err := catalog.FindModel(id); err == nil {
		a := model.Architecture
		if a.Experts == 0 && a.LinearLayers == 0 && a.LatentDim == 0 && a.VisionParams == 0 {
			return Shape{
				Layers: a.Layers, Hidden: a.Hidden, Intermediate: a.Intermediate, QWidth: a.Heads * a.HeadDim, KVWidth: a.KVHeads * a.HeadDim,
				Vocab: a.Vocab, Tied: a.Tied, Known: true,
			}
		}
		params = a.Params() // of another kind than Shape counts
	}
	if params == 0 {
		params = unknownParams
	}
	// With layers in proportion to the width, parameters grow with the width's third power.
	scale := math.Cbrt(float64(params) / 7.25e9)
	width := func(of7B float64) int { return max(64, int(math.Round(of7B*scale/64))*64) }
	return Shape{
		Layers: max(1, int(math.Round(32*scale))), Hidden: width(4096), Intermediate: width(14336),
		QWidth: width(4096), KVWidth: width(1024), Vocab: 128256, params: params,
	}
}

// linear calls f with the input and the output width of each linear layer of one block: what LoRA adapts.
func (s Shape) linear(f func(in, out int)) {
	f(s.Hidden, s.QWidth)
	f(s.Hidden, s.KVWidth)
	f(s.Hidden, s.KVWidth)
	f(s.QWidth, s.Hidden)
	f(s.Hidden, s.Intermediate)
	f(s.Hidden, s.Intermediate)
	f(s.Intermediate, s.Hidden)
}

// parts returns the parameters of the linear layers of all blocks, and those of embeddings, output layer and norms;
// of a guessed shape nine tenths and one.
func (s Shape) parts() (linear, other int64) {
	if !s.Known {
		return s.params - s.params/10, s.params / 10
	}
	s.linear(func(in, out int) { linear += int64(in) * int64(out) * int64(s.Layers) })
	embeddings := int64(s.Vocab) * int64(s.Hidden)
	if !s.Tied {
		embeddings *= 2
	}
	return linear, embeddings + int64(2*s.Layers+1)*int64(s.Hidden)
}

// Params returns the number of parameters.
func (s Shape) Params() int64 {
	linear, other := s.parts()
	return linear + other
}

// LoRAParams returns the parameters of an adapter of all linear layers.
func (s Shape) LoRAParams(rank int) int64 {
	var block int64
	s.linear(func(in, out int) { block += int64(rank) * int64(in+out) })
	return block * int64(s.Layers)
}

// WeightsGiB returns the size of the weights in 16 bits.
func (s Shape) WeightsGiB() float64 { return 2 * float64(s.Params()) / gib }
