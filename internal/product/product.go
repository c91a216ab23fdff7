// Package product holds the names by which users know this program, in one place, so
// that a rename (Krew may refuse the generic name) touches one file.
package product

const (
	// Plugin is the name after `kubectl`, and in the Krew index.
	Plugin = "summarizer"

	// Binary is the executable that kubectl looks for on PATH.
	Binary = "kubectl-" + Plugin

	// Command is what users type; help and hints print it.
	Command = "kubectl " + Plugin

	// FallbackPlugin is the name to use should the Krew index refuse Plugin.
	FallbackPlugin = "vllm-summarizer"

	// Module is the Go module path; issue links and build stamps derive from it.
	Module = "github.com/kubectl-summarizer/kubectl-summarizer"

	// DefaultRelease is the release name when the user gives none.
	DefaultRelease = "summarizer"

	// FieldManager marks the fields that this program writes.
	FieldManager = "kubectl-summarizer"
)
