// Package version is the `version` verb.
package version

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/spf13/cobra"
	"sigs.k8s.io/yaml"

	"github.com/kubectl-summarizer/kubectl-summarizer/charts"
	"github.com/kubectl-summarizer/kubectl-summarizer/internal/cli/factory"
	"github.com/kubectl-summarizer/kubectl-summarizer/internal/failure"
	"github.com/kubectl-summarizer/kubectl-summarizer/internal/release"
	"github.com/kubectl-summarizer/kubectl-summarizer/internal/version"
)

const long = `Print the versions of the plugin and of the chart in it.

--releases asks the cluster, too: which chart each release in the namespace was
installed from. Without it nothing but this program is asked.`

type report struct {
	Client version.Info `json:"client"`
	Chart  chart        `json:"chart"`
	// Releases is nil, and left out, when nobody asked for them.
	Releases []installed `json:"releases,omitzero"`
}

type chart struct {
	Name       string `json:"name"`
	Version    string `json:"version"`
	AppVersion string `json:"appVersion"`
}

// installed is the newest revision of a release.
type installed struct {
	Name      string `json:"name"`
	Namespace string `json:"namespace"`
	Revision  int    `json:"revision"`
	Status    string `json:"status"`
	Chart     chart  `json:"chart"`
}

type options struct {
	f        *factory.Factory
	output   string
	releases bool
}

// NewCmd returns the version command.
func NewCmd(f *factory.Factory) *cobra.Command {
	o := &options{f: f}
	cmd := &cobra.Command{
		Use:   "version",
		Short: "Print the versions of the plugin and of the chart in it",
		Long:  long,
		Args:  cobra.NoArgs,
		RunE:  func(cmd *cobra.Command, _ []string) error { return o.run(cmd.Context()) },
	}
	cmd.Flags().StringVarP(&o.output, "output", "o", "text", "text, json or yaml")
	cmd.Flags().BoolVar(&o.releases, "releases", false, "also the releases in the namespace, with the chart of each")
	_ = cmd.RegisterFlagCompletionFunc("output", cobra.FixedCompletions([]string{"text", "json", "yaml"}, cobra.ShellCompDirectiveNoFileComp))
	return cmd
}

func (o *options) run(ctx context.Context) error {
	if err := failure.OneOf("output format", o.output, "text", "json", "yaml"); err != nil {
		return err
	}
	meta, err := charts.Metadata()
	if err != nil {
		return fmt.Errorf("cannot read the chart in this program: %w", err)
	}
	r := report{
		Client: version.Get(),
		Chart:  chart{Name: meta.Name, Version: meta.Version, AppVersion: meta.AppVersion},
	}
	if o.releases {
		if r.Releases, err = o.list(ctx); err != nil {
			return err
		}
	}
	return o.print(&r)
}

func (o *options) list(ctx context.Context) ([]installed, error) {
	namespace, err := o.f.Namespace()
	if err != nil {
		return nil, err
	}
	infos, err := release.New(o.f.Config, namespace, o.f.Now).List(ctx)
	if err != nil {
		return nil, err
	}
	if len(infos) == 0 {
		fmt.Fprintf(o.f.Streams.ErrOut, "there is no release in namespace %s\n", namespace)
	}
	list := make([]installed, len(infos))
	for i, info := range infos {
		list[i] = installed{
			Name: info.Name, Namespace: info.Namespace, Revision: info.Revision, Status: info.Status,
			Chart: chart{Name: info.Chart, Version: info.ChartVersion, AppVersion: info.AppVersion},
		}
	}
	return list, nil
}

func (o *options) print(r *report) error {
	out := o.f.Streams.Out
	switch o.output {
	case "json":
		encoder := json.NewEncoder(out)
		encoder.SetIndent("", "  ")
		return encoder.Encode(r)
	case "yaml":
		data, err := yaml.Marshal(r)
		if err == nil {
			_, err = out.Write(data)
		}
		return err
	}
	fmt.Fprintf(out, "plugin  %s (commit %s, %s, %s)\nchart   %s\n",
		r.Client.Version, r.Client.Commit, r.Client.Go, r.Client.Platform, r.Chart)
	for _, i := range r.Releases {
		fmt.Fprintf(out, "release %s: %s, revision %d, %s\n", i.Name, i.Chart, i.Revision, i.Status)
	}
	return nil
}

// String names a chart for people; its app is vLLM.
func (c chart) String() string {
	return fmt.Sprintf("%s %s (vLLM %s)", c.Name, c.Version, c.AppVersion)
}
