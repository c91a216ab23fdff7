package doctor

import (
	"context"
	"strings"
	"sync"

	"github.com/kubectl-summarizer/kubectl-summarizer/internal/web"
)

// ours says whose way out was tried.
const ours = "from this machine, which says nothing of the pods"

// egress asks whether the servers answer that the pods will need.
func (s *Subject) egress(ctx context.Context) Finding {
	targets := []Item{{Name: "Hugging Face Hub", Detail: s.Hub.Endpoint}, {Name: "Weights & Biases", Detail: s.WandB.Endpoint}}
	if s.Image != "" {
		targets = append(targets, Item{Name: "image registry", Detail: registryOf(s.Image)})
	}
	var wait sync.WaitGroup
	for i := range targets {
		wait.Go(func() {
			targets[i].Result = Pass
			if err := web.Reach(ctx, s.HTTP, targets[i].Detail); err != nil {
				targets[i].Result = Warn
				targets[i].Detail += ": " + err.Error()
			}
		})
	}
	wait.Wait()
	var silent []string
	for _, t := range targets {
		if t.Result == Warn {
			silent = append(silent, t.Name)
		}
	}
	if len(silent) > 0 {
		return warn("where a proxy leads out, set HTTPS_PROXY; for the pods: --set-json 'extraDownloadEnv=[{\"name\":\"HTTPS_PROXY\",\"value\":\"URL\"}]'\nnot needed by you? then it is the cluster's way out that matters",
			"no answer from: %s (%s)", strings.Join(silent, ", "), ours).with(targets)
	}
	return pass("all answer (%s)", ours).with(targets)
}

// registryOf is the address of an image's registry.
func registryOf(image string) string {
	host, _, found := strings.Cut(image, "/")
	switch {
	case !found || !strings.ContainsAny(host, ".:") && host != "localhost", host == "docker.io":
		return "https://registry-1.docker.io/v2/"
	case strings.HasPrefix(host, "localhost") || strings.HasPrefix(host, "127."):
		return "http://" + host + "/v2/" // as container runtimes ask it
	}
	return "https://" + host + "/v2/"
}
