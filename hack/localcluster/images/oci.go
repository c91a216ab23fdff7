package images

import (
	"archive/tar"
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"time"

	"github.com/klauspost/compress/zstd"
)

// imageConfig is the part of an OCI image configuration that differs between images.
type imageConfig struct {
	Env        []string `json:"Env,omitempty"`
	Entrypoint []string `json:"Entrypoint,omitempty"`
	WorkingDir string   `json:"WorkingDir,omitempty"`
	User       string   `json:"User,omitempty"`
}

type descriptor struct {
	MediaType   string            `json:"mediaType"`
	Digest      string            `json:"digest"`
	Size        int64             `json:"size"`
	Annotations map[string]string `json:"annotations,omitempty"`
}

// epoch is every file's time, so that the same inputs give the same digest.
var epoch = time.Unix(1735689600, 0)

// writeImage writes the directory root as an OCI archive of one zstd layer. containerd keeps the
// layer compressed, which saves a gigabyte there, and unpacks zstd faster than it writes.
func writeImage(path, ref, root string, config imageConfig) error {
	layer, layerBlob, plain, err := writeLayer(filepath.Dir(path), root)
	if err != nil {
		return err
	}
	defer os.Remove(layer.Name())
	defer layer.Close()
	configJSON := mustJSON(map[string]any{
		"architecture": runtime.GOARCH, "os": "linux", "created": epoch.UTC(), "config": config,
		"rootfs": map[string]any{"type": "layers", "diff_ids": []string{plain}},
	})
	configBlob := describe("application/vnd.oci.image.config.v1+json", configJSON)
	manifest := mustJSON(map[string]any{
		"schemaVersion": 2, "mediaType": "application/vnd.oci.image.manifest.v1+json",
		"config": configBlob, "layers": []descriptor{layerBlob},
	})
	manifestBlob := describe("application/vnd.oci.image.manifest.v1+json", manifest)
	manifestBlob.Annotations = map[string]string{"io.containerd.image.name": ref, "org.opencontainers.image.ref.name": ref}
	index := mustJSON(map[string]any{"schemaVersion": 2, "mediaType": "application/vnd.oci.image.index.v1+json", "manifests": []descriptor{manifestBlob}})

	out, err := os.Create(path)
	if err != nil {
		return err
	}
	defer out.Close()
	w := tar.NewWriter(out)
	for _, small := range []struct {
		name string
		data []byte
	}{
		{"index.json", index},
		{"oci-layout", []byte(`{"imageLayoutVersion":"1.0.0"}`)},
		{blobPath(configBlob), configJSON},
		{blobPath(manifestBlob), manifest},
	} {
		if err := addBlob(w, small.name, int64(len(small.data)), bytes.NewReader(small.data)); err != nil {
			return err
		}
	}
	if _, err := layer.Seek(0, io.SeekStart); err != nil {
		return err
	}
	if err := addBlob(w, blobPath(layerBlob), layerBlob.Size, layer); err != nil {
		return err
	}
	if err := w.Close(); err != nil {
		return err
	}
	return out.Close()
}

// writeLayer compresses the tree under root into a temporary file in dir, which the caller removes; plain
// is the digest of what the file unpacks to.
func writeLayer(dir, root string) (layer *os.File, blob descriptor, plain string, err error) {
	layer, err = os.CreateTemp(dir, "layer-")
	if err != nil {
		return nil, blob, "", err
	}
	defer func() {
		if err != nil {
			layer.Close()
			os.Remove(layer.Name())
		}
	}()
	compressedSum, plainSum := sha256.New(), sha256.New()
	z, err := zstd.NewWriter(io.MultiWriter(layer, compressedSum), zstd.WithEncoderLevel(zstd.SpeedFastest))
	if err != nil {
		return nil, blob, "", err
	}
	if err := tarTree(io.MultiWriter(z, plainSum), root); err != nil {
		return nil, blob, "", err
	}
	if err := z.Close(); err != nil {
		return nil, blob, "", err
	}
	size, err := layer.Seek(0, io.SeekEnd)
	if err != nil {
		return nil, blob, "", err
	}
	blob = descriptor{MediaType: "application/vnd.oci.image.layer.v1.tar+zstd", Digest: fmt.Sprintf("sha256:%x", compressedSum.Sum(nil)), Size: size}
	return layer, blob, fmt.Sprintf("sha256:%x", plainSum.Sum(nil)), nil
}

// manifestDigest reads an archive's index, which is among its first entries.
func manifestDigest(path string) (string, error) {
	in, err := os.Open(path)
	if err != nil {
		return "", err
	}
	defer in.Close()
	for r := tar.NewReader(in); ; {
		header, err := r.Next()
		if err != nil {
			return "", err
		}
		if header.Name != "index.json" {
			continue
		}
		var index struct{ Manifests []descriptor }
		if err := json.NewDecoder(r).Decode(&index); err != nil {
			return "", err
		}
		if len(index.Manifests) != 1 {
			return "", fmt.Errorf("%d manifests in its index, want 1", len(index.Manifests))
		}
		return index.Manifests[0].Digest, nil
	}
}

func blobPath(d descriptor) string { return "blobs/sha256/" + d.Digest[len("sha256:"):] }

func describe(mediaType string, data []byte) descriptor {
	return descriptor{MediaType: mediaType, Digest: fmt.Sprintf("sha256:%x", sha256.Sum256(data)), Size: int64(len(data))}
}

func addBlob(w *tar.Writer, name string, size int64, r io.Reader) error {
	if err := w.WriteHeader(&tar.Header{Name: name, Mode: 0o644, Size: size, ModTime: epoch, Format: tar.FormatPAX}); err != nil {
		return err
	}
	_, err := io.Copy(w, r)
	return err
}

// mustJSON encodes values that are all made here, of types that always encode.
func mustJSON(v any) []byte {
	data, err := json.Marshal(v)
	if err != nil {
		panic(err)
	}
	return data
}
