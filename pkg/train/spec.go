package train

// SpecVersion is the version of the format of run.yaml that this package writes.
const SpecVersion = 1

// Spec is run.yaml: everything that the training program is told. The same file runs a
// training in the cluster and on a workstation; FORMATS.md describes its fields.
type Spec struct {
	Version    int        `json:"version"`
	Name       string     `json:"name"`
	Model      Model      `json:"model"`
	Data       Data       `json:"data"`
	Prompt     Prompt     `json:"prompt"`
	LoRA       LoRA       `json:"lora"`
	Training   Training   `json:"training"`
	Evaluation Evaluation `json:"evaluation"`
	Tracking   Tracking   `json:"tracking"`
	// Volume is the directory that outlives the pods.
	Volume string `json:"volume"`
	// Cluster is nil on a workstation.
	Cluster *Cluster `json:"cluster,omitempty"`
}

// Model is the model that is tuned.
type Model struct {
	// ID is a Hugging Face id or an absolute directory.
	ID       string `json:"id"`
	Revision string `json:"revision"`
	// IgnorePatterns are files of the repository that are not fetched.
	IgnorePatterns []string `json:"ignorePatterns"`
}

// Data says where the dialogues and summaries come from.
type Data struct {
	// URI is "samsum", an absolute path (a file, a directory or a .tar.gz of one), or an
	// address that begins with hf://datasets/, gs://, s3:// or https://.
	URI      string `json:"uri"`
	Revision string `json:"revision,omitempty"`
	Columns  struct {
		Dialogue string `json:"dialogue"`
		Summary  string `json:"summary"`
	} `json:"columns"`
	// Limit is the most examples that are taken of each split; 0 takes all.
	Limit struct {
		Train      int `json:"train"`
		Validation int `json:"validation"`
		Test       int `json:"test"`
	} `json:"limit"`
}

// Prompt is how a dialogue is put to the model, in training, judging and serving alike.
type Prompt struct {
	// Instruction precedes the dialogue, with a blank line between them.
	Instruction string `json:"instruction"`
	// DateString is what a chat template that writes today's date gets ("26 Jul 2024").
	DateString string `json:"dateString"`
}

// LoRA is the shape of the adapter.
type LoRA struct {
	Rank    int     `json:"rank"`
	Alpha   int     `json:"alpha"`
	Dropout float64 `json:"dropout"`
	RSLoRA  bool    `json:"rslora"`
}

// Training holds the hyper-parameters and the device.
type Training struct {
	Device string  `json:"device"` // cuda or cpu
	GPUs   int     `json:"gpus"`
	Epochs float64 `json:"epochs"`
	// MaxSteps ends the run early; 0 goes by Epochs.
	MaxSteps int `json:"maxSteps"`
	// BatchSize is what is on a device at once, EffectiveBatchSize what one step of the
	// optimizer sees over all devices: the rest is accumulated.
	BatchSize          int     `json:"batchSize"`
	EffectiveBatchSize int     `json:"effectiveBatchSize"`
	LearningRate       float64 `json:"learningRate"`
	WarmupRatio        float64 `json:"warmupRatio"`
	WeightDecay        float64 `json:"weightDecay"`
	// MaxLength is the longest example, prompt and summary, in tokens.
	MaxLength int   `json:"maxLength"`
	Seed      int64 `json:"seed"`
	// Quantization of the base model: "" for bfloat16, nf4 for QLoRA.
	Quantization          string `json:"quantization"`
	GradientCheckpointing string `json:"gradientCheckpointing"` // auto, on, off
	Packing               string `json:"packing"`               // auto, on, off
	Attention             string `json:"attention"`             // auto, sdpa, flash_attention_2, eager
	LogSteps              int    `json:"logSteps"`
	SaveSteps             int    `json:"saveSteps"`
	EvalSteps             int    `json:"evalSteps"`
}

// Evaluation says how the adapter is judged.
type Evaluation struct {
	Engine       string `json:"engine"` // vllm, transformers, none
	Split        string `json:"split"`
	MaxNewTokens int    `json:"maxNewTokens"`
	// BatchSize is how many examples are generated at once.
	BatchSize        int `json:"batchSize"`
	BootstrapSamples int `json:"bootstrapSamples"`
}

// Tracking says who else is told of the run.
type Tracking struct {
	WandB struct {
		// Mode: auto (online when there is a key), online, offline or off.
		Mode    string `json:"mode"`
		Project string `json:"project"`
		Entity  string `json:"entity,omitempty"`
	} `json:"wandb"`
}

// Cluster is where a run in a cluster writes what must outlive its pods.
type Cluster struct {
	Namespace string `json:"namespace"`
	// Record is the ConfigMap that holds this file, the progress and the result.
	Record string `json:"record"`
	// Start is the request by which the preparation lets the training begin.
	Start *Start `json:"start,omitempty"`
}

// Start is one merge patch of the Kubernetes API.
type Start struct {
	Path  string         `json:"path"`
	Patch map[string]any `json:"patch"`
}
