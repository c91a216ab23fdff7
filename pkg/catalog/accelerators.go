package catalog

import (
	_ "embed"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"

	"sigs.k8s.io/yaml"

	"github.com/kubectl-summarizer/kubectl-summarizer/pkg/nearest"
)

// Accelerator is a GPU: what it holds, how fast it is, and what platforms call it.
type Accelerator struct {
	// ID is GKE's name (cloud.google.com/gke-accelerator), or one made like it where GKE has none.
	ID string `json:"-"`
	// Name is what people call it, such as "L4".
	Name    string   `json:"name"`
	Aliases []string `json:"aliases"`
	// MemoryGiB is the total that CUDA reports, below what the card is sold with.
	MemoryGiB float64 `json:"memoryGiB"`
	// BandwidthGBs is the memory's bandwidth in 10^9 bytes a second.
	BandwidthGBs float64 `json:"bandwidthGBs"`
	// TFLOPS are dense tensor operations, in 10^12 a second, by format: fp16 (bf16 too), fp8, int8, int4, fp4.
	TFLOPS map[string]float64 `json:"tflops"`
	// ComputeCapability is CUDA's, such as 8.9.
	ComputeCapability float64 `json:"computeCapability"`
	// Products are the values of GPU feature discovery's nvidia.com/gpu.product, without the -SHARED of a shared one.
	Products []string `json:"products"`
	// Partitions are MIG profiles by name, none where the GPU has no MIG.
	Partitions map[string]Partition `json:"partitions"`
	// EKSInstanceTypes are EC2's instance types that have it.
	EKSInstanceTypes []string `json:"eksInstanceTypes"`
	// GKE says that GKE has it.
	GKE bool `json:"gke"`
	// AutopilotCounts are the numbers of it that a node of GKE Autopilot can have, none where Autopilot lacks it.
	AutopilotCounts []int `json:"autopilotCounts"`
	// MPS says that platforms share it by CUDA's Multi-Process Service.
	MPS bool `json:"mps"`
}

// Partition is a MIG profile.
type Partition struct {
	// Count is how many fit on one GPU.
	Count     int     `json:"count"`
	MemoryGiB float64 `json:"memoryGiB"`
}

// BF16 says whether it computes in bfloat16: from compute capability 8.0 on.
func (a Accelerator) BF16() bool { return a.ComputeCapability >= 8 }

// FP8 says whether it computes in 8-bit floats (W8A8): from 8.9 on. From 8.0 on, vLLM takes such weights and computes
// in 16 bits.
func (a Accelerator) FP8() bool { return a.ComputeCapability >= 8.9 }

// PartitionNames returns the MIG profiles, the smallest first.
func (a Accelerator) PartitionNames() []string {
	return slices.SortedFunc(maps.Keys(a.Partitions), func(x, y string) int {
		if c := a.Partitions[x].MemoryGiB - a.Partitions[y].MemoryGiB; c != 0 {
			return int(100 * c)
		}
		return strings.Compare(x, y)
	})
}

//go:embed data/accelerators.yaml
var acceleratorsYAML []byte

var accelerators = sync.OnceValue(func() []Accelerator {
	byID := map[string]Accelerator{}
	if err := yaml.UnmarshalStrict(acceleratorsYAML, &byID); err != nil {
		panic("data/accelerators.yaml: " + err.Error()) // it is embedded, and read by every test
	}
	list := make([]Accelerator, 0, len(byID))
	for _, id := range slices.Sorted(maps.Keys(byID)) {
		a := byID[id]
		a.ID = id
		list = append(list, a)
	}
	return list
})

// Accelerators returns all, sorted by id.
func Accelerators() []Accelerator { return slices.Clone(accelerators()) }

// UnknownAcceleratorError is returned for a GPU that the catalog does not have.
type UnknownAcceleratorError struct {
	Name string
	// Near is the nearest known id, "" when none is near.
	Near string
}

// Error says which GPU is not known, and offers the nearest and all.
func (e *UnknownAcceleratorError) Error() string {
	text := fmt.Sprintf("the accelerator %q is not in the catalog", e.Name)
	if e.Near != "" {
		text += "; did you mean " + e.Near + "?"
	}
	return text
}

// FindAccelerator returns a GPU by any of its names: GKE's, NVIDIA's product label with or without -SHARED, an EC2
// instance type, or what people call it. Its error is an *UnknownAcceleratorError.
func FindAccelerator(name string) (Accelerator, error) {
	typed := normal(name)
	var ids []string
	for _, a := range accelerators() {
		if a.named(typed) || slices.Contains(a.EKSInstanceTypes, strings.ToLower(name)) {
			return a, nil
		}
		ids = append(ids, a.ID)
	}
	unknown := &UnknownAcceleratorError{Name: name}
	for _, candidate := range []string{typed, "nvidia-" + typed} {
		if near, ok := nearest.Name(candidate, ids); ok {
			unknown.Near = near
			break
		}
	}
	return Accelerator{}, unknown
}

func (a Accelerator) named(typed string) bool {
	for _, name := range slices.Concat([]string{a.ID, a.Name}, a.Aliases, a.Products) {
		name = normal(name)
		if typed == name || typed == strings.TrimPrefix(name, "nvidia-") || typed == "nvidia-"+name {
			return true
		}
	}
	return false
}

// normal is a name without case, and with dashes for whatever else parts words.
func normal(name string) string {
	name = strings.ToLower(strings.TrimSpace(name))
	return strings.TrimSuffix(strings.NewReplacer(" ", "-", "_", "-").Replace(name), "-shared")
}
