package release

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"strconv"
	"strings"
	"time"

	"helm.sh/helm/v3/pkg/action"
	"helm.sh/helm/v3/pkg/chart"
	"helm.sh/helm/v3/pkg/chart/loader"
	"helm.sh/helm/v3/pkg/chartutil"
	"helm.sh/helm/v3/pkg/release"
	"helm.sh/helm/v3/pkg/storage/driver"

	"github.com/kubectl-summarizer/kubectl-summarizer/internal/product"
	"github.com/kubectl-summarizer/kubectl-summarizer/pkg/render"
)

const (
	// applyLimit is the longest that the objects may take to be applied. A record of ours
	// that is in progress for longer than abandonedAfter therefore has nobody behind it;
	// the difference allows for clocks that disagree.
	applyLimit     = 45 * time.Second
	abandonedAfter = 60 * time.Second
	// settleLimit is how long an interrupted Apply waits for Helm, which cannot be stopped.
	settleLimit = 15 * time.Second
	// keptRevisions is what `helm upgrade` keeps by default.
	keptRevisions = 10
	// attempts is how often Apply starts again when somebody else was faster.
	attempts = 3
)

// revisionLabel marks a record as written by this program. Its value is the revision,
// because Helm hands labels on to revisions that others make.
const (
	labelPrefix   = product.FieldManager + "/"
	revisionLabel = labelPrefix + "revision"
)

// Spec is a release as it shall be.
type Spec struct {
	Name string
	// Chart is the chart that Rendered came from, Values what it was rendered with.
	Chart  fs.FS
	Values map[string]any
	// Rendered is applied as it is: what was shown and checked is what the cluster gets.
	Rendered render.Result
	// KubeVersion is what Rendered was rendered for, render.DefaultKubeVersion when empty.
	KubeVersion string
	// Notify hears what Apply waits for, when it does; it may be nil.
	Notify func(message string)
}

func (s *Spec) notify(format string, args ...any) {
	if s.Notify != nil {
		s.Notify(fmt.Sprintf(format, args...))
	}
}

// Apply installs or upgrades the release and returns when the cluster has taken its
// objects, without waiting for pods. It repairs what an Apply left that was killed. When
// ctx ends, it finishes what it began, or says that it could not within 15 seconds.
func (c *Client) Apply(ctx context.Context, s Spec) (*Info, error) {
	for range attempts - 1 {
		info, err := c.applyOnce(ctx, s)
		if !overtaken(err) {
			return info, err
		}
		s.notify("somebody else just changed release %s; looking again", s.Name)
	}
	return c.applyOnce(ctx, s)
}

// overtaken says that somebody else changed the release after it was looked at. Helm has a
// type for one of the three ways in which it says so.
func overtaken(err error) bool {
	if err == nil || errors.Is(err, driver.ErrReleaseExists) {
		return err != nil
	}
	text := err.Error()
	return strings.Contains(text, "cannot re-use a name that is still in use") ||
		strings.Contains(text, "another operation (install/upgrade/rollback) is in progress")
}

func (c *Client) applyOnce(ctx context.Context, s Spec) (*Info, error) {
	cfg, err := c.configure(silent)
	if err != nil {
		return nil, err
	}
	history, err := c.settled(ctx, cfg, s)
	if err != nil {
		return nil, err
	}
	if len(history) > 0 {
		if err := sameChart(history[0]); err != nil {
			return nil, err
		}
	}
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	caps, err := capabilities(s.KubeVersion)
	if err != nil {
		return nil, err
	}
	// Given beforehand, so that Helm does not ask the cluster for every API that it has.
	cfg.Capabilities = caps
	loaded, err := loadChart(s.Chart)
	if err != nil {
		return nil, err
	}
	leftovers := unfinished(history)
	r, err := finish(ctx, func() (*release.Release, error) { return c.run(cfg, s, loaded, history) })
	if err != nil {
		return nil, c.explain(s.Name, err)
	}
	info := infoOf(r)
	_, err = finish(ctx, func() (any, error) { return nil, c.sweep(cfg, info, leftovers) })
	return info, c.givenUp(s.Name, "installed", err)
}

// run is Helm's install or upgrade, whichever the newest record asks for.
func (c *Client) run(cfg *action.Configuration, s Spec, loaded *chart.Chart, history []*release.Release) (*release.Release, error) {
	next := 1
	if len(history) > 0 {
		next = history[0].Version + 1
	}
	labels := map[string]string{revisionLabel: strconv.Itoa(next), processLabel: process()}
	if len(history) == 0 || history[0].Info.Status == release.StatusUninstalled {
		install := action.NewInstall(cfg)
		install.ReleaseName, install.Namespace = s.Name, c.namespace
		install.Labels, install.Timeout = labels, applyLimit
		install.Replace = len(history) > 0
		install.PostRenderer = exactly(s.Rendered.Manifests)
		// The cluster checks every field itself, in Check; Helm would fetch all schemas first.
		install.DisableOpenAPIValidation = true
		return install.Run(loaded, s.Values)
	}
	upgrade := action.NewUpgrade(cfg)
	upgrade.Namespace = c.namespace
	upgrade.Labels, upgrade.Timeout = labels, applyLimit
	upgrade.MaxHistory = keptRevisions
	// The caller has merged the last values already, if it wants them.
	upgrade.ResetValues = true
	upgrade.PostRenderer = exactly(s.Rendered.Manifests)
	upgrade.DisableOpenAPIValidation = true
	return upgrade.Run(s.Name, loaded, s.Values)
}

// exactly replaces what Helm renders with what was rendered before: a revision number or
// the cluster's version must not make the two differ.
type exactly []byte

// Run implements Helm's post-renderer.
func (e exactly) Run(*bytes.Buffer) (*bytes.Buffer, error) { return bytes.NewBuffer(e), nil }

// leftError says that work which cannot be cancelled was left while it went on.
type leftError struct{ cause error }

func (e *leftError) Error() string { return "left while it went on: " + e.cause.Error() }
func (e *leftError) Unwrap() error { return e.cause }

// finish runs work, which cannot be cancelled. When ctx ends it waits for work a little
// longer, so that no record is left in progress, and then returns what work returned. A
// *leftError says that it did not wait any longer.
func finish[T any](ctx context.Context, work func() (T, error)) (T, error) {
	type result struct {
		value T
		err   error
	}
	done := make(chan result, 1)
	go func() {
		value, err := work()
		done <- result{value, err}
	}()
	limit := time.NewTimer(applyLimit)
	defer limit.Stop()
	var cause error
	select {
	case r := <-done:
		return r.value, r.err
	case <-limit.C:
		cause = context.DeadlineExceeded
	case <-ctx.Done():
		cause = ctx.Err()
		settle := time.NewTimer(settleLimit)
		defer settle.Stop()
		select {
		case r := <-done:
			return r.value, r.err
		case <-settle.C:
		}
	}
	var zero T
	return zero, &leftError{cause}
}

func capabilities(version string) (*chartutil.Capabilities, error) {
	if version == "" {
		version = render.DefaultKubeVersion
	}
	parsed, err := chartutil.ParseKubeVersion(version)
	if err != nil {
		return nil, fmt.Errorf("%q is no Kubernetes version: %w", version, err)
	}
	caps := chartutil.DefaultCapabilities.Copy()
	caps.KubeVersion = *parsed
	return caps, nil
}

// loadChart loads the chart afresh, because Helm's actions write into it.
func loadChart(fsys fs.FS) (*chart.Chart, error) {
	files, err := render.ChartFiles(fsys)
	if err != nil {
		return nil, err
	}
	buffered := make([]*loader.BufferedFile, len(files))
	for i, f := range files {
		buffered[i] = &loader.BufferedFile{Name: f.Name, Data: f.Data}
	}
	return loader.LoadFiles(buffered)
}
