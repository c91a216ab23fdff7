package train

// Default returns the specification whose fields are those of testdata/formats/full.yaml, with
// no name, no model and no volume: those three have no default.
func Default() Spec {
	s := Spec{
		Version: SpecVersion,
		Model: Model{
			Revision:       "main",
			IgnorePatterns: []string{"consolidated*", "original/*", "*.gguf", "*.pth", "*.onnx", "*.msgpack", "*.h5"},
		},
		Data: Data{URI: "samsum"},
		Prompt: Prompt{
			Instruction: "Summarize the following dialogue in one or two sentences.",
			DateString:  "26 Jul 2024",
		},
		LoRA: LoRA{Rank: 16, Alpha: 32, Dropout: 0.05},
		Training: Training{
			Device: "cuda", GPUs: 1, Epochs: 2,
			BatchSize: 4, EffectiveBatchSize: 16, LearningRate: 2e-4, WarmupRatio: 0.03,
			MaxLength: 1024, Seed: 42,
			GradientCheckpointing: "auto", Packing: "auto", Attention: "auto",
			LogSteps: 5, SaveSteps: 50, EvalSteps: 100,
		},
		Evaluation: Evaluation{Engine: "vllm", Split: "test", MaxNewTokens: 128, BatchSize: 64, BootstrapSamples: 2000},
	}
	s.Data.Columns.Dialogue, s.Data.Columns.Summary = "dialogue", "summary"
	s.Tracking.WandB.Mode, s.Tracking.WandB.Project = "auto", "summarizer"
	return s
}
