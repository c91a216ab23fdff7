// Package completion is the `completion` verb.
package completion

import (
	"fmt"

	"github.com/spf13/cobra"

	"github.com/kubectl-summarizer/kubectl-summarizer/internal/cli/factory"
	"github.com/kubectl-summarizer/kubectl-summarizer/internal/product"
)

// shim is what kubectl looks for on PATH as kubectl_complete-NAME; Krew installs one file
// per plugin and so cannot install it.
const shim = `#!/usr/bin/env sh
exec ` + product.Command + ` __complete "$@"
`

const long = `Print a completion script.

kubectl completes its plugins through a program named
kubectl_complete-` + product.Plugin + ` on your PATH. Make it once:

  ` + product.Command + ` completion kubectl > ~/.local/bin/kubectl_complete-` + product.Plugin + `
  chmod +x ~/.local/bin/kubectl_complete-` + product.Plugin + `

The shells' own scripts complete the name ` + product.Binary + `.`

// NewCmd returns the completion command.
func NewCmd(f *factory.Factory) *cobra.Command {
	return &cobra.Command{
		Use:                   "completion {kubectl|bash|zsh|fish|powershell}",
		Short:                 "Print a completion script",
		Long:                  long,
		Args:                  cobra.MatchAll(cobra.ExactArgs(1), cobra.OnlyValidArgs),
		ValidArgs:             []string{"kubectl", "bash", "zsh", "fish", "powershell"},
		DisableFlagsInUseLine: true,
		RunE: func(cmd *cobra.Command, args []string) error {
			root, out := cmd.Root(), f.Streams.Out
			switch args[0] {
			case "bash":
				return root.GenBashCompletionV2(out, true)
			case "zsh":
				return root.GenZshCompletion(out)
			case "fish":
				return root.GenFishCompletion(out, true)
			case "powershell":
				return root.GenPowerShellCompletionWithDesc(out)
			}
			_, err := fmt.Fprint(out, shim)
			return err
		},
	}
}
