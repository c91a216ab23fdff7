package train

// ResultVersion is the version of the format of result.json.
const ResultVersion = 1

// Result is what a run came to. Its short form, which fits a termination message (4096
// bytes), lacks Versions and Hyperparameters.
type Result struct {
	Version int    `json:"version"`
	Run     string `json:"run"`
	// Status is "succeeded", or "trained" when judging is still to be done.
	Status  string        `json:"status"`
	Model   ResultModel   `json:"model"`
	Adapter ResultAdapter `json:"adapter"`
	Data    ResultData    `json:"data"`
	// Code is the SHA-256 of the training program's files.
	Code            string            `json:"code"`
	Versions        map[string]string `json:"versions,omitempty"`
	Hyperparameters map[string]any    `json:"hyperparameters,omitempty"`
	Training        ResultTraining    `json:"training"`
	Evaluation      *ResultEvaluation `json:"evaluation,omitempty"`
	WandB           *ResultWandB      `json:"wandb,omitempty"`
}

// ResultModel is the base model as it was loaded.
type ResultModel struct {
	ID string `json:"id"`
	// Revision is the commit, "" for a directory that is no repository.
	Revision string `json:"revision"`
}

// ResultAdapter is the adapter on the volume.
type ResultAdapter struct {
	Path   string `json:"path"` // relative to the volume
	SHA256 string `json:"sha256"`
	Rank   int    `json:"rank"`
	// Bytes of adapter_model.safetensors.
	Bytes int64 `json:"bytes"`
}

// ResultData is the data as it was used.
type ResultData struct {
	URI      string `json:"uri"`
	Revision string `json:"revision,omitempty"`
	License  string `json:"license,omitempty"`
	SHA256   string `json:"sha256"`
	Train    int    `json:"train"`
	// Validation and Test are numbers of examples.
	Validation int `json:"validation"`
	Test       int `json:"test"`
	// Dropped counts examples of all splits that were left out.
	Dropped int `json:"dropped"`
}

// ResultTraining is how the training went. Losses are means of the completion's tokens, in nats.
type ResultTraining struct {
	Steps           int      `json:"steps"`
	Epochs          float64  `json:"epochs"`
	Tokens          int64    `json:"tokens"`
	Seconds         float64  `json:"seconds"`
	TokensPerSecond float64  `json:"tokensPerSecond"`
	PeakMemoryGiB   float64  `json:"peakMemoryGiB"`
	Device          string   `json:"device"`
	FirstLoss       float64  `json:"firstLoss"`
	FinalLoss       float64  `json:"finalLoss"`
	EvalLoss        *float64 `json:"evalLoss,omitempty"`
	// Resumed counts how often it went on from a checkpoint.
	Resumed int   `json:"resumed"`
	Seed    int64 `json:"seed"`
}

// ResultEvaluation is how the adapter was judged.
type ResultEvaluation struct {
	Split        string `json:"split"`
	Examples     int    `json:"examples"`
	Engine       string `json:"engine"` // such as "vllm 0.32.0"
	Scorer       string `json:"scorer"` // such as "rouge-score 0.1.2, stemmer, sentences split by …"
	Confidence   int    `json:"confidence"`
	MaxNewTokens int    `json:"maxNewTokens"`
	// Systems are "tuned", "base" and "lead3".
	Systems map[string]Scores `json:"systems"`
	// Served says that vLLM loaded the adapter and that its answers differed from the base's.
	Served bool `json:"served"`
}

// Scores are means over the judged examples; ROUGE as F1 from 0 to 1.
type Scores struct {
	Rouge1    Interval `json:"rouge1"`
	Rouge2    Interval `json:"rouge2"`
	RougeL    Interval `json:"rougeL"`
	RougeLsum Interval `json:"rougeLsum"`
	// LengthRatio is the words of the prediction over those of the reference.
	LengthRatio float64 `json:"lengthRatio"`
	// Empty and CutOff are shares of the predictions.
	Empty  float64 `json:"empty"`
	CutOff float64 `json:"cutOff"`
	// NameRecall is the share of the reference's speaker names that the prediction has.
	NameRecall float64 `json:"nameRecall"`
}

// Interval is a mean with the bounds of its bootstrap interval: [mean, low, high].
type Interval [3]float64

// ResultWandB is the run in Weights & Biases.
type ResultWandB struct {
	ID   string `json:"id"`
	Mode string `json:"mode"` // online or offline
	URL  string `json:"url,omitempty"`
}
