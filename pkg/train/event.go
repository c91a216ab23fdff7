package train

// Event is one line of the training program's output; FORMATS.md says which fields each
// kind has.
type Event struct {
	Event string `json:"event"`
	Time  string `json:"time"`

	// start
	Version  int               `json:"version,omitempty"`
	Run      string            `json:"run,omitempty"`
	Stage    string            `json:"stage,omitempty"`
	Attempt  int               `json:"attempt,omitempty"`
	Versions map[string]string `json:"versions,omitempty"`

	// phase and progress
	Phase  string `json:"phase,omitempty"`
	Detail string `json:"detail,omitempty"`
	Done   int64  `json:"done,omitempty"`
	Total  int64  `json:"total,omitempty"`
	Unit   string `json:"unit,omitempty"`

	// data
	Splits map[string]SplitCount `json:"splits,omitempty"`

	// step, eval, checkpoint, resume and interrupted; of a step, Total counts steps
	Step            int      `json:"step,omitempty"`
	Epoch           float64  `json:"epoch,omitempty"`
	Loss            *float64 `json:"loss,omitempty"`
	LearningRate    float64  `json:"learningRate,omitempty"`
	GradNorm        float64  `json:"gradNorm,omitempty"`
	TokensPerSecond float64  `json:"tokensPerSecond,omitempty"`
	ETASeconds      float64  `json:"etaSeconds,omitempty"`
	MemoryGiB       float64  `json:"memoryGiB,omitempty"`
	Reason          string   `json:"reason,omitempty"`
	Skipped         []string `json:"skipped,omitempty"`

	// warning, error and interrupted
	Message string `json:"message,omitempty"`
	Kind    string `json:"kind,omitempty"`
	Next    string `json:"next,omitempty"`

	// result
	Result *Result `json:"result,omitempty"`

	// published; Revision is the commit
	Repo     string `json:"repo,omitempty"`
	Revision string `json:"revision,omitempty"`
	URL      string `json:"url,omitempty"`
	Private  bool   `json:"private,omitempty"`
	Merged   bool   `json:"merged,omitempty"`

	// probe; Different counts examples, Scores are means by served model and metric, Difference is the adapter's less
	// the base's by metric
	Adapter    string                        `json:"adapter,omitempty"`
	Base       string                        `json:"base,omitempty"`
	Examples   int                           `json:"examples,omitempty"`
	Different  int                           `json:"different,omitempty"`
	Scores     map[string]map[string]float64 `json:"scores,omitempty"`
	Difference map[string]Interval           `json:"difference,omitempty"`
	Verdict    Verdict                       `json:"verdict,omitempty"`
}

// SplitCount is what became of one split's rows.
type SplitCount struct {
	Rows    int            `json:"rows"`
	Kept    int            `json:"kept"`
	Dropped map[string]int `json:"dropped"`
	Tokens  struct {
		P50   int   `json:"p50"`
		P95   int   `json:"p95"`
		Max   int   `json:"max"`
		Total int64 `json:"total"`
	} `json:"tokens"`
}
