package cluster

import (
	"bytes"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// Each case is a folder that was not there before `up`, as `down` finds it.
func TestCreatedFoldersGoUnlessOthersUseThem(t *testing.T) {
	for name, test := range map[string]struct {
		fill func(t *testing.T, c *Cluster, dir string)
		// kept is what the message names, relative to the folder; empty when the folder goes.
		kept string
	}{
		"gone":  {func(_ *testing.T, _ *Cluster, dir string) { os.Remove(dir) }, ""},
		"empty": {func(*testing.T, *Cluster, string) {}, ""},
		"what our pods leave": {func(t *testing.T, c *Cluster, dir string) {
			place(t, dir+"/runc/k8s.io/a25d/state.json", `{"labels":["bundle=`+c.RunDir()+`/containerd/x"]}`)
			place(t, dir+"/results/localcluster-a25d-eth0", `{"sandbox":"`+c.RunDir()+`/netns/cni-1"}`)
			listen(t, dir+"/device-plugins/kubelet.sock").Close()
			link(t, c.path("pod-logs", "web", "0.log"), dir+"/web.log")
		}, ""},
		"a containerd that runs": {func(t *testing.T, _ *Cluster, dir string) {
			listener := listen(t, dir+"/containerd.sock")
			t.Cleanup(func() { listener.Close() })
		}, "containerd.sock"},
		"a kubelet's settings": {func(t *testing.T, _ *Cluster, dir string) {
			place(t, dir+"/config.yaml", "kind: KubeletConfiguration")
		}, "config.yaml"},
		"another cluster's pods": {func(t *testing.T, c *Cluster, dir string) {
			place(t, dir+"/ours", c.RunDir()+"/x")
			place(t, dir+"/theirs/state.json", c.RunDir()+"-2/x")
		}, "theirs/state.json"},
		"a link elsewhere": {func(t *testing.T, _ *Cluster, dir string) { link(t, "/var/log/pods/x", dir+"/x.log") }, "x.log"},
	} {
		t.Run(name, func(t *testing.T) {
			c := testCluster(t)
			// Short: a socket's path has at most 107 bytes.
			dir, err := os.MkdirTemp("", "lc") //nolint:usetesting // see above
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { os.RemoveAll(dir) })
			c.Created = []string{dir}
			test.fill(t, c, dir)
			var log bytes.Buffer
			if err := c.removeCreated(&log); err != nil {
				t.Fatal(err)
			}
			_, err = os.Stat(dir)
			if kept := err == nil; kept != (test.kept != "") {
				t.Errorf("kept: %v, said: %s", kept, &log)
			}
			if test.kept != "" && !strings.Contains(log.String(), filepath.Join(dir, test.kept)) {
				t.Errorf("it does not say why: %s", &log)
			}
		})
	}
}

func place(t *testing.T, path, text string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

func link(t *testing.T, target, path string) {
	t.Helper()
	if err := os.Symlink(target, path); err != nil {
		t.Fatal(err)
	}
}

// listen makes a socket whose file stays when the listener ends, as that of a killed process does.
func listen(t *testing.T, path string) *net.UnixListener {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	listener, err := net.ListenUnix("unix", &net.UnixAddr{Name: path})
	if err != nil {
		t.Fatal(err)
	}
	listener.SetUnlinkOnClose(false)
	return listener
}
