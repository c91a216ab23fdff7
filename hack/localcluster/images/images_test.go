package images

import (
	"archive/tar"
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/klauspost/compress/zstd"
)

func TestNames(t *testing.T) {
	for _, name := range Names() {
		if ref, ok := Ref(name); !ok || !strings.HasPrefix(ref, "localhost/"+name+":") {
			t.Errorf("%s: %q %v", name, ref, ok)
		}
	}
	_, err := Build(context.Background(), "vllm-gpu", t.TempDir(), io.Discard)
	if err == nil || !strings.Contains(err.Error(), "it is one of vllm-cpu, vllm-sim") {
		t.Errorf("unknown image: %v", err)
	}
}

func TestCheckSaysWhatCannotBeBuilt(t *testing.T) {
	for name, test := range map[string]struct {
		system, arch string
		user         int
		want         string
	}{
		"as needed": {"linux", "amd64", 0, ""},
		"arm64":     {"linux", "arm64", 0, "this machine is linux on arm64: use vllm-sim"},
		"a Mac":     {"darwin", "arm64", 501, "this machine is darwin on arm64: use vllm-sim"},
		"not root":  {"linux", "amd64", 1000, "need root"},
	} {
		err := canBuildVLLMCPU(test.system, test.arch, test.user)
		if (err == nil) != (test.want == "") || !strings.Contains(fmt.Sprint(err), test.want) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if err := Check("vllm-sim", t.TempDir()); err != nil {
		t.Errorf("vllm-sim is built anywhere: %v", err)
	}
	cache := t.TempDir()
	if err := os.MkdirAll(vllmCPUDir(cache), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(vllmCPUDir(cache), "image.tar"), nil, 0o644); err != nil {
		t.Fatal(err)
	}
	if err := Check("vllm-cpu", cache); err != nil {
		t.Errorf("an image that is built already: %v", err)
	}
}

func TestOnce(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "built")
	broken := errors.New("broken")
	fail := func(tmp string) error {
		return errors.Join(os.WriteFile(filepath.Join(tmp, "half"), nil, 0o644), broken)
	}
	if err := once(dir, fail); !errors.Is(err, broken) {
		t.Fatal(err)
	}
	if _, err := os.Stat(dir); err == nil {
		t.Fatal("a failed build looks finished")
	}
	runs := 0
	for range 2 {
		if err := once(dir, func(string) error { runs++; return nil }); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := os.Stat(filepath.Join(dir, "half")); err == nil || runs != 1 {
		t.Errorf("%d runs, leftovers of the failed build: %v", runs, err == nil)
	}
}

// TestWriteImage reads an archive back as containerd does: by digests from the index.
func TestWriteImage(t *testing.T) {
	root := t.TempDir()
	for name, mode := range map[string]os.FileMode{"bin/tool": 0o755, "etc/empty": 0o600} {
		path := filepath.Join(root, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(name), mode); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Symlink("tool", filepath.Join(root, "bin/alias")); err != nil {
		t.Fatal(err)
	}
	config := imageConfig{Entrypoint: []string{"/bin/tool", "serve"}, Env: []string{"A=b"}}
	var archives [2][]byte
	for i := range archives {
		path := filepath.Join(t.TempDir(), "image.tar")
		if err := writeImage(path, "localhost/x:v1", root, config); err != nil {
			t.Fatal(err)
		}
		files := readTar(t, open(t, path))
		if digest, err := manifestDigest(path); err != nil || files["blobs/sha256/"+strings.TrimPrefix(digest, "sha256:")] == nil {
			t.Errorf("digest %q, error %v", digest, err)
		}
		archives[i] = files["index.json"]
		if i == 0 {
			checkImage(t, files)
		}
	}
	if !bytes.Equal(archives[0], archives[1]) {
		t.Error("the same files give two digests")
	}
}

func open(t *testing.T, path string) []byte {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func checkImage(t *testing.T, files map[string][]byte) {
	t.Helper()
	blob := func(d descriptor) []byte {
		data := files[blobPath(d)]
		if fmt.Sprintf("sha256:%x", sha256.Sum256(data)) != d.Digest || int64(len(data)) != d.Size {
			t.Fatalf("blob %s does not match its digest or size", d.Digest)
		}
		return data
	}
	var index struct{ Manifests []descriptor }
	decode(t, files["index.json"], &index)
	if name := index.Manifests[0].Annotations["io.containerd.image.name"]; name != "localhost/x:v1" {
		t.Errorf("image name %q", name)
	}
	var manifest struct {
		Config descriptor
		Layers []descriptor
	}
	decode(t, blob(index.Manifests[0]), &manifest)
	var config struct {
		Config imageConfig
		RootFS struct {
			DiffIDs []string `json:"diff_ids"`
		}
	}
	decode(t, blob(manifest.Config), &config)
	reader, err := zstd.NewReader(bytes.NewReader(blob(manifest.Layers[0])))
	if err != nil {
		t.Fatal(err)
	}
	layer, err := io.ReadAll(reader)
	if err != nil {
		t.Fatal(err)
	}
	if got := fmt.Sprintf("sha256:%x", sha256.Sum256(layer)); got != config.RootFS.DiffIDs[0] {
		t.Errorf("layer %s, configuration says %s", got, config.RootFS.DiffIDs[0])
	}
	if got := strings.Join(config.Config.Entrypoint, " "); got != "/bin/tool serve" {
		t.Errorf("entrypoint %q", got)
	}
	inside := readTar(t, layer)
	if string(inside["bin/tool"]) != "bin/tool" || string(inside["bin/alias"]) != "-> tool" {
		t.Errorf("layer holds %q", inside)
	}
}

func decode(t *testing.T, data []byte, into any) {
	t.Helper()
	if err := json.Unmarshal(data, into); err != nil {
		t.Fatal(err)
	}
}

func readTar(t *testing.T, data []byte) map[string][]byte {
	t.Helper()
	files := map[string][]byte{}
	for r := tar.NewReader(bytes.NewReader(data)); ; {
		header, err := r.Next()
		if errors.Is(err, io.EOF) {
			return files
		}
		if err != nil {
			t.Fatal(err)
		}
		body, err := io.ReadAll(r)
		if err != nil {
			t.Fatal(err)
		}
		if header.Typeflag == tar.TypeSymlink {
			body = []byte("-> " + header.Linkname)
		}
		files[header.Name] = body
	}
}

// TestLayOut checks the repositories' shape against what the Hub stand-in documents.
func TestLayOut(t *testing.T) {
	from, hub := t.TempDir(), filepath.Join(t.TempDir(), "hub")
	for name, text := range map[string]string{HubModel + "/config.json": "{}", HubModel + "/model.safetensors": "w", HubAdapter + "/adapter_config.json": "{}"} {
		path := filepath.Join(from, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := layOut(from, hub); err != nil {
		t.Fatal(err)
	}
	for repo, want := range map[string]int{HubModel: 2, HubGated: 2, HubNoWeights: 1, HubAdapter: 1} {
		dir := filepath.Join(hub, "models", repo)
		commit := strings.TrimSpace(string(open(t, filepath.Join(dir, "refs/main"))))
		entries, err := os.ReadDir(filepath.Join(dir, commit))
		if err != nil || len(commit) != 40 || len(entries) != want {
			t.Errorf("%s at %q: %d files, error %v", repo, commit, len(entries), err)
		}
	}
	if !strings.Contains(string(open(t, filepath.Join(hub, "models", HubGated, "repo.json"))), `"gated": true`) {
		t.Error("the gated repository is open")
	}
}
