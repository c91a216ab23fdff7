package main_test

import (
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
}

func TestDownWithoutUp(t *testing.T) {
	p := newProgram(t, "e2e-none")
	p.run("down")
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
