package cli

import (
	"errors"

	"github.com/spf13/cobra"

	"github.com/kubectl-summarizer/kubectl-summarizer/internal/cli/chart"
	"github.com/kubectl-summarizer/kubectl-summarizer/internal/cli/compare"
	"github.com/kubectl-summarizer/kubectl-summarizer/internal/cli/completion"
	"github.com/kubectl-summarizer/kubectl-summarizer/internal/cli/doctor"
	"github.com/kubectl-summarizer/kubectl-summarizer/internal/cli/factory"
	"github.com/kubectl-summarizer/kubectl-summarizer/internal/cli/install"
	"github.com/kubectl-summarizer/kubectl-summarizer/internal/cli/plan"
	"github.com/kubectl-summarizer/kubectl-summarizer/internal/cli/portforward"
	"github.com/kubectl-summarizer/kubectl-summarizer/internal/cli/promote"
	"github.com/kubectl-summarizer/kubectl-summarizer/internal/cli/publish"
	"github.com/kubectl-summarizer/kubectl-summarizer/internal/cli/query"
	"github.com/kubectl-summarizer/kubectl-summarizer/internal/cli/render"
	"github.com/kubectl-summarizer/kubectl-summarizer/internal/cli/runs"
	"github.com/kubectl-summarizer/kubectl-summarizer/internal/cli/status"
	"github.com/kubectl-summarizer/kubectl-summarizer/internal/cli/train"
	"github.com/kubectl-summarizer/kubectl-summarizer/internal/cli/uninstall"
	"github.com/kubectl-summarizer/kubectl-summarizer/internal/cli/version"
	"github.com/kubectl-summarizer/kubectl-summarizer/internal/failure"
	"github.com/kubectl-summarizer/kubectl-summarizer/internal/product"
	"github.com/kubectl-summarizer/kubectl-summarizer/pkg/nearest"
)

const rootLong = `Summarize text with a language model on your own GPUs.

One chart, one plugin: install serves a model with vLLM in your cluster, query
sends it text, status says how it is, train tunes it on your own dialogues.`

// NewRoot returns the root command with every verb below it.
func NewRoot(f *factory.Factory) *cobra.Command {
	root := &cobra.Command{
		Use:           product.Binary,
		Short:         "Summarize text with a language model on your own GPUs",
		Long:          rootLong,
		SilenceErrors: true,
		SilenceUsage:  true,
		Annotations:   map[string]string{cobra.CommandDisplayNameAnnotation: product.Command},
		Args:          unknownCommand,
		RunE:          func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	root.SetIn(f.Streams.In)
	root.SetOut(f.Streams.Out)
	root.SetErr(f.Streams.ErrOut)
	root.CompletionOptions.DisableDefaultCmd = true
	root.SetFlagErrorFunc(flagError)
	f.Config.AddFlags(root.PersistentFlags())
	hideRareFlags(root)

	root.AddGroup(
		&cobra.Group{ID: "serve", Title: "Serve:"},
		&cobra.Group{ID: "use", Title: "Use:"},
		&cobra.Group{ID: "train", Title: "Train:"},
		&cobra.Group{ID: "other", Title: "Other:"},
	)
	add := func(group string, cmds ...*cobra.Command) {
		for _, cmd := range cmds {
			cmd.GroupID = group
			root.AddCommand(cmd)
		}
	}
	add("serve", plan.NewCmd(f), doctor.NewCmd(f), install.NewCmd(f), status.NewCmd(f), render.NewCmd(f), chart.NewCmd(f), uninstall.NewCmd(f))
	add("use", query.NewCmd(f), portforward.NewCmd(f))
	add("train", train.NewCmd(f), runs.NewCmd(f), compare.NewCmd(f), publish.NewCmd(f), promote.NewCmd(f))
	add("other", version.NewCmd(f), completion.NewCmd(f))
	root.SetHelpCommandGroupID("other")
	argumentErrors(root)
	return root
}

// argumentErrors makes every complaint about a verb's arguments a usage error; cobra's own
// carry no exit code.
func argumentErrors(cmd *cobra.Command) {
	for _, child := range cmd.Commands() {
		argumentErrors(child)
	}
	check := cmd.Args
	if check == nil {
		return
	}
	cmd.Args = func(cmd *cobra.Command, args []string) error {
		err := check(cmd, args)
		var told *failure.Error
		if err == nil || errors.As(err, &told) {
			return err
		}
		return failure.New(failure.Usage, err, "see: "+cmd.CommandPath()+" --help")
	}
}

// unknownCommand refuses a verb that does not exist, naming the nearest that does.
func unknownCommand(cmd *cobra.Command, args []string) error {
	if len(args) == 0 {
		return nil
	}
	next := "see: " + product.Command + " --help"
	var names []string
	for _, verb := range cmd.Commands() {
		names = append(names, verb.Name())
	}
	if near, ok := nearest.Name(args[0], names); ok {
		next = "did you mean: " + product.Command + " " + near
	}
	return failure.New(failure.Usage, errors.New("unknown command "+quote(args[0])), next)
}

func flagError(cmd *cobra.Command, err error) error {
	return failure.New(failure.Usage, err, nearestFlag(cmd, err.Error())+"see: "+cmd.CommandPath()+" --help")
}

func quote(s string) string { return `"` + s + `"` }
