package train

import (
	"fmt"
	"math"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
)

// requirements of one container; amounts are quantities.
type requirements struct {
	cpu, memory string
	gpus        int
}

// scratchGiB is for logs, /tmp and HOME; what is large lies on the volume.
const scratchGiB = 4

// sharedMemoryGiB is /dev/shm, which counts as memory of the pod: the chart's 2 GiB a GPU.
func sharedMemoryGiB(gpus int) int { return 2 * max(gpus, 1) }

// trainRequirements follow the chart's rules for a server of the same model, which the training starts too when
// it judges: two cores and two a GPU; 6 GiB for processes, the weights on their way to the GPU, /dev/shm.
// On CPUs a model of 135 million parameters with eight examples of 240 tokens at once was seen to take 4.6 GiB, most
// of it activations; one core is asked for, and without a limit all that are idle are used.
func (p *plan) trainRequirements() requirements {
	gpus, weights := p.gpusPerNode(), p.options.WeightsGiB
	r := requirements{cpu: fmt.Sprint(2 + 2*gpus), memory: gibibytes(6 + weights + float64(sharedMemoryGiB(gpus))), gpus: gpus}
	if gpus == 0 {
		r = requirements{cpu: "1", memory: gibibytes(6 + 4*weights + float64(sharedMemoryGiB(0)))}
	}
	setFrom(&r.cpu, p.options.CPU)
	setFrom(&r.memory, p.options.Memory)
	return r
}

// lightRequirements are of a pod that downloads and reads: packages, weights and data stream through it.
func lightRequirements() requirements { return requirements{cpu: "1", memory: "4Gi"} }

// resources are for Kubernetes. Memory and disk are limited to what is requested, so that the node cannot run out;
// CPU is left open.
func (p *plan) resources(r requirements) corev1.ResourceRequirements {
	requests := corev1.ResourceList{
		corev1.ResourceCPU:              resource.MustParse(r.cpu),
		corev1.ResourceMemory:           resource.MustParse(r.memory),
		corev1.ResourceEphemeralStorage: resource.MustParse(gibibytes(scratchGiB)),
	}
	limits := corev1.ResourceList{
		corev1.ResourceMemory:           requests[corev1.ResourceMemory],
		corev1.ResourceEphemeralStorage: requests[corev1.ResourceEphemeralStorage],
	}
	if r.gpus > 0 {
		gpus := *resource.NewQuantity(int64(r.gpus), resource.DecimalSI)
		requests[corev1.ResourceName(p.options.GPUResource)] = gpus
		limits[corev1.ResourceName(p.options.GPUResource)] = gpus
	}
	return corev1.ResourceRequirements{Requests: requests, Limits: limits}
}

// volumeSize has room for the weights, for a merged copy that is published, and 8 GiB for packages, data,
// checkpoints and compiled kernels.
func (p *plan) volumeSize() resource.Quantity {
	size := gibibytes(2*p.options.WeightsGiB + 8)
	setFrom(&size, p.options.VolumeSize)
	return resource.MustParse(size)
}

func gibibytes(gib float64) string { return fmt.Sprintf("%.0fGi", math.Ceil(gib)) }

// setFrom replaces a derived amount by the user's.
func setFrom(derived *string, user string) {
	if user != "" {
		*derived = user
	}
}
