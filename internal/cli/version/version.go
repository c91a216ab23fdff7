// Package version is the `version` verb.
package version

import (
	"encoding/json"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/kubectl-summarizer/kubectl-summarizer/charts"
	"github.com/kubectl-summarizer/kubectl-summarizer/internal/cli/factory"
	"github.com/kubectl-summarizer/kubectl-summarizer/internal/failure"
	"github.com/kubectl-summarizer/kubectl-summarizer/internal/version"
)

type report struct {
	Client version.Info `json:"client"`
	Chart  chart        `json:"chart"`
}

type chart struct {
	Name       string `json:"name"`
	Version    string `json:"version"`
	AppVersion string `json:"appVersion"`
}

// NewCmd returns the version command.
func NewCmd(f *factory.Factory) *cobra.Command {
	var output string
	cmd := &cobra.Command{
		Use:   "version",
		Short: "Print the versions of the plugin and of the chart in it",
		Args:  cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			return run(f, output)
		},
	}
	cmd.Flags().StringVarP(&output, "output", "o", "", "json, or nothing for text")
	return cmd
}

func run(f *factory.Factory, output string) error {
	meta, err := charts.Metadata()
	if err != nil {
		return fmt.Errorf("cannot read the chart in this program: %w", err)
	}
	r := report{
		Client: version.Get(),
		Chart:  chart{Name: meta.Name, Version: meta.Version, AppVersion: meta.AppVersion},
	}
	switch output {
	case "":
		_, err = fmt.Fprintf(f.Streams.Out, "plugin  %s (commit %s, %s, %s)\nchart   %s %s (vLLM %s)\n",
			r.Client.Version, r.Client.Commit, r.Client.Go, r.Client.Platform,
			r.Chart.Name, r.Chart.Version, r.Chart.AppVersion)
		return err
	case "json":
		encoder := json.NewEncoder(f.Streams.Out)
		encoder.SetIndent("", "  ")
		return encoder.Encode(r)
	}
	return failure.Usagef("unknown output format %q: use json, or leave -o out", output)
}
