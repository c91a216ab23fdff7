package query

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"
	"unicode"

	"github.com/kubectl-summarizer/kubectl-summarizer/internal/failure"
	"github.com/kubectl-summarizer/kubectl-summarizer/internal/ui"
	"github.com/kubectl-summarizer/kubectl-summarizer/internal/vllm"
)

// report is the JSON form of an answer.
type report struct {
	Model        string  `json:"model"`
	Text         string  `json:"text"`
	FinishReason string  `json:"finishReason"` // stop, or length when it was cut off
	Usage        usage   `json:"usage"`
	Timings      timings `json:"timings"`
}

type usage struct {
	PromptTokens     int `json:"promptTokens"`
	CompletionTokens int `json:"completionTokens"`
	TotalTokens      int `json:"totalTokens"`
}

// timings are measured from sending the chat request. TokensPerSecond counts the tokens
// after the first; it is 0 for an answer of one token.
type timings struct {
	TTFTMs          float64 `json:"ttftMs"`
	TotalMs         float64 `json:"totalMs"`
	TokensPerSecond float64 `json:"tokensPerSecond"`
}

// finish prints what is left to print of an answer.
func (o *options) finish(answer *vllm.Answer, limit int) error {
	text := strings.TrimSpace(answer.Text)
	if text == "" {
		return failure.New(failure.Failed, errors.New("the model's answer is empty"), "try another instruction (--prompt) or model (--model)")
	}
	if o.output == "json" {
		return o.writeJSON(answer, text)
	}
	if !strings.HasSuffix(answer.Text, "\n") {
		fmt.Fprintln(o.f.Streams.Out)
	}
	if answer.Cut() {
		fmt.Fprintf(o.f.Streams.ErrOut, "note: the answer was cut off after %d tokens%s\n", max(answer.Usage.CompletionTokens, 1), o.moreRoom(limit))
	}
	return nil
}

func (o *options) moreRoom(limit int) string {
	if limit < o.maxTokens {
		return ": the text leaves no more room in the model's context"
	}
	return fmt.Sprintf("; for a longer one: --max-tokens %d", 2*limit)
}

func (o *options) writeJSON(answer *vllm.Answer, text string) error {
	encoder := json.NewEncoder(o.f.Streams.Out)
	encoder.SetIndent("", "  ")
	encoder.SetEscapeHTML(false)
	return encoder.Encode(report{
		Model:        answer.Model,
		Text:         text,
		FinishReason: answer.FinishReason,
		Usage:        usage(answer.Usage),
		Timings: timings{
			TTFTMs:          milliseconds(answer.FirstToken),
			TotalMs:         milliseconds(answer.Total),
			TokensPerSecond: float64(int(answer.TokensPerSecond()*100)) / 100,
		},
	})
}

func milliseconds(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }

// printer writes pieces of an answer at once. The space that many models begin with is
// dropped, and on a terminal so are control characters, which a model must not send there.
type printer struct {
	w     io.Writer
	plain bool
	begun bool
}

func newPrinter(w io.Writer) *printer { return &printer{w: w, plain: !ui.IsTerminal(w)} }

func (p *printer) print(piece string) error {
	if !p.begun {
		piece = strings.TrimLeftFunc(piece, unicode.IsSpace)
	}
	if !p.plain {
		piece = strings.Map(printable, piece)
	}
	if piece == "" {
		return nil
	}
	p.begun = true
	_, err := io.WriteString(p.w, piece)
	return err
}

func printable(r rune) rune {
	if unicode.IsControl(r) && r != '\n' && r != '\t' {
		return -1
	}
	return r
}
