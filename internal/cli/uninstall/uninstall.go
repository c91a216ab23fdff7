// Package uninstall is the `uninstall` verb.
package uninstall

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"
	"k8s.io/client-go/kubernetes"

	"github.com/kubectl-summarizer/kubectl-summarizer/internal/cli/factory"
	"github.com/kubectl-summarizer/kubectl-summarizer/internal/failure"
	"github.com/kubectl-summarizer/kubectl-summarizer/internal/product"
	"github.com/kubectl-summarizer/kubectl-summarizer/internal/release"
)

const long = `Remove a release, without asking, and say what stays.

Volumes with the downloaded model and the Secret with the token stay, each with the
command that removes it. The pods finish the requests that they have first, and their
GPUs are free after that.`

const example = `  # The release called summarizer
  kubectl summarizer uninstall

  # See what would go and what would stay
  kubectl summarizer uninstall team-a -n ml --dry-run=server`

type options struct {
	release        string
	namespace      string
	dryRun         string
	ignoreNotFound bool
}

// NewCmd returns the uninstall command.
func NewCmd(f *factory.Factory) *cobra.Command {
	o := &options{}
	cmd := &cobra.Command{
		Use:     "uninstall [RELEASE]",
		Short:   "Remove a release and say what stays",
		Long:    long,
		Example: example,
		Args:    cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := o.validate(); err != nil {
				return err
			}
			if err := o.complete(f, args); err != nil {
				return err
			}
			return o.run(cmd.Context(), f)
		},
	}
	flags := cmd.Flags()
	flags.StringVar(&o.dryRun, "dry-run", "none", "none, client (say what would be removed) or server (ask the cluster whether it may be)")
	flags.BoolVar(&o.ignoreNotFound, "ignore-not-found", false, "a release that is not there is no error")
	return cmd
}

func (o *options) validate() error {
	return failure.OneOf("--dry-run", o.dryRun, "none", "client", "server")
}

func (o *options) complete(f *factory.Factory, args []string) error {
	o.release = product.DefaultRelease
	if len(args) > 0 {
		o.release = args[0]
	}
	var err error
	o.namespace, err = f.Namespace()
	return err
}

func (o *options) run(ctx context.Context, f *factory.Factory) error {
	client, err := f.Clientset()
	if err != nil {
		return err
	}
	releases := release.New(f.Config, o.namespace, f.Now)
	releases.Target = f.Target()
	removal, suffix, err := o.remove(ctx, f, releases, client)
	switch {
	case errors.Is(err, release.ErrNotFound) && o.ignoreNotFound:
		fmt.Fprintf(f.Streams.ErrOut, "release %s in namespace %s is not there\n", o.release, o.namespace)
		return nil
	case errors.Is(err, release.ErrNotFound):
		return releases.Missing(ctx, o.release)
	case removal == nil:
		return err
	}
	for _, object := range removal.Objects {
		fmt.Fprintf(f.Streams.Out, "%s deleted%s\n", object, suffix)
	}
	o.printKept(f, removal.Kept)
	return err
}

// remove uninstalls, or says what that would do; suffix is kubectl's mark for the latter.
func (o *options) remove(ctx context.Context, f *factory.Factory, releases *release.Client, client kubernetes.Interface) (*release.Removal, string, error) {
	if o.dryRun == "none" {
		removal, err := releases.Uninstall(ctx, client, o.release, func(message string) {
			fmt.Fprintln(f.Streams.ErrOut, message)
		})
		return removal, "", err
	}
	removal, refusals, err := releases.PlanUninstall(ctx, client, o.release, o.dryRun == "server")
	if err != nil {
		return nil, "", err
	}
	if len(refusals) > 0 {
		return nil, "", refused(o.release, refusals)
	}
	suffix := " (dry run)"
	if o.dryRun == "server" {
		suffix = " (server dry run)"
	}
	return removal, suffix, nil
}

func refused(name string, refusals []release.Refusal) error {
	var lines []string
	for _, r := range refusals {
		lines = append(lines, "  "+r.Object+": "+r.Reason)
	}
	return failure.Refusedf(refusals[0].Next, "the cluster would not let release %s be removed:\n%s", name, strings.Join(lines, "\n"))
}

func (o *options) printKept(f *factory.Factory, kept []release.Kept) {
	if len(kept) == 0 {
		return
	}
	fmt.Fprintln(f.Streams.ErrOut, "\nWhat stays, and how to remove it:")
	for _, k := range kept {
		fmt.Fprintf(f.Streams.ErrOut, "  %s: %s\n    %s\n", k.Object, k.Why, k.Remove)
	}
}
