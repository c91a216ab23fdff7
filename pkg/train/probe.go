package train

import "k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

// Probe says what is asked of a server that has the adapter: probe.yaml of the stage `probe`.
type Probe struct {
	// URL of the OpenAI-compatible server, without /v1.
	URL string `json:"url"`
	// Adapter and Base are the names of the two served models.
	Adapter string `json:"adapter"`
	Base    string `json:"base"`
	// Dialogues to be summarized. With them the run's volume is not mounted: a server may hold it on another node.
	Dialogues []string `json:"dialogues,omitempty"`
	// Examples of the judged split that both are asked, and compared on, when there are no Dialogues.
	Examples int `json:"examples,omitempty"`
}

// ProbeJob returns the ConfigMap with the orders and the Job, on CPU, that asks a server for the adapter's and the
// base's answers. Apply both after deleting what an earlier attempt left: a Job cannot be changed.
func ProbeJob(spec Spec, options Options, probe Probe) ([]*unstructured.Unstructured, error) {
	p, err := newPlan(spec, options)
	if err != nil {
		return nil, err
	}
	return p.ordered(ProbeName(spec.Name), stage{
		component: ComponentProbe,
		command:   "probe",
		// It asks the server and nobody else.
		env:   values("HF_HUB_OFFLINE", "1"),
		needs: lightRequirements(),
		grace: 30,
		alone: len(probe.Dialogues) > 0,
	}, probe)
}
