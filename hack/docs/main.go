// Command docs writes the command reference: one Markdown page per verb, from the verbs' own help.
//
//	docs DIRECTORY
package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
	"k8s.io/cli-runtime/pkg/genericiooptions"

	"github.com/kubectl-summarizer/kubectl-summarizer/internal/cli"
	"github.com/kubectl-summarizer/kubectl-summarizer/internal/cli/factory"
)

func main() {
	if len(os.Args) != 2 {
		fmt.Fprintln(os.Stderr, "usage: docs DIRECTORY")
		os.Exit(2)
	}
	if err := write(os.Args[1]); err != nil {
		fmt.Fprintf(os.Stderr, "docs: %v\n", err)
		os.Exit(1)
	}
}

// write replaces what the directory holds, so that the page of a verb that is gone goes too.
func write(dir string) error {
	if err := os.RemoveAll(dir); err != nil {
		return err
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	streams, _, _, _ := genericiooptions.NewTestIOStreams()
	root := cli.NewRoot(factory.New(streams))
	pages := []*cobra.Command{root}
	var index strings.Builder
	fmt.Fprintf(&index, "# Commands\n\nGenerated from the program's own help by `make generate`.\n\n")
	for len(pages) > 0 {
		cmd := pages[0]
		pages = append(pages[1:], cmd.Commands()...)
		if cmd.Hidden || cmd.Name() == "help" {
			continue
		}
		fmt.Fprintf(&index, "- [%s](%s): %s\n", cmd.CommandPath(), fileName(cmd), cmd.Short)
		if err := os.WriteFile(filepath.Join(dir, fileName(cmd)), []byte(page(cmd)), 0o644); err != nil {
			return err
		}
	}
	return os.WriteFile(filepath.Join(dir, "README.md"), []byte(index.String()), 0o644)
}

func fileName(cmd *cobra.Command) string {
	return strings.ReplaceAll(cmd.CommandPath(), " ", "_") + ".md"
}

// page is what `--help` says, as Markdown.
func page(cmd *cobra.Command) string {
	cmd.InitDefaultHelpFlag()
	var b strings.Builder
	fmt.Fprintf(&b, "# %s\n\n", cmd.CommandPath())
	text := cmd.Long
	if text == "" {
		text = cmd.Short
	}
	fmt.Fprintf(&b, "%s\n\n", strings.TrimSpace(text))
	if cmd.Runnable() {
		block(&b, cmd.UseLine())
	}
	if cmd.Example != "" {
		b.WriteString("## Examples\n\n")
		block(&b, cmd.Example)
	}
	flags(&b, "Flags", cmd.NonInheritedFlags())
	flags(&b, "Flags of every command", cmd.InheritedFlags())
	return strings.TrimRight(b.String(), "\n") + "\n"
}

func flags(b *strings.Builder, title string, set *pflag.FlagSet) {
	if set.HasAvailableFlags() {
		fmt.Fprintf(b, "## %s\n\n", title)
		block(b, set.FlagUsages())
	}
}

func block(b *strings.Builder, text string) {
	fmt.Fprintf(b, "```\n%s\n```\n\n", strings.Trim(text, "\n"))
}
