package runview

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/kubectl-summarizer/kubectl-summarizer/internal/ui"
	"github.com/kubectl-summarizer/kubectl-summarizer/pkg/train"
)

// phases are the program's phases in the words of somebody who waits.
var phases = map[string]string{
	"environment": "installing packages",
	"access":      "checking access",
	"weights":     "downloading the model",
	"data":        "preparing the data",
	"load":        "loading the model",
	"train":       "training",
	"save":        "saving the adapter",
	"check":       "checking that vLLM serves the adapter",
	"evaluate":    "judging the summaries",
	"publish":     "publishing",
	"probe":       "asking the served adapter",
}

// PhaseName is what the program does, in words; a phase that is not known names itself.
func PhaseName(phase string) string {
	if words, known := phases[phase]; known {
		return words
	}
	return phase
}

// Measure says how far a phase is and how fast: "134 MB of 269 MB, 27 MB/s". A rate of 0 is not
// known.
func Measure(e *train.Event, rate float64) string {
	amount := func(n int64) string { return fmt.Sprint(n) }
	unit := " " + e.Unit
	if e.Unit == "bytes" {
		amount, unit = ui.Bytes, ""
	}
	text := amount(e.Done) + unit
	if e.Total > 0 {
		text = fmt.Sprintf("%s of %s%s", amount(e.Done), amount(e.Total), unit)
	}
	if e.Unit == "bytes" && rate >= 1 {
		text += ", " + ui.Bytes(int64(rate)) + "/s"
	}
	return text
}

// stepText is one step of the training: "step 55 of 1842, loss 1.873, 2412 tokens/s, 39m40s left, 17.4 GiB".
func stepText(e *train.Event, eval *float64) string {
	parts := []string{fmt.Sprintf("step %d of %d", e.Step, e.Total)}
	if e.Loss != nil {
		parts = append(parts, fmt.Sprintf("loss %.3f", *e.Loss))
	}
	if eval != nil {
		parts = append(parts, fmt.Sprintf("validation %.3f", *eval))
	}
	if e.TokensPerSecond > 0 {
		parts = append(parts, fmt.Sprintf("%.0f tokens/s", e.TokensPerSecond))
	}
	if e.ETASeconds > 0 {
		parts = append(parts, ui.Duration(time.Duration(e.ETASeconds*float64(time.Second)))+" left")
	}
	if e.MemoryGiB > 0 {
		parts = append(parts, fmt.Sprintf("%.1f GiB", e.MemoryGiB))
	}
	return strings.Join(parts, ", ")
}

// splitUses says what each split is for.
var splitUses = []struct{ split, use string }{{"train", "to train"}, {"validation", "to validate"}, {"test", "to judge"}}

// dataText counts the examples, and says what was left out and why: nothing is lost in silence.
func dataText(splits map[string]train.SplitCount) string {
	var parts []string
	dropped := map[string]int{}
	longest, rows, kept := 0, 0, 0
	for _, s := range splitUses {
		split, found := splits[s.split]
		if !found {
			continue
		}
		parts = append(parts, fmt.Sprintf("%d examples %s", split.Kept, s.use))
		for reason, n := range split.Dropped {
			dropped[reason] += n
		}
		longest = max(longest, split.Tokens.Max)
		rows += split.Rows
		kept += split.Kept
	}
	text := strings.Join(parts, ", ")
	if rows > kept {
		text += fmt.Sprintf("; %d of %d left out", rows-kept, rows)
		if reasons := reasonText(dropped); reasons != "" {
			text += " (" + reasons + ")"
		}
	}
	if longest > 0 {
		text += fmt.Sprintf("; the longest has %d tokens", longest)
	}
	return text
}

func reasonText(dropped map[string]int) string {
	var reasons []string
	for reason, n := range dropped {
		if n > 0 {
			reasons = append(reasons, fmt.Sprintf("%d %s", n, reason))
		}
	}
	slices.Sort(reasons)
	return strings.Join(reasons, ", ")
}
