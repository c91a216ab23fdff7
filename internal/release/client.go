// Package release installs, upgrades and removes releases of the chart with Helm, without
// Helm's wait. Together with pkg/render it is the only part that knows Helm.
package release

import (
	"context"
	"errors"
	"fmt"
	"os"
	"sync"
	"time"

	"helm.sh/helm/v3/pkg/action"
	"helm.sh/helm/v3/pkg/kube"
	"helm.sh/helm/v3/pkg/release"
	"helm.sh/helm/v3/pkg/releaseutil"
	"helm.sh/helm/v3/pkg/storage/driver"
	"k8s.io/cli-runtime/pkg/genericclioptions"
	"k8s.io/client-go/kubernetes"

	"github.com/kubectl-summarizer/kubectl-summarizer/charts"
	"github.com/kubectl-summarizer/kubectl-summarizer/internal/product"
)

// ErrNotFound says that there is no release of that name in the namespace.
var ErrNotFound = errors.New("release not found")

// Client works on the releases of one namespace.
type Client struct {
	getter    genericclioptions.RESTClientGetter
	namespace string
	now       func() time.Time
	// Target holds the flags that chose this cluster (" --context X"), "" when none did: they
	// are put on every command that a message tells users to type.
	Target string
	// configure returns a fresh Helm configuration; Helm's actions change the one they use.
	configure func(log action.DebugLog) (*action.Configuration, error)
	clientset func() (kubernetes.Interface, error)
	// poll is how often a record in progress is looked at again.
	poll time.Duration
}

// nameFieldManager sets a variable of Helm's that would otherwise be the program's name.
var nameFieldManager = sync.OnceFunc(func() { kube.ManagedFieldsManager = product.FieldManager })

// New returns a client for a namespace. HELM_DRIVER chooses where records are kept, as it
// does for Helm itself.
func New(getter genericclioptions.RESTClientGetter, namespace string, now func() time.Time) *Client {
	nameFieldManager()
	c := &Client{getter: getter, namespace: namespace, now: now, poll: 2 * time.Second}
	c.clientset = func() (kubernetes.Interface, error) {
		config, err := getter.ToRESTConfig()
		if err != nil {
			return nil, err
		}
		return kubernetes.NewForConfig(config)
	}
	c.configure = func(log action.DebugLog) (*action.Configuration, error) {
		cfg := new(action.Configuration)
		if err := cfg.Init(getter, namespace, os.Getenv("HELM_DRIVER"), log); err != nil {
			return nil, fmt.Errorf("cannot read releases: %w", err)
		}
		// Helm's client would take the kubeconfig's namespace for objects that name none.
		if client, ok := cfg.KubeClient.(*kube.Client); ok {
			client.Namespace = namespace
		}
		return cfg, nil
	}
	return c
}

// Info is one revision of a release.
type Info struct {
	Name      string
	Namespace string
	Revision  int
	// Status is Helm's word: deployed, superseded, failed, pending-install, pending-upgrade,
	// pending-rollback, uninstalling, uninstalled or unknown.
	Status       string
	Description  string
	Installed    time.Time // of the first revision
	Updated      time.Time // of this revision
	Chart        string
	ChartVersion string
	AppVersion   string
	// Values are the user's, without the chart's defaults; Defaults are the chart's.
	Values   map[string]any
	Defaults map[string]any
	// Manifest is what was applied, byte for byte.
	Manifest []byte
	Notes    string
}

func infoOf(r *release.Release) *Info {
	info := &Info{
		Name: r.Name, Namespace: r.Namespace, Revision: r.Version,
		Values: r.Config, Manifest: []byte(r.Manifest),
	}
	if r.Info != nil {
		info.Status, info.Description, info.Notes = r.Info.Status.String(), r.Info.Description, r.Info.Notes
		info.Installed, info.Updated = r.Info.FirstDeployed.Time, r.Info.LastDeployed.Time
	}
	if r.Chart != nil {
		info.Defaults = r.Chart.Values
		if m := r.Chart.Metadata; m != nil {
			info.Chart, info.ChartVersion, info.AppVersion = m.Name, m.Version, m.AppVersion
		}
	}
	return info
}

// Get returns the newest revision of a release, or ErrNotFound.
func (c *Client) Get(ctx context.Context, name string) (*Info, error) {
	history, err := c.History(ctx, name)
	if err != nil {
		return nil, err
	}
	return history[0], nil
}

// History returns the revisions of a release, the newest first, or ErrNotFound.
func (c *Client) History(ctx context.Context, name string) ([]*Info, error) {
	cfg, err := c.configure(silent)
	if err != nil {
		return nil, err
	}
	records, err := records(ctx, cfg, name)
	if err != nil {
		return nil, err
	}
	infos := make([]*Info, len(records))
	for i, r := range records {
		infos[i] = infoOf(r)
	}
	return infos, nil
}

// List returns the newest revision of every release of this program's chart in the
// namespace, in the order of their names.
func (c *Client) List(ctx context.Context) ([]*Info, error) {
	cfg, err := c.configure(silent)
	if err != nil {
		return nil, err
	}
	list := action.NewList(cfg)
	list.StateMask = action.ListAll
	found, err := until(ctx, list.Run)
	if err != nil {
		return nil, fmt.Errorf("cannot list the releases in namespace %s: %w", c.namespace, err)
	}
	var infos []*Info
	for _, r := range found {
		if info := infoOf(r); info.Chart == charts.Name {
			infos = append(infos, info)
		}
	}
	return infos, nil
}

// records returns the revisions of a release, the newest first, or ErrNotFound.
func records(ctx context.Context, cfg *action.Configuration, name string) ([]*release.Release, error) {
	found, err := until(ctx, func() ([]*release.Release, error) { return cfg.Releases.History(name) })
	switch {
	case errors.Is(err, driver.ErrReleaseNotFound), err == nil && len(found) == 0:
		return nil, ErrNotFound
	case err != nil:
		return nil, fmt.Errorf("cannot read release %s: %w", name, err)
	}
	releaseutil.Reverse(found, releaseutil.SortByRevision)
	return found, nil
}

// silent drops what Helm logs: it returns its errors too.
func silent(string, ...any) {}
