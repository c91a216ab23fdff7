package train

import (
	"maps"
	"path"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// Where the pods find things.
const (
	// VolumePath is the run's volume, unless the specification says otherwise.
	VolumePath = "/workspace"
	specDir    = "/etc/summarizer"
	ordersDir  = "/etc/summarizer-job"
	codeDir    = "/opt/summarizer"
	codeFile   = "trainer.zip"
	localDir   = "/etc/summarizer-data"
	localFile  = "data.tar.gz"
	claimDir   = "/data"
	homeDir    = "/home/trainer"
)

// plan is a run with everything filled in, from which the objects are made.
type plan struct {
	spec    Spec
	options Options
	shape   Shape
}

// newPlan completes the specification and the options, and refuses what cannot be.
func newPlan(spec Spec, options Options) (*plan, error) {
	p := &plan{spec: spec, options: options.withDefaults(), shape: ShapeOf(spec.Model.ID, 0)}
	s, o := &p.spec, &p.options
	setDefault(&s.Volume, VolumePath)
	if err := o.check(s); err != nil {
		return nil, err
	}
	if len(o.LocalData) > 0 {
		s.Data.URI = path.Join(localDir, localFile)
	}
	if o.DataClaim != "" {
		_, inside, err := ParseDataClaim(o.DataClaim)
		if err != nil {
			return nil, err
		}
		s.Data.URI = path.Join(claimDir, inside)
	}
	s.Cluster = &Cluster{Namespace: o.Namespace, Record: ObjectName(s.Name), Start: p.start()}
	if o.WeightsGiB == 0 {
		o.WeightsGiB = p.shape.WeightsGiB()
	}
	return p, s.Validate()
}

// start is what the preparation asks of the cluster when it is done.
//
// With a queue it sets Kueue's label and leaves the training suspended. Had the training the label from the
// beginning, Kueue would admit it, and hold a GPU's quota for it, while the weights are still on their way; and
// Kueue, not the preparation, must be what ends the suspension, or the quota is evaded. Kueue takes a label that
// comes late as long as the training is suspended.
func (p *plan) start() *Start {
	s := &Start{Path: "/apis/batch/v1/namespaces/" + p.options.Namespace + "/jobs/" + ObjectName(p.spec.Name)}
	if p.options.Engine == EngineTrainJob {
		s.Path = "/apis/" + trainJobGroup + "/" + trainJobVersion + "/namespaces/" + p.options.Namespace + "/trainjobs/" + ObjectName(p.spec.Name)
	}
	s.Patch = map[string]any{"spec": map[string]any{"suspend": false}}
	if p.options.Queue != "" {
		s.Patch = map[string]any{"metadata": map[string]any{"labels": map[string]any{LabelQueue: p.options.Queue}}}
	}
	return s
}

func (p *plan) labels(component string) map[string]string {
	labels := map[string]string{
		LabelName:      AppName,
		LabelInstance:  p.spec.Name,
		LabelComponent: component,
		LabelManagedBy: ManagedBy,
	}
	if p.options.Group != "" {
		labels[LabelGroup] = p.options.Group
	}
	return labels
}

func (p *plan) meta(name, component string) metav1.ObjectMeta {
	return metav1.ObjectMeta{Name: name, Namespace: p.options.Namespace, Labels: p.labels(component)}
}

// gpusPerNode is 0 for a training on CPUs.
func (p *plan) gpusPerNode() int {
	if p.spec.Training.Device == "cpu" {
		return 0
	}
	return p.spec.Training.GPUs / p.options.Nodes
}

// serviceAccount is the one that the pods run under.
func (p *plan) serviceAccount() string {
	if p.options.ServiceAccount != "" {
		return p.options.ServiceAccount
	}
	return ObjectName(p.spec.Name)
}

// claim is the run's volume.
func (p *plan) claim() string {
	if p.options.ExistingClaim != "" {
		return p.options.ExistingClaim
	}
	return ObjectName(p.spec.Name)
}

// merged returns base with the entries of the others over it, nil when there are none.
func merged(base map[string]string, others ...map[string]string) map[string]string {
	all := maps.Clone(base)
	for _, other := range others {
		for key, value := range other {
			if all == nil {
				all = map[string]string{}
			}
			all[key] = value
		}
	}
	return all
}
