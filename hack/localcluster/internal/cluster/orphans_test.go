package cluster

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/kubectl-summarizer/kubectl-summarizer/hack/localcluster/internal/build"
)

// TestMain lets the test binary run as a process that only waits, under any arguments.
func TestMain(m *testing.M) {
	if os.Getenv("WAIT_ONLY") != "" {
		time.Sleep(time.Minute)
		return
	}
	os.Exit(m.Run())
}

// running starts a process that shows these arguments, and returns what becomes readable when it ends.
func running(t *testing.T, args ...string) <-chan struct{} {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	command := &exec.Cmd{Path: self, Args: args, Env: []string{"WAIT_ONLY=1"}}
	if err := command.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		_ = command.Wait()
	}()
	t.Cleanup(func() { _ = command.Process.Kill() })
	return ended
}

func TestOrphansAreEndedAndNothingElse(t *testing.T) {
	c := testCluster(t)
	for _, dir := range []string{"pids", "logs"} {
		if err := os.MkdirAll(c.path(dir), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	orphans := map[string]<-chan struct{}{
		"etcd":        running(t, "/x/etcd", "--name=localcluster", "--data-dir="+c.path("etcd")),
		"containerd":  running(t, "containerd", "--config", c.path("containerd.toml")),
		"hub":         running(t, "/x/localcluster", "hub", "serve", "--cluster="+c.State),
		"provisioner": running(t, "/x/localcluster", "provisioner", "--name", c.Name, "--cluster="+c.State),
	}
	others := map[string]<-chan struct{}{
		"another cluster":       running(t, "/x/etcd", "--data-dir="+c.State+"-2/etcd"),
		"another user's":        running(t, "/x/etcd", "--data-dir=/elsewhere"+c.path("etcd")),
		"the user's kubectl":    running(t, "kubectl", "--kubeconfig", c.Kubeconfig(), "get", "pods", "--watch"),
		"a pager":               running(t, "less", c.path("logs", "etcd.log")),
		"an etcd of other work": running(t, "/x/etcd", "--data-dir=/tmp/etcd"),
	}
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	scheduler := filepath.Join(t.TempDir(), "kube-scheduler")
	if err := os.Symlink(self, scheduler); err != nil {
		t.Fatal(err)
	}
	t.Setenv("WAIT_ONLY", "1")
	if _, err := c.Table().Start("kube-scheduler", []string{scheduler, "--kubeconfig=" + c.path("scheduler.kubeconfig")}, ""); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Table().Stop("kube-scheduler", 0) })

	var log bytes.Buffer
	if err := c.endOrphans(&log); err != nil {
		t.Fatal(err)
	}
	for name, ended := range orphans {
		select {
		case <-ended:
		case <-time.After(5 * time.Second):
			t.Errorf("%s still runs", name)
		}
		if !strings.Contains(log.String(), "ending "+name+" (process ") {
			t.Errorf("nothing is said of %s:\n%s", name, &log)
		}
	}
	for name, ended := range others {
		select {
		case <-ended:
			t.Errorf("%s was ended", name)
		default:
		}
	}
	if _, alive := c.Table().Get("kube-scheduler"); !alive {
		t.Error("a recorded process was ended")
	}
}

func TestEveryComponentShowsItsCluster(t *testing.T) {
	c := testCluster(t)
	c.Shape.FakeNodes = 1
	all := c.components(build.Programs("/programs"))
	if len(all) < 11 {
		t.Fatalf("only %d components", len(all))
	}
	for _, k := range all {
		if len(k.args) > 1 && (k.args[1] == "hub" || k.args[1] == "provisioner") {
			k.args[0] = "/cache/localcluster" // this test's own program otherwise
		}
		if got := c.componentOf(k.args); got != k.name {
			t.Errorf("%s is taken for %q by its arguments %q", k.name, got, k.args)
		}
	}
}

func TestComponentOf(t *testing.T) {
	c := &Cluster{State: "/state/mine"}
	for line, want := range map[string]string{
		"/cache/bin/etcd --name=localcluster --data-dir=/state/mine/etcd":                       "etcd",
		"/cache/bin/etcd --data-dir=/state/mine-too/etcd":                                       "",
		"/cache/bin/etcd --data-dir=/mnt/state/mine/etcd":                                       "",
		"containerd --config /state/mine/containerd.toml":                                       "containerd",
		"containerd --config /etc/containerd/config.toml":                                       "",
		"/cache/bin/kwok --kubeconfig=/state/mine/kubeconfig":                                   "kwok",
		"kubectl --kubeconfig /state/mine/kubeconfig get pods --watch":                          "",
		"vi /state/mine/kubelet.yaml":                                                           "",
		"/cache/cli/1/localcluster provisioner --name mine --cluster=/state/mine":               "provisioner",
		"/cache/cli/1/localcluster provisioner --name mine --cluster=/home/other/state/mine":    "",
		"/cache/cli/1/localcluster hub serve --cluster=/state/mine --listen 192.0.2.1:7000":     "hub",
		"/cache/cli/1/localcluster hub serve --cluster=/state/mine-too --listen 192.0.2.1:7000": "",
		"/cache/cli/1/localcluster up --name mine":                                              "",
		"localcluster": "",
	} {
		if got := c.componentOf(strings.Fields(line)); got != want {
			t.Errorf("%s: %q, want %q", line, got, want)
		}
	}
}
