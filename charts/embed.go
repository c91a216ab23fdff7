// Package charts carries the Helm chart inside the program.
package charts

import "embed"

// Name is the chart's name and the directory in FS that holds it.
const Name = "vllm-summarizer"

// FS holds what Helm needs to render and nothing else: what lies in the chart's tests and
// ci directories would otherwise be stored in every release record.
// "all:" is needed because go:embed leaves out files that start with an underscore.
//
//go:embed vllm-summarizer/Chart.yaml
//go:embed vllm-summarizer/values.yaml
//go:embed vllm-summarizer/values.schema.json
//go:embed vllm-summarizer/files/*.py
//go:embed vllm-summarizer/files/accelerators.json
//go:embed all:vllm-summarizer/templates
var FS embed.FS
