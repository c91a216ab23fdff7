package images

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"time"
)

// vllmSimConfig has the entrypoint of the official image; the two programs are all that it holds.
var vllmSimConfig = imageConfig{
	Entrypoint: []string{"vllm", "serve"},
	Env:        []string{"PATH=/usr/local/bin"},
	WorkingDir: "/",
}

// simulatorPackage is built from the nested module vllmsim/simulator, which pins its version.
const simulatorPackage = "github.com/llm-d/llm-d-inference-sim/cmd/llm-d-inference-sim"

// sourceDir is the directory hack/localcluster; hack/localcluster.sh says where it lies.
func sourceDir() (string, error) {
	dir := os.Getenv("LOCALCLUSTER_SOURCE")
	if _, err := os.Stat(filepath.Join(dir, "vllmsim", "simulator", "go.mod")); dir == "" || err != nil {
		return "", errors.New("the sources of hack/localcluster are not found: run it through hack/localcluster.sh, which sets LOCALCLUSTER_SOURCE")
	}
	return dir, nil
}

// buildVLLMSim compiles the simulator and the program in front of it into an image of two files.
func buildVLLMSim(ctx context.Context, cacheDir string, log io.Writer) (string, error) {
	source, err := sourceDir()
	if err != nil {
		return "", err
	}
	dir, err := vllmSimDir(source, cacheDir)
	if err != nil {
		return "", err
	}
	archive := filepath.Join(dir, "image.tar")
	if _, err := os.Stat(archive); err == nil {
		return archive, nil
	}
	simulator, err := buildSimulator(ctx, source, cacheDir, log)
	if err != nil {
		return "", err
	}
	if err := os.MkdirAll(filepath.Dir(dir), 0o755); err != nil {
		return "", err
	}
	if err := pruneExcept(dir); err != nil {
		return "", err
	}
	err = once(dir, func(tmp string) error {
		root := filepath.Join(tmp, "root")
		bin := filepath.Join(root, "usr/local/bin")
		for _, d := range []string{bin, filepath.Join(root, "tmp"), filepath.Join(root, "etc")} {
			if err := os.MkdirAll(d, 0o755); err != nil {
				return err
			}
		}
		if err := os.Link(simulator, filepath.Join(bin, "llm-d-inference-sim")); err != nil {
			return err
		}
		err := step(log, "building the vllm program in front of the simulator", func() error {
			return goBuild(ctx, source, filepath.Join(bin, "vllm"), "./vllmsim")
		})
		if err != nil {
			return err
		}
		return writeImage(filepath.Join(tmp, "image.tar"), vllmSimRef, root, vllmSimConfig)
	})
	return archive, err
}

// buildSimulator compiles llm-d-inference-sim once for each pinned set of modules.
func buildSimulator(ctx context.Context, source, cacheDir string, log io.Writer) (string, error) {
	module := filepath.Join(source, "vllmsim", "simulator")
	sums, err := os.ReadFile(filepath.Join(module, "go.sum"))
	if err != nil {
		return "", err
	}
	key := fmt.Sprintf("%x", sha256.Sum256([]byte(runtime.Version()+string(sums))))[:12]
	path := filepath.Join(cacheDir, "tools", "llm-d-inference-sim-"+key)
	if _, err := os.Stat(path); err == nil {
		return path, nil
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return "", err
	}
	err = step(log, "building llm-d-inference-sim v0.10.2 (2 to 5 minutes once on 2 cores)", func() error {
		return goBuild(ctx, module, path, simulatorPackage)
	})
	return path, err
}

func goBuild(ctx context.Context, dir, out, pkg string) error {
	env := []string{"CGO_ENABLED=0", "GOOS=linux", "GOWORK=off"}
	partial := fmt.Sprintf("%s.%d", out, time.Now().UnixNano())
	if err := command(ctx, env, "go", "build", "-C", dir, "-trimpath", "-ldflags", "-s -w", "-o", partial, pkg); err != nil {
		return err
	}
	return os.Rename(partial, out)
}

// vllmSimDir changes with the sources of vllmsim and with what they are built by.
func vllmSimDir(source, cacheDir string) (string, error) {
	sum := sha256.New()
	fmt.Fprintln(sum, runtime.Version(), runtime.GOARCH, vllmSimConfig)
	code := filepath.Join(source, "vllmsim")
	err := filepath.WalkDir(code, func(path string, d fs.DirEntry, err error) error {
		if err != nil || !d.Type().IsRegular() || !(filepath.Ext(path) == ".go" || filepath.Ext(path) == ".tsv" || strings.HasPrefix(d.Name(), "go.")) || strings.HasSuffix(path, "_test.go") {
			return err
		}
		fmt.Fprintln(sum, strings.TrimPrefix(path, code))
		return copyFile(sum, path)
	})
	return filepath.Join(cacheDir, "images", "vllm-sim", fmt.Sprintf("%x", sum.Sum(nil))[:12]), err
}
