// Package query is the `query` verb: text in, summary out.
package query

import (
	"context"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"github.com/kubectl-summarizer/kubectl-summarizer/internal/cli/factory"
	"github.com/kubectl-summarizer/kubectl-summarizer/internal/failure"
	"github.com/kubectl-summarizer/kubectl-summarizer/internal/product"
	"github.com/kubectl-summarizer/kubectl-summarizer/internal/tunnel"
	"github.com/kubectl-summarizer/kubectl-summarizer/internal/vllm"
)

// defaultMaxTokens holds any summary: those of the field's data sets have 20 to 50 tokens.
const defaultMaxTokens = 256

const long = `Summarize a text with the served model, as its tokens come.

The text is the argument, a file (-f) or the standard input. It is sent with an
instruction in one user turn, in the model's own chat template; --prompt replaces
the instruction, and --prompt '' sends the text alone.

A text that does not fit the model's context is refused before it is sent. Until
the first token has come, a busy or restarting server is asked again, for at most
15 seconds.`

const example = `  # one dialogue
  ` + product.Command + ` query "Amanda: I baked cookies. Jerry: Sure!"

  # a file, with an adapter and an instruction of your own
  ` + product.Command + ` query -f call.txt --model support --prompt "What was agreed?"

  # from a pipe, with the token counts and timings
  cat call.txt | ` + product.Command + ` query -o json

  # any OpenAI-compatible server, without a cluster
  ` + product.Command + ` query --url http://127.0.0.1:8000 -f call.txt`

type options struct {
	f *factory.Factory

	release, url          string
	file                  string
	instruction, system   string
	model, output         string
	maxTokens             int
	maxTokensGiven        bool
	temperature           float64
	idle                  time.Duration
	argument              string
	argumentGiven, inPipe bool
}

// NewCmd returns the query command.
func NewCmd(f *factory.Factory) *cobra.Command {
	o := &options{f: f}
	cmd := &cobra.Command{
		Use:     "query [TEXT]",
		Short:   "Summarize a text",
		Long:    long,
		Example: example,
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) > 1 {
				return failure.New(failure.Usage, fmt.Errorf("query takes one text, but there are %d arguments", len(args)),
					"put the text in quotes, or in a file: -f FILE")
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			o.complete(cmd, args)
			if err := o.validate(); err != nil {
				return err
			}
			return o.run(cmd.Context())
		},
	}
	flags := cmd.Flags()
	flags.StringVar(&o.release, "release", product.DefaultRelease, "the release to ask")
	flags.StringVar(&o.url, "url", "", "ask the OpenAI-compatible server at this address instead of a release")
	flags.StringVarP(&o.file, "file", "f", "", "read the text from this file (- is the standard input)")
	flags.StringVar(&o.instruction, "prompt", vllm.Instruction, "what to do with the text; '' sends the text alone")
	flags.StringVar(&o.system, "system", "", "add a system turn with this text (not every model's template takes one)")
	flags.StringVar(&o.model, "model", "", "served model or adapter (default: the base model)")
	flags.IntVar(&o.maxTokens, "max-tokens", defaultMaxTokens, "longest answer, in tokens")
	flags.Float64Var(&o.temperature, "temperature", 0, "0 gives the same answer every time; more is freer, up to 2")
	flags.StringVarP(&o.output, "output", "o", "text", "text, or json for counts and timings")
	flags.DurationVar(&o.idle, "timeout", vllm.DefaultIdle, "give up when the server sends nothing for this long")
	_ = cmd.RegisterFlagCompletionFunc("output", cobra.FixedCompletions([]string{"text", "json"}, cobra.ShellCompDirectiveNoFileComp))
	return cmd
}

func (o *options) complete(cmd *cobra.Command, args []string) {
	o.maxTokensGiven = cmd.Flags().Changed("max-tokens")
	if len(args) == 1 && args[0] != "-" {
		o.argument, o.argumentGiven = args[0], true
	}
	o.inPipe = len(args) == 1 && args[0] == "-" || o.file == "-"
	if o.url != "" && !cmd.Flags().Changed("release") {
		o.release = ""
	}
}

func (o *options) validate() error {
	if err := failure.OneOf("output format", o.output, "text", "json"); err != nil {
		return err
	}
	switch {
	case o.url != "" && o.release != "":
		return failure.Usagef("--url and --release are two different servers: give one of them")
	case o.url == "" && o.release == "":
		return failure.Usagef("--release is empty: give a release's name, or leave the flag out for %q", product.DefaultRelease)
	case o.file != "" && (o.argumentGiven || o.inPipe && o.file != "-"):
		return failure.Usagef("there are two texts, an argument and -f %s: give one of them", o.file)
	case o.maxTokens < 1:
		return failure.Usagef("--max-tokens is %d: it must be at least 1", o.maxTokens)
	case !(o.temperature >= 0 && o.temperature <= 2):
		return failure.Usagef("--temperature is %g: it must be from 0 to 2", o.temperature)
	case o.idle < 0:
		return failure.Usagef("--timeout is %s: it must not be negative (0 waits forever)", o.idle)
	}
	if o.url == "" {
		if err := tunnel.CheckName(o.release); err != nil {
			return failure.New(failure.Usage, err, "")
		}
	}
	return nil
}

func (o *options) run(ctx context.Context) error {
	text, err := o.readText(ctx)
	if err != nil {
		return err
	}
	status := newWaiting(o.f.Streams.ErrOut)
	defer status.stop()
	server, err := o.connect(status)
	if err != nil {
		return err
	}
	defer server.close()
	s := &session{options: o, server: server, status: status, messages: vllm.SummaryMessages(o.system, o.instruction, text)}
	if err := s.prepare(ctx); err != nil {
		return server.explain(ctx, err)
	}
	answer, err := s.ask(ctx)
	status.stop() // before anything else is printed
	if err != nil {
		if answer != nil && answer.Text != "" && o.output == "text" {
			fmt.Fprintln(o.f.Streams.Out) // the message starts on a line of its own
		}
		return server.explain(ctx, err)
	}
	return o.finish(answer, s.request.MaxTokens)
}
