package cluster

import (
	"archive/tar"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/kubectl-summarizer/kubectl-summarizer/hack/localcluster/internal/build"
)

func testCluster(t *testing.T) *Cluster {
	t.Helper()
	dir := t.TempDir()
	c := &Cluster{Cache: filepath.Join(dir, "cache"), State: filepath.Join(dir, "state")}
	c.Name, c.RealNode, c.NodeIP, c.Shape = "t", true, "192.0.2.7", DefaultShape()
	c.ServiceCIDR, c.PodCIDR, c.FakePodCIDR = "10.1.0.0/16", "10.2.0.0/16", "10.3.0.0/16"
	c.Ports = map[string]int{}
	for i, name := range listeners {
		c.Ports[name] = firstPort + i
	}
	return c
}

func TestEveryFileRendersWithTheClustersValues(t *testing.T) {
	c := testCluster(t)
	if err := c.writeFiles(); err != nil {
		t.Fatal(err)
	}
	for file, wants := range map[string][]string{
		"containerd.toml":  {`root = "` + c.Cache, `address = "/run/localcluster-t/containerd.sock"`, `sandbox_image = "` + PauseImage},
		"kubelet.yaml":     {"clusterDNS: [10.1.0.10]", "cgroupRoot: /localcluster-t", "address: 192.0.2.7"},
		"kube-proxy.yaml":  {"clusterCIDR: 10.2.0.0/16", "mode: nftables"},
		"Corefile":         {"bind 192.0.2.7", c.State + "/coredns.kubeconfig localcluster-t"},
		"cni/cni.conflist": {`"subnet": "10.2.0.0/16"`, bridge},
		"kubeconfig":       {"server: " + c.Server()},
	} {
		data, err := os.ReadFile(c.path(file))
		if err != nil {
			t.Error(err)
			continue
		}
		for _, want := range wants {
			if !strings.Contains(string(data), want) {
				t.Errorf("%s lacks %q:\n%s", file, want, data)
			}
		}
		if strings.Contains(string(data), "<no value>") {
			t.Errorf("%s has a hole:\n%s", file, data)
		}
	}
	cni, err := os.ReadFile(c.path("cni", "cni.conflist"))
	if err != nil {
		t.Fatal(err)
	}
	if !json.Valid(cni) {
		t.Errorf("cni.conflist is no JSON:\n%s", cni)
	}
}

func TestFilesAreNotTouchedTwice(t *testing.T) {
	c := testCluster(t)
	times := func() map[string]int64 {
		if err := c.writeFiles(); err != nil {
			t.Fatal(err)
		}
		found := map[string]int64{}
		for _, name := range []string{"kube-proxy.yaml", "kubeconfig", "pki/apiserver.crt"} {
			info, err := os.Stat(c.path(name))
			if err != nil {
				t.Fatal(err)
			}
			found[name] = info.ModTime().UnixNano()
		}
		return found
	}
	first, second := times(), times()
	for name := range first {
		if first[name] != second[name] {
			t.Errorf("%s was written again", name)
		}
	}
}

func TestManifestsRender(t *testing.T) {
	c := testCluster(t)
	entries, err := embedded.ReadDir("manifests")
	if err != nil {
		t.Fatal(err)
	}
	for _, entry := range entries {
		data, err := c.render("manifests/" + entry.Name())
		if err != nil || bytes.Contains(data, []byte("<no value>")) || bytes.Contains(data, []byte("port: 0")) {
			t.Errorf("%s: %v\n%s", entry.Name(), err, data)
		}
	}
}

func TestOpenKeepsWhatUpDecided(t *testing.T) {
	t.Setenv("XDG_STATE_HOME", t.TempDir())
	c, err := Open("mine", "/cache")
	if err != nil || c.Exists() {
		t.Fatalf("%v, exists: %v", err, c.Exists())
	}
	shape := DefaultShape()
	shape.FakeNodes = 3
	if err := c.decide(false, shape); err != nil {
		t.Fatal(err)
	}
	again, err := Open("mine", "/cache")
	if err != nil {
		t.Fatal(err)
	}
	if again.Shape != shape || again.Ports["apiserver"] != c.Ports["apiserver"] || again.ServiceCIDR != c.ServiceCIDR {
		t.Errorf("saved %+v, read %+v", c.Config, again.Config)
	}
	if err := again.decide(true, shape); err == nil {
		t.Error("a cluster without a node became one with a node")
	}
	if _, err := Open("../elsewhere", "/cache"); err == nil {
		t.Error("a name that leads out of the state directory is accepted")
	}
}

func TestOpenOfABrokenClusterLetsItBeRemoved(t *testing.T) {
	t.Setenv("XDG_STATE_HOME", t.TempDir())
	c, err := Open("torn", "/cache")
	if err != nil {
		t.Fatal(err)
	}
	for _, text := range []string{"", `{"name": "torn", "nodeIP": "192.`, `{"name": "other", "realNode": true, "nodeIP": 7}`} {
		if err := os.MkdirAll(c.State, 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(c.path("config.json"), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		torn, err := Open("torn", "/cache")
		if !errors.Is(err, ErrBroken) || !strings.Contains(fmt.Sprint(err), "`localcluster down --name torn`") {
			t.Errorf("%q: %v", text, err)
		}
		if torn == nil || torn.Name != "torn" || torn.Exists() || torn.RealNode {
			t.Fatalf("%q: opened as %+v", text, torn)
		}
		if err := torn.Down(t.Context(), io.Discard); err != nil {
			t.Errorf("%q: down: %v", text, err)
		}
		if _, err := os.Stat(c.State); !os.IsNotExist(err) {
			t.Errorf("%q: the state stays: %v", text, err)
		}
	}
}

// The API server makes kube-system a moment after it is ready.
func TestManifestsAreAppliedUntilTheNamespaceIsThere(t *testing.T) {
	c := testCluster(t)
	programs := build.Programs(t.TempDir())
	script := "#!/bin/sh\nif mkdir " + c.Cache + " 2>/dev/null; then echo namespaces kube-system not found >&2; exit 1; fi\n"
	if err := os.MkdirAll(filepath.Dir(programs.Path("kubectl")), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(programs.Path("kubectl"), []byte(script), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := c.applyManifests(t.Context(), programs); err != nil {
		t.Error(err)
	}
	if _, err := os.Stat(c.Cache); err != nil {
		t.Error("kubectl was not called")
	}
}

func TestImageIsReproducible(t *testing.T) {
	program := filepath.Join(t.TempDir(), "podtool")
	if err := os.WriteFile(program, []byte("#!"), 0o755); err != nil {
		t.Fatal(err)
	}
	var first, second bytes.Buffer
	for _, out := range []*bytes.Buffer{&first, &second} {
		if err := writeImage(out, PauseImage, program); err != nil {
			t.Fatal(err)
		}
	}
	if !bytes.Equal(first.Bytes(), second.Bytes()) {
		t.Error("the same program gives two images")
	}
	var names []string
	for reader := tar.NewReader(&first); ; {
		header, err := reader.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		names = append(names, header.Name)
	}
	if strings.Join(names, " ") != "manifest.json config.json layer.tar" {
		t.Errorf("archive holds %v", names)
	}
}

func TestParseMounts(t *testing.T) {
	got := parseMounts("tmpfs /run/a\\040b tmpfs rw 0 0\nbroken\ncgroup /sys/fs/cgroup/cpu cgroup rw 0 0\n")
	if len(got) != 2 || got[0] != (mount{"/run/a b", "tmpfs"}) || got[1].kind != "cgroup" {
		t.Errorf("got %v", got)
	}
}

func TestLabelsFollowSharing(t *testing.T) {
	shape := DefaultShape()
	if labels := shape.labels("real", 4); labels["cloud.google.com/gke-gpu-sharing-strategy"] != nil || shape.capacity(4) != "4" {
		t.Errorf("not shared: %v, capacity %s", labels, shape.capacity(4))
	}
	shape.Sharing, shape.MaxSharedClients = "time-sharing", 3
	labels := shape.labels("real", 2)
	if labels["cloud.google.com/gke-max-shared-clients-per-gpu"] != "3" || labels["cloud.google.com/gke-accelerator-count"] != "2" || shape.capacity(2) != "6" {
		t.Errorf("shared: %v, capacity %s", labels, shape.capacity(2))
	}
	for name, value := range shape.labels("real", 0) {
		if value != nil && strings.Contains(name, "gke-accelerator") {
			t.Errorf("a node without GPUs has %s=%v", name, value)
		}
	}
}
