package catalog_test

import (
	"errors"
	"slices"
	"testing"

	"github.com/kubectl-summarizer/kubectl-summarizer/pkg/catalog"
)

func TestFindAccelerator(t *testing.T) {
	for typed, want := range map[string]string{
		"nvidia-l4": "nvidia-l4", "L4": "nvidia-l4", "NVIDIA-L4-SHARED": "nvidia-l4", "g6.xlarge": "nvidia-l4",
		"NVIDIA L4": "nvidia-l4", "a100-80gb": "nvidia-a100-80gb", "A100 80GB": "nvidia-a100-80gb", "T4": "nvidia-tesla-t4",
		"NVIDIA-H100-80GB-HBM3": "nvidia-h100-80gb", "RTX 4090": "nvidia-geforce-rtx-4090", "A100-SXM4-40GB": "nvidia-tesla-a100",
	} {
		if a, err := catalog.FindAccelerator(typed); err != nil || a.ID != want {
			t.Errorf("%s: %s, %v", typed, a.ID, err)
		}
	}
	for typed, near := range map[string]string{"nvidia-l5": "nvidia-l4", "quantum-computer": ""} {
		_, err := catalog.FindAccelerator(typed)
		var unknown *catalog.UnknownAcceleratorError
		if !errors.As(err, &unknown) || unknown.Near != near {
			t.Errorf("%s: %v", typed, err)
		}
	}
}

// What the data cannot be: no name twice, partitions within the GPU, rates that grow as the bits shrink.
func TestAcceleratorsAreSound(t *testing.T) {
	seen := map[string]string{}
	for _, a := range catalog.Accelerators() {
		for _, name := range slices.Concat([]string{a.ID, a.Name}, a.Aliases, a.Products) {
			found, err := catalog.FindAccelerator(name)
			if err != nil || found.ID != a.ID {
				t.Errorf("%s is found as %s (%v), not as %s", name, found.ID, err, a.ID)
			}
			if other, twice := seen[name]; twice && other != a.ID {
				t.Errorf("%s is a name of %s and of %s", name, other, a.ID)
			}
			seen[name] = a.ID
		}
		for name, p := range a.Partitions {
			if float64(p.Count)*p.MemoryGiB > a.MemoryGiB+0.5 || p.Count < 1 || p.Count > 7 {
				t.Errorf("%s: %d of %s do not fit %.2f GiB", a.ID, p.Count, name, a.MemoryGiB)
			}
		}
		if a.MemoryGiB <= 0 || a.BandwidthGBs <= 0 || a.TFLOPS["fp16"] <= 0 || a.ComputeCapability < 7 || len(a.Products) == 0 {
			t.Errorf("%s lacks a figure: %+v", a.ID, a)
		}
		if fp8, has := a.TFLOPS["fp8"]; has != a.FP8() || has && fp8 < a.TFLOPS["fp16"] {
			t.Errorf("%s: %v TFLOPS in fp8 with compute capability %v", a.ID, fp8, a.ComputeCapability)
		}
	}
}
