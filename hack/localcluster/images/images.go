// Package images assembles the model server images of the local cluster without Docker and
// without a registry, and the models that the Hub stand-in serves.
package images

import (
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
)

// Archive is an image as one OCI archive, ready for `ctr -n k8s.io image import -`.
type Archive struct {
	// Ref is the name that pods use in their image field.
	Ref string
	// Digest is the manifest's, "sha256:...": it tells a rebuilt image from one already imported.
	Digest string
	// Open streams the archive from its start; it can be called again.
	Open func() (io.ReadCloser, error)
}

type builder struct {
	ref   string
	build func(ctx context.Context, cacheDir string, log io.Writer) (path string, err error)
}

const (
	vllmCPURef = "localhost/vllm-cpu:v0.32.0"
	vllmSimRef = "localhost/vllm-sim:v0.10.2"
)

var builders = map[string]builder{
	"vllm-cpu": {vllmCPURef, buildVLLMCPU},
	"vllm-sim": {vllmSimRef, buildVLLMSim},
}

// Names lists the images that Build knows, sorted.
func Names() []string {
	var names []string
	for name := range builders {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

// Ref is the image reference of a name, and whether there is such an image.
func Ref(name string) (string, bool) {
	b, ok := builders[name]
	return b.ref, ok
}

// Check says why this machine cannot build an image, which takes long enough to ask before everything else. It
// finds nothing wrong where the image is built already.
func Check(name, cacheDir string) error {
	if name != "vllm-cpu" {
		return nil
	}
	if _, err := os.Stat(filepath.Join(vllmCPUDir(cacheDir), "image.tar")); err == nil {
		return nil
	}
	if err := canBuildVLLMCPU(runtime.GOOS, runtime.GOARCH, os.Geteuid()); err != nil {
		return fmt.Errorf("image %s cannot be built here: %w", name, err)
	}
	return nil
}

// Build assembles the image under cacheDir/images, or finds it there from an earlier build with
// the same inputs. Progress goes to log, one line a step.
func Build(ctx context.Context, name string, cacheDir string, log io.Writer) (Archive, error) {
	b, ok := builders[name]
	if !ok {
		return Archive{}, fmt.Errorf("no image %q: it is one of %s", name, strings.Join(Names(), ", "))
	}
	unlock, err := lock(filepath.Join(cacheDir, "images", name+".lock"), log)
	if err != nil {
		return Archive{}, err
	}
	defer unlock()
	path, err := b.build(ctx, cacheDir, log)
	if err != nil {
		return Archive{}, fmt.Errorf("build image %s: %w", name, err)
	}
	digest, err := manifestDigest(path)
	if err != nil {
		return Archive{}, fmt.Errorf("image %s: read %s: %w", name, path, err)
	}
	return Archive{Ref: b.ref, Digest: digest, Open: func() (io.ReadCloser, error) { return os.Open(path) }}, nil
}

// once runs make in an empty directory beside dir and renames it to dir when it succeeds, so that
// a build that was killed is never mistaken for a finished one.
func once(dir string, make func(tmp string) error) error {
	if _, err := os.Stat(dir); err == nil {
		return nil
	}
	tmp := dir + ".partial"
	if err := os.RemoveAll(tmp); err != nil {
		return err
	}
	if err := os.MkdirAll(tmp, 0o755); err != nil {
		return err
	}
	if err := make(tmp); err != nil {
		return err
	}
	return os.Rename(tmp, dir)
}

// pruneExcept deletes the builds of other keys beside dir: each is gigabytes that nothing reads.
func pruneExcept(dir string) error {
	entries, err := os.ReadDir(filepath.Dir(dir))
	if err != nil {
		return err
	}
	for _, e := range entries {
		if e.Name() == filepath.Base(dir) {
			continue
		}
		if err := os.RemoveAll(filepath.Join(filepath.Dir(dir), e.Name())); err != nil {
			return err
		}
	}
	return nil
}
