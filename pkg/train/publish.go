package train

import "k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

// Publish is what a finished run is published as: publish.yaml of the stage `publish`.
type Publish struct {
	// Repo is the Hub's ORG/NAME.
	Repo string `json:"repo"`
	// Public shows it to everybody; otherwise a repository that is made is private.
	Public bool `json:"public"`
	// Merged publishes the whole model with the adapter in it.
	Merged bool `json:"merged"`
	// Revision is the branch, main when empty; it is made when it is not there.
	Revision string `json:"revision,omitempty"`
	// Message is of the commit; one is written when empty.
	Message string `json:"message,omitempty"`
	// AcceptDataLicence is somebody's word that weights trained on restricted data may be public.
	AcceptDataLicence bool `json:"acceptDataLicence"`
}

// PublishJob returns the ConfigMap with the orders and the Job, on CPU, that publishes a finished run. Apply both
// after deleting what an earlier attempt left: a Job cannot be changed. What is on the Hub already is not sent again.
func PublishJob(spec Spec, options Options, publish Publish) ([]*unstructured.Unstructured, error) {
	p, err := newPlan(spec, options)
	if err != nil {
		return nil, err
	}
	needs := lightRequirements()
	if publish.Merged {
		// The model is loaded whole, and each file is built in memory before it is written.
		needs.memory = gibibytes(8 + p.options.WeightsGiB)
	}
	return p.ordered(PublishName(spec.Name), stage{
		component: ComponentPublish,
		command:   "publish",
		env:       p.hubEnv(),
		needs:     needs,
		grace:     30,
	}, publish)
}
