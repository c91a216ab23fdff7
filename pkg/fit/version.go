package fit

import (
	"fmt"
	"regexp"
	"strconv"
)

// Version is a release of vLLM.
type Version struct{ Major, Minor, Patch int }

// Default is the release that the chart serves with.
var Default = Version{0, 32, 0}

var versionText = regexp.MustCompile(`^v?(\d{1,3})\.(\d{1,4})(?:\.(\d{1,4}))?(?:[.+a-z-].*)?$`)

// ParseVersion reads "0.32.0", "v0.32.0" or an image's tag such as "v0.32.0-cu129".
func ParseVersion(text string) (Version, error) {
	match := versionText.FindStringSubmatch(text)
	if match == nil {
		return Version{}, fmt.Errorf("%q is no release of vLLM: write such as 0.32.0", text)
	}
	var v Version
	for i, part := range []*int{&v.Major, &v.Minor, &v.Patch} {
		if match[i+1] != "" {
			n, err := strconv.Atoi(match[i+1])
			if err != nil {
				return Version{}, err
			}
			*part = n
		}
	}
	return v, nil
}

// String is the version without a v.
func (v Version) String() string { return fmt.Sprintf("%d.%d.%d", v.Major, v.Minor, v.Patch) }

func (v Version) atLeast(minor int) bool { return v.Major > 0 || v.Minor >= minor }

// DefaultUtilization is what --gpu-memory-utilization is when it is not given: 0.92 since 0.21 (vllm-project/vllm#38284).
func (v Version) DefaultUtilization() float64 {
	if v.atLeast(21) {
		return 0.92
	}
	return 0.90
}

// graphsInside says whether an estimate of the CUDA graphs is taken off the budget: since 0.21. Before, they were
// captured after the KV cache, outside of it.
func (v Version) graphsInside() bool { return v.atLeast(21) }

// samplerBytes is what one logit of the trial step's sampler takes at its peak. Up to 0.16 the trial sorted all logits
// for top-k and top-p (32-bit copies, 64-bit indices: 38.5 bytes on every log from 0.8 to 0.15, V0 too); then a Triton
// kernel took the sort's place, and the second model runner of 0.25 leaves top-k and top-p out of the trial: a 16-bit
// logit and its 32-bit copy are left.
func (v Version) samplerBytes() float64 {
	switch {
	case v.atLeast(25):
		return 6
	case v.atLeast(17):
		return 10
	}
	return sortedLogitBytes
}

// sortedLogitBytes is what one logit takes while all are sorted.
const sortedLogitBytes = 38.5

// cudaGiB is what CUDA, cuBLAS and vLLM take beside tensors, as far as vLLM counts it: 0.02 to 0.13 GiB up to 0.16,
// 0.22 to 0.28 since.
func (v Version) cudaGiB() float64 {
	if v.atLeast(17) {
		return 0.25
	}
	return 0.10
}
