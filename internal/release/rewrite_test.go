package release_test

import (
	"strconv"
	"time"

	"helm.sh/helm/v3/pkg/action"
	helmrelease "helm.sh/helm/v3/pkg/release"
	"helm.sh/helm/v3/pkg/storage/driver"
	helmtime "helm.sh/helm/v3/pkg/time"
)

// rewrite makes a revision look as a program that was killed two minutes ago left it.
func (s *site) rewrite(revision int, status helmrelease.Status) {
	s.t.Helper()
	cfg := new(action.Configuration)
	if err := cfg.Init(s.getter, s.namespace, "", s.t.Logf); err != nil {
		s.t.Fatal(err)
	}
	records := cfg.Releases.Driver.(*driver.Secrets)
	all, err := records.List(func(*helmrelease.Release) bool { return true })
	if err != nil {
		s.t.Fatal(err)
	}
	for _, r := range all {
		switch r.Version {
		case revision:
			r.Info.Status = status
			r.Info.LastDeployed = helmtime.Time{Time: time.Now().Add(-2 * time.Minute)}
		case revision - 1:
			r.Info.Status = helmrelease.StatusDeployed // the killed one had not superseded it yet
		default:
			continue
		}
		if err := cfg.Releases.Update(r); err != nil {
			s.t.Fatal(err)
		}
	}
}

// killed leaves the record of an upgrade to these values that was killed before it changed
// anything in the cluster, as Helm writes it beforehand.
func (s *site) killed(revision int, set ...string) {
	s.t.Helper()
	cfg := new(action.Configuration)
	if err := cfg.Init(s.getter, s.namespace, "", s.t.Logf); err != nil {
		s.t.Fatal(err)
	}
	r, err := cfg.Releases.Get("one", revision-1)
	if err != nil {
		s.t.Fatal(err)
	}
	r.Version, r.Labels = revision, map[string]string{"kubectl-summarizer/revision": strconv.Itoa(revision)}
	r.Info.Status, r.Info.LastDeployed = helmrelease.StatusPendingUpgrade, helmtime.Time{Time: time.Now().Add(-2 * time.Minute)}
	r.Manifest = string(s.spec(set...).Rendered.Manifests)
	if err := cfg.Releases.Create(r); err != nil {
		s.t.Fatal(err)
	}
}
