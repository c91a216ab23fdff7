package images

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
)

// unneededInRoot is left out of the image: documentation and package manager state, and the parts of
// torch that build extensions or open only when there is a GPU.
var unneededInRoot = []string{
	"usr/share/doc", "usr/share/man", "usr/share/info", "usr/share/locale", "usr/share/i18n",
	"var/cache/apt", "var/cache/debconf", "var/lib/apt/lists", "var/log",
	sitePackages + "/torch/include", sitePackages + "/torch/test", sitePackages + "/torch/lib/libtorch_cuda_linalg.so",
	sitePackages + "/nvidia/cu13/include", sitePackages + "/bin",
}

// cudaRuntime is the one NVIDIA library that stays: torch calls it while it loads, to count GPUs.
const cudaRuntime = "nvidia/cu13/lib/libcudart.so.13"

// slim takes from the root what a CPU never uses: it makes the image a third of its size, and
// importing it into containerd is most of what a fresh cluster waits for.
func slim(ctx context.Context, root, site string) error {
	for _, path := range unneededInRoot {
		if err := os.RemoveAll(filepath.Join(root, path)); err != nil {
			return err
		}
	}
	if err := os.MkdirAll(filepath.Join(root, "var/log"), 0o755); err != nil {
		return err
	}
	torchLib := filepath.Join(site, "torch/lib")
	stubs, err := missingLibraries([]string{torchLib}, []string{filepath.Join(site, cudaRuntime)})
	if err != nil {
		return err
	}
	if len(stubs) == 0 {
		return fmt.Errorf("found no CUDA library to replace in %s: did torch's wheel change?", torchLib)
	}
	for _, s := range stubs {
		if err := writeStub(ctx, s, torchLib); err != nil {
			return fmt.Errorf("stub for %s: %w", s.soname, err)
		}
	}
	return stripLibraries(ctx, site)
}

// stripLibraries drops debug information and static symbols, which are half of vLLM's kernels and a
// sixth of torch. Only these directories: libraries that auditwheel has patched elsewhere (numpy's
// OpenBLAS) do not load after binutils' strip.
func stripLibraries(ctx context.Context, site string) error {
	for _, path := range sharedObjects([]string{
		filepath.Join(site, "torch/lib"), filepath.Join(site, "vllm"), filepath.Join(site, "llvmlite/binding"),
	}) {
		if err := command(ctx, nil, "/usr/bin/strip", "--strip-unneeded", path); err != nil {
			return err
		}
	}
	return nil
}
