// Package runs observes training runs: what their record, Jobs and pods say of them, and what
// their programs print while they are at work. Those objects are the only state.
package runs

import (
	"errors"
	"strings"
	"time"

	"github.com/kubectl-summarizer/kubectl-summarizer/internal/cluster"
	"github.com/kubectl-summarizer/kubectl-summarizer/pkg/train"
)

// ErrNotFound says that there is no run of that name in the namespace.
var ErrNotFound = errors.New("run not found")

// State is how a run is.
type State string

// The states of a run.
const (
	Pending   State = "Pending"   // no pod is there yet
	Waiting   State = "Waiting"   // no node takes its pod
	Pulling   State = "Pulling"   // the image comes to the node
	Preparing State = "Preparing" // packages, weights and data, on CPU
	Queued    State = "Queued"    // prepared, and in a queue for a GPU
	Training  State = "Training"
	Judging   State = "Judging" // trained, its summaries are scored
	Stopped   State = "Stopped" // by a person; it can go on
	Succeeded State = "Succeeded"
	Failed    State = "Failed"
)

// Over says whether the run does nothing any more by itself.
func (s State) Over() bool { return s == Succeeded || s == Failed || s == Stopped }

// Run is one look at a run; its JSON form is stable.
type Run struct {
	Name      string    `json:"name"`
	Namespace string    `json:"namespace"`
	Group     string    `json:"group,omitempty"`
	State     State     `json:"state"`
	Created   time.Time `json:"created"`
	Finished  time.Time `json:"finished,omitzero"`
	// Phase is what the program does, in its own word, or how far its pod is.
	Phase string `json:"phase,omitempty"`
	// Reason is the cluster's or the program's word for what is wrong, Message the sentence,
	// Next what to type.
	Reason  string `json:"reason,omitempty"`
	Message string `json:"message,omitempty"`
	Next    string `json:"next,omitempty"`
	// Progress is the newest that the program wrote down, at most 10 seconds old.
	Progress  Progress       `json:"progress,omitzero"`
	Spec      train.Spec     `json:"spec"`
	Options   *train.Options `json:"-"`
	Prepared  *Prepared      `json:"prepared,omitempty"`
	Result    *train.Result  `json:"result,omitempty"`
	Published *Published     `json:"published,omitempty"`
	Merged    *Published     `json:"merged,omitempty"`
	Pods      []Pod          `json:"pods"`

	// Prepare and Train are the two parts of the run.
	Prepare Work `json:"-"`
	Train   Work `json:"-"`
	// Blocked says why the cluster makes no pod for it (quota, admission), "" when it does.
	Blocked string `json:"blocked,omitempty"`
	// Stuck: it cannot go on without help, though the cluster goes on trying.
	Stuck bool `json:"-"`

	failure *train.Event // the program's own error
}

// Pod is a pod of a run.
type Pod struct {
	cluster.Pod
	// Component is the part of the run that it does.
	Component string `json:"component"`
	// Disrupted says why the cluster took it away, "" when it did not.
	Disrupted string `json:"disrupted,omitempty"`

	container string
	exitCode  int32
	// said is the termination message.
	said string
	// first: the only pod of its part, or of several the one that speaks for all.
	first bool
}

// Progress is the record's progress.json: the newest event of each kind.
type Progress struct {
	Phase    *train.Event `json:"phase,omitempty"`
	Progress *train.Event `json:"progress,omitempty"`
	Step     *train.Event `json:"step,omitempty"`
	Eval     *train.Event `json:"eval,omitempty"`
}

// Prepared is what the preparation found out, of which the plugin reads this.
type Prepared struct {
	ModelRevision string `json:"model_revision"`
	DataRevision  string `json:"data_revision,omitempty"`
	DataLicense   string `json:"data_license,omitempty"`
	Dropped       int    `json:"dropped"`
}

// Published is where the run's adapter, or the model with the adapter in it, went on the Hub.
type Published struct {
	Repo string `json:"repo"`
	// Revision is the commit.
	Revision string `json:"revision"`
	URL      string `json:"url"`
	Private  bool   `json:"private"`
}

// Work is a Job or TrainJob of a run.
type Work struct {
	// There says whether the object exists.
	There bool
	Name  string
	// Suspended: it has no pods because it may have none yet, or because a person stopped it.
	Suspended bool
	// Stopped is by a person, with `runs stop`.
	Stopped  bool
	Queue    string
	Active   bool
	Complete bool
	Failed   bool
	// Reason and Message are the cluster's, of a failure.
	Reason, Message string
	Finished        time.Time
	// Failures counts pods that ended badly, disruptions included.
	Failures int32

	uid string
}

// Active returns the pod that is at work, or that will be: the newest that has not ended. Of
// several that work together it is one that is not at work yet, as the others wait for it.
func (r *Run) Active() *Pod {
	var found *Pod
	for i := range r.Pods {
		p := &r.Pods[i]
		if !p.Current {
			continue
		}
		if found == nil || p.Phase != cluster.Running && p.Component == found.Component {
			found = p
		}
	}
	return found
}

// Disruptions counts the pods that the cluster took away.
func (r *Run) Disruptions() int {
	n := 0
	for i := range r.Pods {
		if r.Pods[i].Disrupted != "" {
			n++
		}
	}
	return n
}

// Loss returns the newest loss, of the result when there is one, and nil when none is known.
func (r *Run) Loss() *float64 {
	switch {
	case r.Result != nil:
		return &r.Result.Training.FinalLoss
	case r.Progress.Step != nil:
		return r.Progress.Step.Loss
	}
	return nil
}

// Steps returns how many steps are done, and how many there are; 0 when it is not known.
func (r *Run) Steps() (done, total int) {
	switch {
	case r.Result != nil:
		return r.Result.Training.Steps, r.Result.Training.Steps
	case r.Progress.Step != nil:
		return r.Progress.Step.Step, int(r.Progress.Step.Total)
	}
	return 0, 0
}

// Scores returns the scores of the tuned model, or nil.
func (r *Run) Scores() *train.Scores {
	if r.Result == nil || r.Result.Evaluation == nil {
		return nil
	}
	if tuned, ok := r.Result.Evaluation.Systems["tuned"]; ok {
		return &tuned
	}
	return nil
}

// Image is what the run's pods run.
func (r *Run) Image() string {
	if r.Options == nil || r.Options.Image == "" {
		return train.DefaultImage
	}
	return r.Options.Image
}

// localData is where package train mounts the user's own files.
const localData = "/etc/summarizer-data/"

// DataFrom is where the data are from, in the words of who gave them.
func (r *Run) DataFrom() string {
	switch {
	case r.Options != nil && r.Options.DataClaim != "":
		return r.Options.DataClaim
	case strings.HasPrefix(r.Spec.Data.URI, localData):
		return "local files"
	}
	return r.Spec.Data.URI
}

// Claim is the volume claim of the run.
func (r *Run) Claim() string {
	if r.Options != nil && r.Options.ExistingClaim != "" {
		return r.Options.ExistingClaim
	}
	return train.ObjectName(r.Name)
}
