package promote

import (
	"context"
	"fmt"

	"github.com/kubectl-summarizer/kubectl-summarizer/internal/failure"
	"github.com/kubectl-summarizer/kubectl-summarizer/internal/product"
)

// afterFailure takes the release back to what it was, and says so. Whoever pressed Ctrl-C gets
// the release as it is, and how to go back.
func (o *options) afterFailure(ctx context.Context, p *promotion, why error) error {
	back := fmt.Sprintf("go back: helm rollback %s %d%s", o.release, p.before.Revision, o.in())
	see := fmt.Sprintf("see it: %s status %s%s", product.Command, o.release, o.in())
	if ctx.Err() != nil {
		return failure.New(failure.Interrupted, fmt.Errorf("you stopped waiting; release %s has been upgraded, and whether it serves %s was not proved", o.release, o.served), see+"\n"+back)
	}
	o.steps.Say("%v\ngoing back to what release %s served before", why, o.release)
	if err := o.upgrade(ctx, p, p.old, "taken back"); err != nil {
		return failure.New(failure.Failed, fmt.Errorf("%w\nand release %s could not be taken back to revision %d: %w", why, o.release, p.before.Revision, err), see+"\n"+back)
	}
	kind := failure.KindOf(why)
	if kind != failure.Unhealthy {
		kind = failure.Failed
	}
	return failure.New(kind, fmt.Errorf("%s was not promoted, and release %s serves what it did before: %w", o.name, o.release, why), failure.NextOf(why))
}
