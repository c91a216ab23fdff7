package doctor

import (
	"fmt"

	"github.com/kubectl-summarizer/kubectl-summarizer/internal/product"
)

// Result is what a check came to.
type Result string

// The results of a check. Skipped says that nothing is known, with the reason.
const (
	Pass    Result = "pass"
	Warn    Result = "warn"
	Fail    Result = "fail"
	Skipped Result = "skipped"
)

// Finding is what one check found.
type Finding struct {
	// ID names the check for ever: scripts and the documentation refer to it.
	ID     string `json:"id"`
	Title  string `json:"title"`
	Result Result `json:"result"`
	// Detail says what was found, and why that is its result.
	Detail string `json:"detail"`
	// Fix is what to type or do, one step a line; only of warnings and failures.
	Fix string `json:"fix,omitempty"`
	// Docs is the address of the check's section in the documentation.
	Docs string `json:"docs"`
	// Items are the parts of a check that looks at several things.
	Items []Item `json:"items,omitempty"`
}

// Item is one of several things that a check looked at.
type Item struct {
	Name   string `json:"name"`
	Result Result `json:"result"`
	Detail string `json:"detail"`
}

// page is where the documentation of all checks is.
const page = "https://" + product.Module + "/blob/main/docs/doctor.md#"

func pass(format string, args ...any) Finding {
	return Finding{Result: Pass, Detail: fmt.Sprintf(format, args...)}
}

func warn(fix, format string, args ...any) Finding {
	return Finding{Result: Warn, Detail: fmt.Sprintf(format, args...), Fix: fix}
}

func fail(fix, format string, args ...any) Finding {
	return Finding{Result: Fail, Detail: fmt.Sprintf(format, args...), Fix: fix}
}

func skip(format string, args ...any) Finding {
	return Finding{Result: Skipped, Detail: fmt.Sprintf(format, args...)}
}

// with adds what a check looked at.
func (f Finding) with(items []Item) Finding {
	f.Items = items
	return f
}
