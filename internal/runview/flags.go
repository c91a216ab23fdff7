package runview

import "strings"

// asFlags says in flags of `train` what the training program, which knows run.yaml alone, calls by its fields.
var asFlags = strings.NewReplacer(
	"data.columns.dialogue ", "--dialogue-column ",
	"data.columns.summary ", "--summary-column ",
	"training.device: cpu", "--device cpu",
	"training.gradientCheckpointing: on", "--gradient-checkpointing on",
	"training.quantization: nf4", "--quantization nf4",
	"training.batchSize", "--batch-size",
	"(with the same effectiveBatchSize", "(with the same --effective-batch-size",
	"training.effectiveBatchSize", "--effective-batch-size",
	"training.learningRate", "--learning-rate",
	"training.maxLength", "--max-length",
	"training.gpus", "--gpus",
	"set evaluation.engine: ", "--eval-engine ",
	"evaluation.engine", "--eval-engine",
)
