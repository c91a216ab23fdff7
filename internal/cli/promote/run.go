package promote

import (
	"context"
	"errors"
	"fmt"
	"io/fs"

	"k8s.io/client-go/discovery"

	"github.com/kubectl-summarizer/kubectl-summarizer/charts"
	"github.com/kubectl-summarizer/kubectl-summarizer/internal/cli/chartflags"
	"github.com/kubectl-summarizer/kubectl-summarizer/internal/cluster"
	"github.com/kubectl-summarizer/kubectl-summarizer/internal/failure"
	"github.com/kubectl-summarizer/kubectl-summarizer/internal/planning"
	"github.com/kubectl-summarizer/kubectl-summarizer/internal/product"
	"github.com/kubectl-summarizer/kubectl-summarizer/internal/release"
	"github.com/kubectl-summarizer/kubectl-summarizer/internal/rollout"
	"github.com/kubectl-summarizer/kubectl-summarizer/internal/runs"
	"github.com/kubectl-summarizer/kubectl-summarizer/internal/ui"
	"github.com/kubectl-summarizer/kubectl-summarizer/pkg/render"
)

// promotion is everything that is worked out before anything is changed.
type promotion struct {
	run      *runs.Run
	now      *served
	adapter  adapter
	rival    string
	before   *release.Info
	old, new *release.Spec

	observer *cluster.Observer
	runs     *runs.Observer
	releases *release.Client
}

// run is the whole story: find, check, upgrade, wait, probe, and back if need be.
func (o *options) run(ctx context.Context) error {
	p, err := o.connect()
	if err != nil {
		return err
	}
	if err := o.steps.During("looking at run and release", func() error { return o.look(ctx, p) }); err != nil {
		return err
	}
	if !o.skipChecks {
		if err := o.steps.During("checking with the cluster", func() error { return o.check(ctx, p) }); err != nil {
			return err
		}
	}
	o.interruption(p.now)
	if o.dryRun == "server" {
		o.steps.Say("%s would serve %s from %s\nnothing was changed", o.release, o.served, p.adapter.repo)
		return nil
	}
	if err := o.upgrade(ctx, p, p.new, "upgraded"); err != nil {
		return o.afterFailure(ctx, p, err)
	}
	if err := o.probe(ctx, p); err != nil {
		return o.afterFailure(ctx, p, err)
	}
	o.print()
	return nil
}

func (o *options) connect() (*promotion, error) {
	observer, err := o.f.Runs(o.client, o.dynamic)
	if err != nil {
		return nil, err
	}
	o.namespace, o.client, o.dynamic = observer.Namespace, observer.Client, observer.Dynamic
	releases := release.New(o.f.Config, o.namespace, o.f.Now)
	releases.Target = o.f.Target()
	return &promotion{
		observer: &cluster.Observer{Client: o.client, Namespace: o.namespace, Release: o.release, Target: o.f.Target()},
		runs:     observer,
		releases: releases,
	}, nil
}

// look finds the run and the release, and renders the release as it is and as it shall be.
func (o *options) look(ctx context.Context, p *promotion) (err error) {
	if p.run, err = o.find(ctx, p.runs); err != nil {
		return err
	}
	if p.before, err = o.installed(ctx, p.releases); err != nil {
		return err
	}
	chart, err := fs.Sub(charts.FS, charts.Name)
	if err != nil {
		return err
	}
	defaults, err := render.DefaultValues(chart)
	if err != nil {
		return err
	}
	p.now = &served{values: p.before.Values, defaults: defaults}
	if p.adapter, err = o.source(p.run); err != nil {
		return err
	}
	p.rival = o.rival(p.now)
	values, err := p.now.with(p.adapter)
	if err != nil {
		return err
	}
	if p.new, err = o.spec(ctx, chart, values); err != nil {
		return err
	}
	p.old, err = o.spec(ctx, chart, p.before.Values)
	return err
}

func (o *options) find(ctx context.Context, observer *runs.Observer) (*runs.Run, error) {
	run, err := observer.Look(ctx, o.name)
	switch {
	case errors.Is(err, runs.ErrNotFound):
		return nil, observer.Missing(ctx, o.name)
	case err != nil:
		return nil, err
	case run.Result == nil || run.State != runs.Succeeded:
		return nil, failure.Refusedf(fmt.Sprintf("see how far it is: %s runs show %s%s", product.Command, o.name, o.in()),
			"run %s has not ended well: it is %s", o.name, run.State)
	case run.Options == nil && !o.skipChecks:
		return nil, failure.Refusedf("", "the record of run %s does not say how its pods were made: it was not started by this program", o.name)
	}
	return run, nil
}

func (o *options) installed(ctx context.Context, releases *release.Client) (*release.Info, error) {
	info, err := releases.Last(ctx, o.release)
	if errors.Is(err, release.ErrNotFound) {
		return nil, releases.Missing(ctx, o.release)
	}
	return info, err
}

// spec renders the release with these values.
func (o *options) spec(ctx context.Context, chart fs.FS, values map[string]any) (*release.Spec, error) {
	info, err := discovery.ToServerVersionInterfaceWithContext(o.client.Discovery()).ServerVersionWithContext(ctx)
	if err != nil {
		return nil, err
	}
	rendered, err := render.Render(ctx, chart, render.Options{Release: o.release, Namespace: o.namespace, Values: values, KubeVersion: info.GitVersion})
	if err != nil {
		return nil, chartflags.Explain(err)
	}
	return &release.Spec{
		Name: o.release, Chart: chart, Values: values, Rendered: rendered, KubeVersion: info.GitVersion,
		Notify: func(message string) { o.steps.Say("%s", message) },
	}, nil
}

// check asks for what can be known beforehand.
func (o *options) check(ctx context.Context, p *promotion) error {
	if err := o.fit(ctx, p.run, p.now, p.adapter); err != nil {
		return err
	}
	view, err := p.observer.Look(ctx)
	if err != nil {
		return err
	}
	if !view.Healthy {
		return failure.Refusedf(fmt.Sprintf("see: %s status %s%s", product.Command, o.release, o.in()),
			"release %s is not healthy now: what comes of the upgrade could not be told", o.release)
	}
	// An adapter's place takes memory of the KV cache: a server that was just right does not start again with it.
	told, err := planning.Check(ctx, p.new.Chart, p.new.Values, o.release, "--skip-checks")
	if err != nil {
		return err
	}
	if told.Warning {
		o.steps.Warn(told.Text)
	}
	refusals, err := rollout.Verdict(ctx, p.releases, p.new, o.steps)
	if err != nil {
		return err
	}
	return failure.Join(refusals)
}

// upgrade gives the release to the cluster and waits until it is ready.
func (o *options) upgrade(ctx context.Context, p *promotion, spec *release.Spec, done string) error {
	err := o.steps.During("applying", func() error {
		info, err := rollout.Apply(ctx, p.observer, p.releases, spec, o.steps)
		if err == nil {
			o.steps.Say("release %s %s, revision %d", o.release, done, info.Revision)
		}
		return err
	})
	if err != nil {
		return err
	}
	waiting, cancel := context.WithTimeoutCause(ctx, o.timeout, context.DeadlineExceeded)
	defer cancel()
	live := ui.NewLive(o.f.Streams.ErrOut, o.f.Now)
	view, err := p.observer.Follow(waiting, func(v *cluster.View) { rollout.Show(live, v) })
	live.Close()
	switch {
	case ctx.Err() != nil:
		return context.Cause(ctx)
	case err != nil && waiting.Err() != nil:
		return failure.New(failure.Timeout, fmt.Errorf("release %s is not ready after %s: %s", o.release, ui.Duration(o.timeout), rollout.Sentence(view)), "")
	case err != nil:
		return err
	case !view.Healthy && view.Deployment != "" && !view.Idle():
		return rollout.Stuck(view, "")
	case !view.Healthy:
		return failure.Failedf("", "release %s has no replica that could serve it", o.release)
	}
	return nil
}

func (o *options) print() {
	fmt.Fprintf(o.f.Streams.ErrOut, "\n%s serves %s. Try:\n", o.release, o.served)
	fmt.Fprintf(o.f.Streams.Out, "  %s query --release %s --model %s%s \"Amanda: I baked cookies. Jerry: Sure!\"\n", product.Command, o.release, o.served, o.in())
}
