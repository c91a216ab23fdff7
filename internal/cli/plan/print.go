package plan

import (
	"encoding/json"
	"fmt"
	"io"
	"math"
	"strconv"
	"strings"

	"sigs.k8s.io/yaml"

	"github.com/kubectl-summarizer/kubectl-summarizer/internal/product"
	"github.com/kubectl-summarizer/kubectl-summarizer/pkg/fit"
	"github.com/kubectl-summarizer/kubectl-summarizer/pkg/plan"
)

func printJSON(w io.Writer, p *plan.Plan) error {
	encoder := json.NewEncoder(w)
	encoder.SetIndent("", "  ")
	encoder.SetEscapeHTML(false)
	return encoder.Encode(p)
}

func printValues(w io.Writer, values map[string]any, p *plan.Plan) error {
	text, err := yaml.Marshal(values)
	if err != nil {
		return err
	}
	fmt.Fprintf(w, "# %s: %s\n# helm install NAME CHART -f FILE, or: %s install -f FILE\n%s", title(p), p.Verdict, product.Command, text)
	return nil
}

// title names what is planned.
func title(p *plan.Plan) string {
	gpus := fmt.Sprintf("%d x %s", p.GPUs, p.Accelerator)
	if p.Nodes > 1 {
		gpus += fmt.Sprintf(" on each of %d nodes", p.Nodes)
	}
	switch {
	case p.Partition != "":
		gpus = fmt.Sprintf("a %s partition of one %s", p.Partition, p.Accelerator)
	case p.Tenants > 1:
		gpus = fmt.Sprintf("one %s shared by %d (%s)", p.Accelerator, p.Tenants, p.Sharing)
	}
	return fmt.Sprintf("%s on %s, vLLM %s", p.Model, gpus, p.VLLM)
}

func printTable(w io.Writer, p *plan.Plan) {
	verdict := map[fit.Verdict]string{fit.Fits: "fits", fit.Not: "does not fit", fit.Tight: "does not fit, by less than the estimate may be off"}[p.Verdict]
	switch {
	case p.Verdict == fit.Tight && p.Fits:
		verdict = "fits, but by less than the estimate may be off"
	case !p.Fits && len(p.Reasons) > 0 && p.HeadroomGiB > 0:
		verdict = "does not work"
	}
	fmt.Fprintf(w, "%s: %s\n\n", title(p), verdict)
	free := p.GPUGiB - float64(p.Tenants)*(p.WeightsGiB+p.OverheadGiB+math.Max(0, p.KVCacheGiB))
	others := float64(p.Tenants-1) * (p.WeightsGiB + p.OverheadGiB + math.Max(0, p.KVCacheGiB))
	fmt.Fprintf(w, "%s\n", bar([]piece{{'W', p.WeightsGiB}, {'o', p.OverheadGiB}, {'k', math.Max(0, p.KVCacheGiB)}, {'t', others}, {'.', math.Max(0, free)}}, p.GPUGiB))
	line := func(mark, name string, gib float64, text string) {
		fmt.Fprintf(w, "  %s %-11s %7.2f GiB  %s\n", mark, name, gib, text)
	}
	line("W", "weights", p.WeightsGiB, p.Parts[0].How)
	line("o", "overhead", p.OverheadGiB, overheadText(p.Parts[1:]))
	if p.KVCacheGiB > 0 {
		line("k", "KV cache", p.KVCacheGiB, tokensText(p))
	} else {
		line("k", "KV cache", p.KVCacheGiB, "missing")
	}
	if p.Tenants > 1 {
		like := "another like this one"
		if p.Tenants > 2 {
			like = fmt.Sprintf("%d others like this one", p.Tenants-1)
		}
		line("t", "tenants", others, like)
	}
	whole := fmt.Sprintf("of %.2f GiB, of which vLLM may take %.2f (%.2f GiB)", p.GPUGiB, p.Utilization, p.BudgetGiB)
	if p.Tenants > 1 {
		whole = fmt.Sprintf("of %.2f GiB, of which each tenant may take %.2f", p.GPUGiB, p.BudgetGiB)
	}
	if free >= 0 {
		line(".", "free", free, whole)
	} else {
		line(".", "missing", -free, whole)
	}
	fmt.Fprintln(w)
	if p.Fits {
		fmt.Fprintf(w, "context      %s tokens asked for, at most %s fit\n", count(p.MaxModelLen), count(p.LargestContext))
		fmt.Fprintf(w, "concurrency  %.1f requests of that length, each replica\n", p.MaxConcurrency)
	}
	if s := p.Speed; s != nil {
		fmt.Fprintf(w, "speed        at most %s tokens/s read, %.0f written for one request, %.0f for %d together (roofline, not measured)\n", count(int(s.PrefillTokensPerSecond)), s.DecodeTokensPerSecond, s.BatchTokensPerSecond, s.Batch)
		fmt.Fprintf(w, "             %.2f documents/s of %d + %d tokens, first token after %.2f s on an idle server\n", s.DocumentsPerSecond, s.Profile.PromptTokens, s.Profile.AnswerTokens, s.FirstTokenSeconds)
		if s.DollarsPerMillionTokens > 0 {
			fmt.Fprintf(w, "cost         %.3f for a million tokens, at %g for a GPU and hour, when always busy\n", s.DollarsPerMillionTokens, s.PricePerHour)
		}
	}
	for _, note := range p.Notes {
		fmt.Fprintf(w, "note         %s\n", note)
	}
}

func tokensText(p *plan.Plan) string {
	text := count(p.KVCacheTokens) + " tokens"
	if p.Band.LowTokens != p.Band.HighTokens {
		text += fmt.Sprintf(" (%s to %s)", count(p.Band.LowTokens), count(p.Band.HighTokens))
	}
	return fmt.Sprintf("%s, %.0f KiB a token", text, p.KVBytesPerToken/1024)
}

func overheadText(parts []fit.Part) string {
	var texts []string
	for _, part := range parts {
		if part.GiB > 0.005 {
			texts = append(texts, fmt.Sprintf("%s %.2f (%s)", part.Name, part.GiB, part.How))
		}
	}
	return strings.Join(texts, ", ")
}

// piece is a part of the bar.
type piece struct {
	mark rune
	gib  float64
}

// barWidth is the width of the whole GPU in characters.
const barWidth = 64

// bar draws the GPU's memory; what is above it runs over the end.
func bar(pieces []piece, whole float64) string {
	var b strings.Builder
	b.WriteString("  [")
	var sum float64
	written := 0
	for _, p := range pieces {
		sum += p.gib
		end := int(math.Round(sum / whole * barWidth))
		for ; written < end && written < 3*barWidth; written++ {
			if written == barWidth {
				b.WriteByte('|')
			}
			b.WriteRune(p.mark)
		}
	}
	if written <= barWidth {
		b.WriteString(strings.Repeat(".", barWidth-written) + "]")
	}
	return b.String()
}

// count is a whole number with commas.
func count(n int) string {
	text := strconv.Itoa(n)
	for i := len(text) - 3; i > 0 && text[i-1] != '-'; i -= 3 {
		text = text[:i] + "," + text[i:]
	}
	return text
}
