package promote

import (
	"fmt"
	"path"
	"regexp"
	"strings"

	"github.com/kubectl-summarizer/kubectl-summarizer/internal/failure"
	"github.com/kubectl-summarizer/kubectl-summarizer/internal/product"
	"github.com/kubectl-summarizer/kubectl-summarizer/internal/runs"
)

// adaptersDir is where the server finds adapters that lie on the volumes of runs.
const adaptersDir = "/adapters"

// source says where the adapter of the run comes from.
func (o *options) source(run *runs.Run) (adapter, error) {
	a := adapter{name: o.served, rank: int64(run.Result.Adapter.Rank)}
	from := o.from
	if from == "" {
		from = fromVolume
		if run.Published != nil {
			from = fromHub
		}
	}
	if from == fromVolume {
		a.claim, a.path = run.Claim(), run.Result.Adapter.Path
		a.repo = path.Join(adaptersDir, o.served)
		return a, nil
	}
	publish := fmt.Sprintf("%s publish %s --repo ORG/NAME%s\nor serve it from its volume: --from volume", product.Command, o.name, o.in())
	switch {
	case run.Published == nil && run.Merged != nil:
		return a, failure.Refusedf(publish, "run %s is published merged, as a whole model, which cannot be served as an adapter", o.name)
	case run.Published == nil:
		return a, failure.Refusedf(publish, "run %s is not published", o.name)
	}
	a.repo, a.revision = run.Published.Repo, run.Published.Revision
	return a, nil
}

var notInVolume = regexp.MustCompile(`[^a-z0-9]+`)

// volumeName makes the name of a volume, a DNS label, of an adapter's.
func volumeName(adapter string) string {
	name := "adapter-" + strings.Trim(notInVolume.ReplaceAllString(strings.ToLower(adapter), "-"), "-")
	if len(name) > 63 {
		name = strings.Trim(name[:63], "-")
	}
	return name
}
