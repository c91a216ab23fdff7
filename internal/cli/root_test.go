package cli

import (
	"testing"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
	"k8s.io/cli-runtime/pkg/genericiooptions"

	"github.com/kubectl-summarizer/kubectl-summarizer/internal/cli/factory"
)

// A verb's own flag would hide the flag of that name that every command has, such as --as.
func TestNoFlagHidesAnother(t *testing.T) {
	root := NewRoot(factory.New(genericiooptions.NewTestIOStreamsDiscard()))
	global := map[string]bool{}
	root.PersistentFlags().VisitAll(func(f *pflag.Flag) { global[f.Name], global["-"+f.Shorthand] = true, f.Shorthand != "" })
	var walk func(*cobra.Command)
	walk = func(cmd *cobra.Command) {
		if cmd.HasParent() {
			cmd.LocalNonPersistentFlags().VisitAll(func(f *pflag.Flag) {
				if global[f.Name] || f.Shorthand != "" && global["-"+f.Shorthand] {
					t.Errorf("%s has a flag of its own called --%s", cmd.CommandPath(), f.Name)
				}
			})
		}
		for _, child := range cmd.Commands() {
			walk(child)
		}
	}
	walk(root)
}
