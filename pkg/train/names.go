package train

// Labels of a run's objects.
const (
	LabelName      = "app.kubernetes.io/name"
	LabelInstance  = "app.kubernetes.io/instance" // the run's name
	LabelComponent = "app.kubernetes.io/component"
	LabelManagedBy = "app.kubernetes.io/managed-by"
	// LabelGroup is shared by the runs of models that are trained together.
	LabelGroup = "kubectl-summarizer/group"
	// LabelQueue is Kueue's.
	LabelQueue = "kueue.x-k8s.io/queue-name"

	// AppName is the value of LabelName, ManagedBy that of LabelManagedBy.
	AppName   = "summarizer-trainer"
	ManagedBy = "kubectl-summarizer"

	// AnnotationQueue on the training names the queue that it will wait in once it is prepared.
	AnnotationQueue = "kubectl-summarizer/queue"
)

// Values of LabelComponent. Only the record itself has ComponentRecord, so that runs can be listed without their code.
const (
	ComponentRecord  = "record"
	ComponentAccess  = "access" // ServiceAccount, Role and RoleBinding
	ComponentCode    = "code"
	ComponentData    = "data"
	ComponentVolume  = "volume"
	ComponentPrepare = "prepare"
	ComponentTrain   = "train"
	ComponentPublish = "publish"
	ComponentProbe   = "probe"
)

// Keys of the record.
const (
	KeySpec     = "run.yaml"
	KeyPrepared = "prepared.json"
	KeyProgress = "progress.json"
	KeyResult   = "result.json"
	KeyScores   = "scores.json"
	KeyError    = "error.json"
)

// ContainerName is the one container of every pod of a run.
const ContainerName = "trainer"

// ObjectName returns the name of a run's record, claim, ServiceAccount, Role and training.
func ObjectName(run string) string { return "train-" + run }

// PrepareName returns the name of a run's preparation Job.
func PrepareName(run string) string { return ObjectName(run) + "-prepare" }

// CodeName returns the name of the ConfigMap that carries the training program.
func CodeName(run string) string { return ObjectName(run) + "-code" }

// DataName returns the name of the ConfigMap that carries the user's own files.
func DataName(run string) string { return ObjectName(run) + "-data" }

// PublishName returns the name of a run's publishing Job and of the ConfigMap with its orders.
func PublishName(run string) string { return ObjectName(run) + "-publish" }

// ProbeName returns the name of a run's probe Job and of the ConfigMap with its orders.
func ProbeName(run string) string { return ObjectName(run) + "-probe" }

// Selector returns the label selector of all objects of a run, or of all runs when run is empty.
func Selector(run string) string {
	selector := LabelName + "=" + AppName
	if run != "" {
		selector += "," + LabelInstance + "=" + run
	}
	return selector
}
