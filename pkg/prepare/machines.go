package prepare

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/kubectl-summarizer/kubectl-summarizer/pkg/catalog"
)

// machine is what the clouds call machines with a GPU, by how many of it they have.
type machine struct {
	// gke and ec2 are machine types; the first of several is the smallest that the chart's default release fits on.
	gke, ec2 map[int][]string
	// spotOnly are the counts that Google sells only as Spot or flex-start.
	spotOnly []int
	// quota is Compute Engine's metric in the region's table, "" where that has none or none is known.
	quota string
}

// machines are Google's and Amazon's machines. A chart's release asks 4 CPUs and 22 GiB of memory by default, which the
// smallest machines with an L4 or a T4 do not have.
func machines() map[string]machine {
	return map[string]machine{
		"nvidia-tesla-t4": {
			quota: "NVIDIA_T4_GPUS",
			gke:   map[int][]string{1: {"n1-standard-8", "n1-standard-16", "n1-standard-32"}, 2: {"n1-standard-16"}, 4: {"n1-standard-32"}},
			ec2:   map[int][]string{1: {"g4dn.2xlarge", "g4dn.4xlarge", "g4dn.8xlarge"}, 4: {"g4dn.12xlarge"}, 8: {"g4dn.metal"}},
		},
		"nvidia-l4": {
			quota: "NVIDIA_L4_GPUS",
			gke:   map[int][]string{1: {"g2-standard-8", "g2-standard-16", "g2-standard-32"}, 2: {"g2-standard-24"}, 4: {"g2-standard-48"}, 8: {"g2-standard-96"}},
			ec2:   map[int][]string{1: {"g6.2xlarge", "g6.4xlarge", "g6.8xlarge"}, 4: {"g6.12xlarge", "g6.24xlarge"}, 8: {"g6.48xlarge"}},
		},
		"nvidia-a10g": {
			ec2: map[int][]string{1: {"g5.2xlarge", "g5.4xlarge", "g5.8xlarge"}, 4: {"g5.12xlarge", "g5.24xlarge"}, 8: {"g5.48xlarge"}},
		},
		"nvidia-l40s": {
			ec2: map[int][]string{1: {"g6e.2xlarge", "g6e.4xlarge", "g6e.8xlarge"}, 4: {"g6e.12xlarge", "g6e.24xlarge"}, 8: {"g6e.48xlarge"}},
		},
		"nvidia-tesla-a100": {
			quota: "NVIDIA_A100_GPUS",
			gke:   map[int][]string{1: {"a2-highgpu-1g"}, 2: {"a2-highgpu-2g"}, 4: {"a2-highgpu-4g"}, 8: {"a2-highgpu-8g"}, 16: {"a2-megagpu-16g"}},
			ec2:   map[int][]string{8: {"p4d.24xlarge"}},
		},
		"nvidia-a100-80gb": {
			quota: "NVIDIA_A100_80GB_GPUS",
			gke:   map[int][]string{1: {"a2-ultragpu-1g"}, 2: {"a2-ultragpu-2g"}, 4: {"a2-ultragpu-4g"}, 8: {"a2-ultragpu-8g"}},
			ec2:   map[int][]string{8: {"p4de.24xlarge"}},
		},
		"nvidia-h100-80gb": {
			spotOnly: []int{1, 2, 4},
			gke:      map[int][]string{1: {"a3-highgpu-1g"}, 2: {"a3-highgpu-2g"}, 4: {"a3-highgpu-4g"}, 8: {"a3-highgpu-8g"}},
			ec2:      map[int][]string{1: {"p5.4xlarge"}, 8: {"p5.48xlarge"}},
		},
		"nvidia-h200-141gb": {
			gke: map[int][]string{8: {"a3-ultragpu-8g"}},
			ec2: map[int][]string{8: {"p5e.48xlarge", "p5en.48xlarge"}},
		},
		"nvidia-b200": {
			gke: map[int][]string{8: {"a4-highgpu-8g"}},
			ec2: map[int][]string{8: {"p6-b200.48xlarge"}},
		},
		"nvidia-rtx-pro-6000": {
			gke: map[int][]string{1: {"g4-standard-48"}, 2: {"g4-standard-96"}, 4: {"g4-standard-192"}, 8: {"g4-standard-384"}},
			ec2: map[int][]string{1: {"g7e.2xlarge", "g7e.4xlarge", "g7e.8xlarge"}, 2: {"g7e.12xlarge"}, 4: {"g7e.24xlarge"}, 8: {"g7e.48xlarge"}},
		},
	}
}

func (r Request) machine() machine { return machines()[r.Accelerator] }

// gpu is what the catalog has of the accelerator; one that it lacks has no more than its name.
func (r Request) gpu() catalog.Accelerator {
	known, err := catalog.FindAccelerator(r.Accelerator)
	if err != nil {
		return catalog.Accelerator{Name: r.Accelerator}
	}
	return known
}

// types are the machine types that the platform has with the GPU, nil where the nodes are there already.
func (r Request) types() map[int][]string {
	switch r.Platform {
	case Autopilot, Standard:
		return r.machine().gke
	case EKS:
		return r.machine().ec2
	default:
		return nil
	}
}

func fewest(types map[int][]string) int { return slices.Min(slices.Collect(maps.Keys(types))) }

// sizeNote says that more GPUs are paid for than a share of one.
func (r Request) sizeNote() []string {
	if r.Sharing == None || r.GPUs == 1 || r.GPUs != fewest(r.types()) {
		return nil
	}
	return []string{fmt.Sprintf("# The smallest machine with the %s has %d of them, and all are paid for.", r.gpu().Name, r.GPUs)}
}

// large leaves out the machine types that are too small: each tenant of a shared GPU asks CPUs and memory of its own, as
// much as a whole release.
func (r Request) large(types []string) []string {
	for tenants := r.Clients; tenants > 1 && len(types) > 1; tenants = (tenants + 1) / 2 {
		types = types[1:]
	}
	return types
}

// short is the end of GKE's name, such as l4.
func (r Request) short() string {
	return strings.NewReplacer("nvidia-", "", "tesla-", "", "-80gb", "", "-141gb", "").Replace(strings.Replace(r.Accelerator, "a100-80gb", "a100x80", 1))
}

// pool names nodes after what is special about them.
func (r Request) pool() string {
	name := fmt.Sprintf("gpu-%s-x%d", r.short(), r.GPUs)
	switch r.Sharing {
	case TimeSharing:
		name += fmt.Sprintf("-time%d", r.Clients)
	case MPS:
		name += fmt.Sprintf("-mps%d", r.Clients)
	case MIG:
		name += "-" + strings.ReplaceAll(r.Partition, ".", "-")
	}
	if r.Capacity != OnDemand {
		name += "-" + strings.TrimSuffix(r.Capacity, "-start")
	}
	return name
}

// counts lists numbers of GPUs in words: 1, 4 or 8.
func counts(of map[int][]string) string {
	var words []string
	for _, n := range slices.Sorted(maps.Keys(of)) {
		words = append(words, fmt.Sprint(n))
	}
	if len(words) == 1 {
		return words[0]
	}
	return strings.Join(words[:len(words)-1], ", ") + " or " + words[len(words)-1]
}
