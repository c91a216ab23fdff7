package cli

import (
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/kubectl-summarizer/kubectl-summarizer/pkg/nearest"
)

// rareFlags work as in kubectl but are kept out of the help, which is about this program.
var rareFlags = []string{
	"as", "as-group", "as-uid", "as-user-extra", "cache-dir", "certificate-authority", "client-certificate",
	"client-key", "disable-compression", "insecure-skip-tls-verify", "server", "tls-server-name", "token",
	"cluster", "user",
}

func hideRareFlags(root *cobra.Command) {
	for _, name := range rareFlags {
		if flag := root.PersistentFlags().Lookup(name); flag != nil {
			flag.Hidden = true
		}
	}
}

// nearestFlag turns pflag's "unknown flag: --replica" into a suggestion, or "".
func nearestFlag(cmd *cobra.Command, message string) string {
	_, name, found := strings.Cut(message, "unknown flag: --")
	if !found {
		return ""
	}
	var names []string
	cmd.Flags().VisitAll(func(f *pflag.Flag) { names = append(names, f.Name) })
	if best, ok := nearest.Name(name, names); ok {
		return "did you mean --" + best + "?\n"
	}
	return ""
}
