package release

import (
	"context"

	"helm.sh/helm/v3/pkg/release"
)

// Last returns the newest revision of a release as what the next install starts from, or
// ErrNotFound when there is none, or none but a record that was kept of a release that is
// gone. It refuses a release that must be left alone: another chart's, or one that another
// program works on.
func (c *Client) Last(ctx context.Context, name string) (*Info, error) {
	cfg, err := c.configure(silent)
	if err != nil {
		return nil, err
	}
	history, err := records(ctx, cfg, name)
	if err != nil {
		return nil, err
	}
	newest := history[0]
	if err := sameChart(newest); err != nil {
		return nil, err
	}
	if inProgress(newest) && !ours(newest) {
		return nil, c.foreign(newest, c.now().Sub(began(newest)))
	}
	if newest.Info.Status == release.StatusUninstalled {
		return nil, ErrNotFound
	}
	return infoOf(newest), nil
}
