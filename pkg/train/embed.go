package train

import "embed"

// program holds the training program without its tests. Python's caches hold no .py files.
//
//go:embed trainer/src/summarizer_trainer/*.py
//go:embed trainer/src/summarizer_trainer/*/*.py
//go:embed trainer/layer.lock
var program embed.FS
