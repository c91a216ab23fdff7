package doctor

import (
	"context"
	"fmt"
	"io/fs"
	"os"
	"strings"

	"k8s.io/client-go/tools/clientcmd"
	"k8s.io/client-go/tools/clientcmd/api"

	"github.com/kubectl-summarizer/kubectl-summarizer/charts"
	"github.com/kubectl-summarizer/kubectl-summarizer/internal/cli/chartflags"
	"github.com/kubectl-summarizer/kubectl-summarizer/internal/cluster"
	"github.com/kubectl-summarizer/kubectl-summarizer/internal/doctor"
	"github.com/kubectl-summarizer/kubectl-summarizer/internal/failure"
	"github.com/kubectl-summarizer/kubectl-summarizer/internal/hub"
	"github.com/kubectl-summarizer/kubectl-summarizer/internal/planning"
	"github.com/kubectl-summarizer/kubectl-summarizer/internal/product"
	"github.com/kubectl-summarizer/kubectl-summarizer/internal/wandb"
	"github.com/kubectl-summarizer/kubectl-summarizer/internal/web"
	"github.com/kubectl-summarizer/kubectl-summarizer/pkg/render"
)

// subject completes the options: what is looked at, and with what.
func (o *options) subject(ctx context.Context) (*doctor.Subject, error) {
	if err := failure.OneOf("output format", o.output, "table", "wide", "json"); err != nil {
		return nil, err
	}
	if o.timeout <= 0 {
		return nil, failure.Usagef("--timeout: must be more than 0")
	}
	s := &doctor.Subject{
		Target: o.f.Target(), HTTP: web.NewHTTP(), PublishRepo: o.publishRepo,
		HFToken: os.Getenv("HF_TOKEN"), WandBKey: os.Getenv("WANDB_API_KEY"), HFSecretGiven: o.values.SecretGiven(),
	}
	if o.publishRepo != "" {
		if err := chartflags.CheckHubID(o.publishRepo); err != nil {
			return nil, failure.Usagef("--publish-repo: %w", err)
		}
	}
	if o.wandbSecret != "" {
		name, key, err := chartflags.SplitSecret(o.wandbSecret)
		if err != nil {
			return nil, failure.Usagef("--wandb-secret: %w", err)
		}
		s.WandBSecret = &doctor.SecretKey{Name: name, Key: or(key, wandbKey)}
	}
	if err := o.cluster(s); err != nil {
		return nil, err
	}
	if err := o.release(ctx, s); err != nil {
		return nil, err
	}
	wandbBase, err := base("WANDB_BASE_URL", os.Getenv("WANDB_BASE_URL"), wandb.Public)
	s.WandB = &wandb.Client{Endpoint: wandbBase, HTTP: s.HTTP}
	return s, err
}

// unconfigured is where kubectl's loader looks when no kubeconfig names a cluster.
const unconfigured = "localhost:8080"

// cluster makes the clients. That no cluster is configured is no error, the accounts are checked
// without; that the one which was named cannot be found is.
func (o *options) cluster(s *doctor.Subject) error {
	if o.offline {
		s.Namespace, s.NoCluster = or(*o.f.Config.Namespace, "default"), "the cluster was not asked (--offline)"
		return nil
	}
	raw, err := o.f.Config.ToRawKubeConfigLoader().RawConfig()
	if err != nil {
		return fmt.Errorf("cannot read the kubeconfig: %w", err)
	}
	if s.Namespace, err = o.f.Namespace(); err != nil {
		return err
	}
	config, err := o.f.RESTConfig()
	switch {
	case clientcmd.IsEmptyConfig(err), err == nil && api.IsConfigEmpty(&raw) && strings.HasSuffix(config.Host, unconfigured):
		s.NoCluster = "no cluster is configured: give --kubeconfig FILE or set KUBECONFIG"
		return nil
	case err != nil:
		return err
	}
	if s.Client, err = o.f.Clientset(); err != nil {
		return err
	}
	s.Dynamic, err = o.f.Dynamic()
	return err
}

// release renders what install would apply, from which most of what is asked for follows.
func (o *options) release(ctx context.Context, s *doctor.Subject) error {
	chart, err := fs.Sub(charts.FS, charts.Name)
	if err != nil {
		return err
	}
	given, err := o.values.Values(chart, o.f.Streams.In, o.f.Streams.ErrOut)
	if err != nil {
		return err
	}
	rendered, err := render.Render(ctx, chart, render.Options{Release: product.DefaultRelease, Namespace: s.Namespace, Values: given})
	if err != nil {
		return o.values.Explain(err)
	}
	if s.Objects, err = rendered.Objects(); err != nil {
		return err
	}
	if s.Template, err = planning.PodTemplate(rendered); err != nil {
		return err
	}
	return o.fill(chart, given, s)
}

// fill reads what the values name.
func (o *options) fill(chart fs.FS, given map[string]any, s *doctor.Subject) error {
	defaults, err := render.DefaultValues(chart)
	if err != nil {
		return err
	}
	value := func(path ...string) string { return or(text(given, path), text(defaults, path)) }
	s.Model, s.Accelerator, s.Platform = value("model", "id"), value("gpu", "accelerator"), value("platform")
	s.Sharing, s.Clients = value("gpu", "sharing", "strategy"), clients(given)
	s.HFSecret = doctor.SecretKey{Name: value("hfToken", "secretName"), Key: value("hfToken", "secretKey")}
	for _, c := range s.Template.Spec.Containers {
		if c.Name == cluster.ServerContainer {
			s.Image = c.Image
		}
	}
	name, address := "--hub-endpoint", o.hub
	if address == "" {
		name, address = "model.hubEndpoint", text(given, []string{"model", "hubEndpoint"})
	}
	if address == "" {
		name, address = "HF_ENDPOINT", os.Getenv("HF_ENDPOINT")
	}
	endpoint, err := base(name, address, hub.Public)
	s.Hub = &hub.Client{Endpoint: endpoint, HTTP: s.HTTP}
	return err
}

// clients reads gpu.sharing.clients, 0 when it is not given. YAML and flags make different numbers of it.
func clients(given map[string]any) int {
	gpu, _ := given["gpu"].(map[string]any)
	sharing, _ := gpu["sharing"].(map[string]any)
	switch n := sharing["clients"].(type) {
	case int64:
		return int(n)
	case float64:
		return int(n)
	}
	return 0
}

// base checks the address of a server that was given under a name, which is not repeated: it may
// hold a password.
func base(name, address, otherwise string) (string, error) {
	if address == "" {
		return otherwise, nil
	}
	checked, err := web.Base(address)
	if err != nil {
		return "", failure.Usagef("%s: %w", name, err)
	}
	return checked, nil
}

// text reads a value at a path, "" when there is none.
func text(values map[string]any, path []string) string {
	for _, name := range path[:len(path)-1] {
		values, _ = values[name].(map[string]any)
	}
	found, _ := values[path[len(path)-1]].(string)
	return found
}

func or(a, b string) string {
	if a != "" {
		return a
	}
	return b
}
