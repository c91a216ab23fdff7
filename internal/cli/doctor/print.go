package doctor

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"

	"github.com/kubectl-summarizer/kubectl-summarizer/internal/doctor"
)

func (o *options) print(r *doctor.Report) error {
	if o.output == "json" {
		encoder := json.NewEncoder(o.f.Streams.Out)
		encoder.SetIndent("", "  ")
		encoder.SetEscapeHTML(false)
		return encoder.Encode(r)
	}
	return table(o.f.Streams.Out, r, o.output == "wide")
}

// columns are the widths of result and id; what a check says begins after them.
const columns = "%-9s%-18s%s\n"

// table writes a line for every check, and below those that did not pass what to do about it.
// wide writes every part that was looked at, otherwise those that warned or failed.
func table(w io.Writer, r *doctor.Report, wide bool) error {
	var text strings.Builder
	fmt.Fprintf(&text, columns, "RESULT", "CHECK", "DETAIL")
	for _, f := range r.Checks {
		fmt.Fprintf(&text, columns, f.Result, f.ID, indent(f.Detail))
		for _, item := range f.Items {
			if wide || item.Result == doctor.Warn || item.Result == doctor.Fail {
				fmt.Fprintf(&text, columns, "", "", fmt.Sprintf("- %s: %s: %s", item.Result, item.Name, indent(item.Detail)))
			}
		}
		if f.Fix == "" {
			continue
		}
		fmt.Fprintf(&text, columns, "", "", "fix: "+indent(f.Fix))
		fmt.Fprintf(&text, columns, "", "", "see: "+f.Docs)
	}
	fmt.Fprintf(&text, "\n%s\n", r.Counts())
	_, err := io.WriteString(w, text.String())
	return err
}

// indent puts further lines below the first.
func indent(text string) string {
	return strings.ReplaceAll(text, "\n", "\n"+strings.Repeat(" ", 9+18+5))
}
