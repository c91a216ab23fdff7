package doctor

import (
	"context"
	"fmt"
	"sync"
	"time"
)

// check is one question, with its answer's stable name.
type check struct {
	id, title string
	// cluster says that it asks the cluster, and is skipped without one.
	cluster bool
	run     func(*Subject, context.Context) Finding
}

// checks are all of them, in the order in which they are printed.
var checks = []check{
	{"cluster", "Cluster", true, (*Subject).clusterVersion},
	{"namespace", "Namespace", true, (*Subject).namespaceThere},
	{"rights", "Rights (RBAC)", true, (*Subject).rights},
	{"gpu-nodes", "GPU nodes", true, (*Subject).gpuNodes},
	{"gpu-driver", "GPU driver", true, (*Subject).gpuDriver},
	{"gpu-sharing", "GPU sharing", true, (*Subject).gpuSharing},
	{"node-autoscaling", "Node autoscaling", true, (*Subject).nodeAutoscaling},
	{"quota", "Quota and limits", true, (*Subject).quota},
	{"storage", "Storage classes", true, (*Subject).storage},
	{"metrics", "Metrics APIs", true, (*Subject).metrics},
	{"pod-security", "Pod Security", true, (*Subject).podSecurity},
	{"pod-egress", "Pods' way out", true, (*Subject).podEgress},
	{"hf-secret", "Secret of the Hugging Face token", true, (*Subject).hfSecret},
	{"hf-token", "Hugging Face token", false, (*Subject).hfToken},
	{"model-access", "Access to the model", false, (*Subject).modelAccess},
	{"hub-write", "Right to publish on the Hub", false, (*Subject).hubWrite},
	{"wandb-key", "Key of Weights & Biases", false, (*Subject).wandbKey},
	{"egress", "This machine's way out", false, (*Subject).egress},
}

// Run does all checks at once, each for at most limit, and returns what they found in their
// order.
func Run(ctx context.Context, s *Subject, limit time.Duration) []Finding {
	found := make([]Finding, len(checks))
	var wait sync.WaitGroup
	for i, c := range checks {
		wait.Go(func() { found[i] = s.do(ctx, c, limit) })
	}
	wait.Wait()
	for i := range found {
		s.redact(&found[i])
	}
	return found
}

// do runs one check, and leaves it behind when its time is over.
func (s *Subject) do(ctx context.Context, c check, limit time.Duration) Finding {
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	answer := make(chan Finding, 1)
	if c.cluster && s.Client == nil {
		answer <- skip("%s", s.NoCluster)
	} else {
		go func() { answer <- c.run(s, ctx) }()
	}
	var f Finding
	select {
	case f = <-answer:
	case <-ctx.Done():
		f = skip("no answer within %s (--timeout)", limit)
		if c.id == "cluster" {
			f = fail("is the network or VPN up? see which cluster this is: kubectl config view --minify"+s.Target, "the cluster does not answer within %s", limit)
		}
	}
	f.ID, f.Title, f.Docs = c.id, c.title, page+c.id
	return f
}

// Report is what all checks found, in the form of -o json.
type Report struct {
	// SchemaVersion rises when a field changes its meaning or goes; new fields may come at any time.
	SchemaVersion int `json:"schemaVersion"`
	// Healthy says that no check failed.
	Healthy   bool           `json:"healthy"`
	Namespace string         `json:"namespace"`
	Model     string         `json:"model"`
	Summary   map[Result]int `json:"summary"`
	Checks    []Finding      `json:"checks"`
}

// schemaVersion is described in docs/doctor.md.
const schemaVersion = 1

// NewReport counts what was found.
func NewReport(s *Subject, found []Finding) *Report {
	r := &Report{
		SchemaVersion: schemaVersion, Namespace: s.Namespace, Model: s.Model, Checks: found,
		Summary: map[Result]int{Pass: 0, Warn: 0, Fail: 0, Skipped: 0},
	}
	for _, f := range found {
		r.Summary[f.Result]++
	}
	r.Healthy = r.Summary[Fail] == 0
	return r
}

// Counts says in a line how many checks came to what.
func (r *Report) Counts() string {
	return fmt.Sprintf("%d passed, %d warned, %d failed, %d skipped", r.Summary[Pass], r.Summary[Warn], r.Summary[Fail], r.Summary[Skipped])
}
