package cluster

import (
	"slices"
	"time"

	appsv1 "k8s.io/api/apps/v1"
)

// Labels of the chart's pods. The chart's tests hold it to the same names.
const (
	LabelName      = "app.kubernetes.io/name"
	LabelInstance  = "app.kubernetes.io/instance"
	LabelComponent = "app.kubernetes.io/component"

	chartLabel = "helm.sh/chart"

	// ServerContainer runs vLLM, DownloadContainer fetches the model before it.
	ServerContainer   = "vllm"
	DownloadContainer = "download"
)

// Selector returns the label selector of a release's model server pods. The chart's name is
// not part of it, because nameOverride changes that label.
func Selector(release string) string {
	return LabelInstance + "=" + release + "," + LabelComponent + "=server"
}

// Phase is how far a pod of the model server has come.
type Phase string

// The phases, in the order in which a pod passes through them.
const (
	Creating    Phase = "Creating"    // the Deployment has no pod yet
	Unscheduled Phase = "Unscheduled" // no node takes it
	Preparing   Phase = "Preparing"   // volumes and network of the pod
	Pulling     Phase = "Pulling"     // the image comes to the node
	Downloading Phase = "Downloading" // the model comes from the Hub
	Loading     Phase = "Loading"     // vLLM reads the weights and warms up
	Ready       Phase = "Ready"       // it answers
	Failing     Phase = "Failing"     // it crashes, or cannot start
	Stopping    Phase = "Stopping"    // it finishes its requests and goes
)

var order = []Phase{Creating, Unscheduled, Preparing, Pulling, Downloading, Loading, Ready}

// Pod is one pod of the model server, with what is wrong with it.
type Pod struct {
	Name     string `json:"name"`
	Node     string `json:"node,omitempty"`
	GPUs     int64  `json:"gpus"`
	Phase    Phase  `json:"phase"`
	Current  bool   `json:"current"` // belongs to the newest revision of the Deployment; of a run, is or will be at work
	Restarts int32  `json:"restarts"`
	// LastExit is why the model server's container ended last, "" when it never did.
	LastExit string `json:"lastExit,omitempty"`
	// Reason is the cluster's own word for the state, Message what it or the log says of it.
	Reason  string `json:"reason,omitempty"`
	Message string `json:"message,omitempty"`
	// Next is what to type, "" when waiting is right.
	Next string `json:"next,omitempty"`
	// Log holds the last lines of the container that failed.
	Log []string `json:"log,omitempty"`
	// Final means that waiting longer cannot mend it.
	Final bool `json:"-"`
	// Over means that the pod itself has ended (evicted, refused by its node) and has been
	// replaced, or soon will be.
	Over bool `json:"-"`

	Created time.Time `json:"created"`

	// target holds the flags for the commands in Next; foreign names the container that
	// crashed when it is not one of the chart's.
	target, foreign string
	wantsLog        *logRequest
}

type logRequest struct {
	container string
	previous  bool
	lines     int64
}

// View is one look at a release's model server.
type View struct {
	Release string `json:"release"`
	// Deployment is its name, "" when there is none.
	Deployment string `json:"deployment,omitempty"`
	Desired    int32  `json:"desired"`
	Updated    int32  `json:"updated"`
	Available  int32  `json:"available"`
	// Healthy: every replica of the newest revision is available, and no older one runs.
	Healthy bool  `json:"healthy"`
	Pods    []Pod `json:"pods"`
	// Blocked says why the Deployment cannot make a pod (quota, admission), "" when it can.
	Blocked string `json:"blocked,omitempty"`
	// Chart is the Deployment's label of chart and version.
	Chart string `json:"-"`

	// short are the ReplicaSets that lack pods, known when it is blocked.
	short []string
	// observed: the Deployment's controller has seen its newest generation, so that what
	// counts as current is not a revision behind.
	observed bool
}

// Failed says whether a pod of the newest revision has failed in a way that waiting does
// not mend.
func (v *View) Failed() bool {
	pod := v.Furthest()
	return v.observed && pod != nil && pod.Final
}

// Furthest returns the pod of the newest revision that decides how far the rollout is: one
// that cannot be mended first, then a failing one, else the one that has come least far. A
// pod that is over counts only when there is no other, or when it shows that every other
// will end like it. It is nil when there is none.
func (v *View) Furthest() *Pod {
	var worst *Pod
	for i := range v.Pods {
		pod := &v.Pods[i]
		if !pod.Current || pod.Phase == Stopping {
			continue
		}
		if worst == nil || pod.rank() < worst.rank() {
			worst = pod
		}
	}
	return worst
}

// rank orders pods by how far they are from Ready.
func (p *Pod) rank() int {
	switch {
	case p.Final:
		return -2
	case p.Over:
		return len(order)
	case p.Phase == Failing:
		return -1
	}
	return slices.Index(order, p.Phase)
}

// Stopping says whether a pod of the release is on its way out.
func (v *View) Stopping() bool {
	return slices.ContainsFunc(v.Pods, func(p Pod) bool { return p.Phase == Stopping })
}

// Idle says whether the release is meant to have no pod at all.
func (v *View) Idle() bool { return v.observed && v.Desired == 0 }

func (v *View) fillDeployment(d *appsv1.Deployment) {
	v.Deployment, v.Chart = d.Name, d.Labels[chartLabel]
	v.Desired = 1
	if d.Spec.Replicas != nil {
		v.Desired = *d.Spec.Replicas
	}
	v.Updated, v.Available = d.Status.UpdatedReplicas, d.Status.AvailableReplicas
	v.observed = d.Status.ObservedGeneration >= d.Generation
	v.Healthy = v.observed && v.Desired > 0 && v.Updated >= v.Desired && v.Available >= v.Desired && d.Status.Replicas <= v.Updated
	for _, c := range d.Status.Conditions {
		if c.Type == appsv1.DeploymentReplicaFailure && c.Status == "True" {
			v.Blocked = c.Message
		}
	}
}
