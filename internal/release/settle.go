package release

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"time"

	"helm.sh/helm/v3/pkg/action"
	"helm.sh/helm/v3/pkg/release"

	"github.com/kubectl-summarizer/kubectl-summarizer/internal/failure"
)

// settled returns the release's records, the newest first, once nobody works on it. It
// waits for an operation that may be alive and takes over one that cannot be; the records
// are nil when there is no release.
func (c *Client) settled(ctx context.Context, cfg *action.Configuration, s Spec) ([]*release.Release, error) {
	var start, watched time.Time
	for told := false; ; {
		history, err := records(ctx, cfg, s.Name)
		if errors.Is(err, ErrNotFound) {
			return nil, nil
		}
		if err != nil {
			return nil, err
		}
		newest := history[0]
		if !inProgress(newest) {
			return history, nil
		}
		if at := began(newest); !at.Equal(start) {
			start, watched = at, c.now()
		}
		// Clocks disagree: a record that was watched for long enough is abandoned whatever date
		// it bears.
		age := max(c.now().Sub(start), c.now().Sub(watched))
		// Who uninstalls is not who wrote the labels.
		dead := newest.Info.Status.IsPending() && gone(newest.Labels[processLabel])
		if ours(newest) && (dead || age > abandonedAfter) {
			return history, takeOver(ctx, cfg, newest)
		}
		if !ours(newest) {
			return nil, c.foreign(newest, age)
		}
		if !told {
			s.notify("another install of %s began %s ago; waiting until it ends, at most %s",
				s.Name, age.Round(time.Second), (abandonedAfter - age).Round(time.Second))
			told = true
		}
		select {
		case <-ctx.Done():
			return nil, ctx.Err()
		case <-time.After(c.poll):
		}
	}
}

func inProgress(r *release.Release) bool {
	return r.Info.Status.IsPending() || r.Info.Status == release.StatusUninstalling
}

// ours says whether this program began what is in progress, and so whether it can last for
// a minute. Uninstalling never waits, whoever does it, unless asked to.
func ours(r *release.Release) bool {
	return r.Info.Status == release.StatusUninstalling || r.Labels[revisionLabel] == strconv.Itoa(r.Version)
}

func began(r *release.Release) time.Time {
	if r.Info.Status == release.StatusUninstalling {
		return r.Info.Deleted.Time
	}
	return r.Info.LastDeployed.Time
}

// takeOver marks an abandoned record as failed, from where Helm's upgrade goes on: it
// creates what is missing and changes what is there.
func takeOver(ctx context.Context, cfg *action.Configuration, r *release.Release) error {
	was := r.Info.Status
	r.Info.Status = release.StatusFailed
	r.Info.Description = fmt.Sprintf("was interrupted in %s; taken over by the next install", was)
	if _, err := finish(ctx, func() (any, error) { return nil, cfg.Releases.Update(r) }); err != nil {
		return fmt.Errorf("cannot take over revision %d of release %s: %w", r.Version, r.Name, err)
	}
	return nil
}

// foreign is the error for an operation of another program, which may rightly wait for as
// long as its user asked it to.
func (c *Client) foreign(r *release.Release, age time.Duration) error {
	return failure.Refusedf(
		fmt.Sprintf("wait for it; if whoever ran it was killed, remove its record and install again:\nkubectl delete secret -n %s sh.helm.release.v1.%s.v%d%s",
			c.namespace, r.Name, r.Version, c.Target),
		"another program, probably helm, is working on release %s: revision %d is %s since %s",
		r.Name, r.Version, r.Info.Status, max(age, 0).Round(time.Second))
}
