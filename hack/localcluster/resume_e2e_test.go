package main_test

import (
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

func TestUpAfterKilledUp(t *testing.T) {
	p := newProgram(t, "e2e-resume")
	p.run("kubectl")
	for _, after := range []time.Duration{200 * time.Millisecond, 1500 * time.Millisecond, 4 * time.Second} {
		up := p.command("up")
		// With its session, so that the signal reaches the program behind the script.
		up.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
		if err := up.Start(); err != nil {
			t.Fatal(err)
		}
		time.Sleep(after)
		_ = syscall.Kill(-up.Process.Pid, syscall.SIGKILL)
		_ = up.Wait()
	}
	p.run("up")
	p.run("status")

	// As if the program had been killed between the start of a process and its record.
	for _, component := range []string{"kube-scheduler", "hub", "provisioner"} {
		if err := os.Remove(filepath.Join(p.state(), "pids", component+".json")); err != nil {
			t.Fatal(err)
		}
	}
	p.run("up")
	p.run("status")
	for _, words := range []string{"bin/kube-scheduler", "localcluster hub serve", "localcluster provisioner --name e2e-resume"} {
		if running := processes(words); len(running) != 1 {
			t.Errorf("%s runs %d times:\n%s", words, len(running), strings.Join(running, "\n"))
		}
	}
	if err := os.Remove(filepath.Join(p.state(), "pids", "kube-scheduler.json")); err != nil {
		t.Fatal(err)
	}
	p.run("down")
	if left := processes("bin/kube-scheduler", "localcluster hub serve", "localcluster provisioner"); len(left) > 0 {
		t.Errorf("left behind:\n%s", strings.Join(left, "\n"))
	}
}

// An `up` that is killed between a start and its record leaves a process that no record names; a torn
// configuration is what a full disk leaves.
func TestProcessesWithoutARecord(t *testing.T) {
	p := newProgram(t, "e2e-stray")
	p.run("kubectl")
	forget := func(components ...string) {
		t.Helper()
		for _, component := range components {
			if err := os.Remove(filepath.Join(p.state(), "pids", component+".json")); err != nil {
				t.Fatal(err)
			}
		}
	}
	p.run("up", "--no-node")
	allAreSeen(t, p)
	forgotten := []string{"etcd", "kube-apiserver", "hub"}
	forget(forgotten...)
	said := p.run("up")
	for _, component := range forgotten {
		if !strings.Contains(said, "ending "+component+" (process ") || !strings.Contains(said, "started "+component+"\n") {
			t.Errorf("up does not say that it replaced %s:\n%s", component, said)
		}
	}
	p.run("status")
	for name, before := range map[string]func(){
		"without records": func() { forget(p.recorded()...) },
		"with a torn configuration": func() {
			if err := os.WriteFile(filepath.Join(p.state(), "config.json"), []byte("{"), 0o600); err != nil {
				t.Fatal(err)
			}
		},
	} {
		p.run("up", "--no-node")
		state := p.state()
		before()
		p.run("down")
		if left := processes(state + "/"); len(left) > 0 {
			t.Errorf("down %s leaves\n%s", name, strings.Join(left, "\n"))
		}
		if _, err := os.Stat(state); !os.IsNotExist(err) {
			t.Errorf("down %s leaves %s: %v", name, state, err)
		}
	}
}

func TestDownWithoutUp(t *testing.T) {
	p := newProgram(t, "e2e-none")
	p.run("down")
	dir := filepath.Join(stateHome(), "kubectl-summarizer", "localcluster", p.name)
	if err := os.MkdirAll(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "config.json"), []byte("{broken"), 0o644); err != nil {
		t.Fatal(err)
	}
	if out, err := p.try("status"); err == nil || !strings.Contains(out, "`localcluster down --name e2e-none` removes the cluster") {
		t.Errorf("status with a broken record: %v, %s", err, out)
	}
	p.run("down")
	if _, err := os.Stat(dir); !os.IsNotExist(err) {
		t.Errorf("down leaves a broken record: %v", err)
	}
	if out, err := p.try("kubeconfig"); err == nil || !strings.Contains(out, "`localcluster up` makes it") {
		t.Errorf("kubeconfig without a cluster: %v, %s", err, out)
	}
	if out, err := p.try("up", "--sharing", "mig"); err == nil || !strings.Contains(out, "neither time-sharing nor mps") {
		t.Errorf("a wrong flag: %v, %s", err, out)
	}
}

func TestWithoutNode(t *testing.T) {
	p := newProgram(t, "e2e-bare")
	before := snapshot(t)
	p.run("kubectl")
	p.run("up", "--no-node", "--nodes", "3", "--accelerator", "nvidia-l4")
	if nodes := strings.Fields(p.must("", "get", "nodes", "-o", "name")); len(nodes) != 3 {
		t.Errorf("nodes: %v", nodes)
	}
	p.must(strings.ReplaceAll(strings.Split(pods, "---")[0], "localcluster/node: real, ", ""), "apply", "-f", "-")
	p.must("", "wait", "--for=condition=Ready", "pod/web", "--timeout=30s")
	p.run("down")
	nothingLeft(t, before)
}

// Containers whose manager was killed are still running; `down` must find them, and the next `up` must
// forget them, since containerd's store outlives both.
func TestDownAfterAllWasKilled(t *testing.T) {
	p := newProgram(t, "e2e-killed")
	before := snapshot(t)
	p.run("kubectl")
	for range 2 {
		p.run("up")
		p.must(pods, "apply", "-f", "-")
		p.must("", "wait", "--for=condition=Ready", "pod/web", "--timeout=60s")
		p.kill9("kubelet", "containerd", "kube-proxy", "coredns", "provisioner", "hub",
			"kube-controller-manager", "kube-scheduler", "kube-apiserver", "etcd")
		if len(processes("/podtool")) == 0 {
			t.Error("no container survived: this test shows nothing")
		}
		p.run("down")
		nothingLeft(t, before)
	}
}
