// Accelerators writes what the chart has to know of accelerators, from the catalog: accelerators FILE.json
package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"

	"github.com/kubectl-summarizer/kubectl-summarizer/pkg/catalog"
)

// facts are what templates read of one accelerator.
type facts struct {
	Name             string                       `json:"name"`
	MemoryGiB        float64                      `json:"memoryGiB"`
	Products         []string                     `json:"products"`
	Partitions       map[string]catalog.Partition `json:"partitions"`
	EKSInstanceTypes []string                     `json:"eksInstanceTypes"`
	GKE              bool                         `json:"gke"`
	AutopilotCounts  []int                        `json:"autopilotCounts"`
	MPS              bool                         `json:"mps"`
}

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "accelerators:", err)
		os.Exit(1)
	}
}

func run(args []string) error {
	if len(args) != 1 {
		return fmt.Errorf("usage: accelerators FILE.json")
	}
	var out bytes.Buffer
	out.WriteString("{\n")
	all := catalog.Accelerators()
	for i, a := range all {
		f := facts{a.Name, a.MemoryGiB, a.Products, a.Partitions, a.EKSInstanceTypes, a.GKE, a.AutopilotCounts, a.MPS}
		if f.Partitions == nil {
			f.Partitions = map[string]catalog.Partition{}
		}
		if f.EKSInstanceTypes == nil {
			f.EKSInstanceTypes = []string{}
		}
		if f.AutopilotCounts == nil {
			f.AutopilotCounts = []int{}
		}
		line, err := json.Marshal(f)
		if err != nil {
			return err
		}
		end := ",\n"
		if i == len(all)-1 {
			end = "\n"
		}
		fmt.Fprintf(&out, "  %q: %s%s", a.ID, line, end)
	}
	out.WriteString("}\n")
	return os.WriteFile(args[0], out.Bytes(), 0o644)
}
