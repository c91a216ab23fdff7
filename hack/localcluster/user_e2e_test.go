package main_test

import (
	"io/fs"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
)

// TestAsAnotherUser runs the built program as nobody: without root there are simulated nodes only, and it must be
// said what those do not show.
func TestAsAnotherUser(t *testing.T) {
	p := asNobody(t, newProgram(t, "e2e-nobody"))
	said := p.run("up")
	for _, want := range []string{"not root on Linux: simulated nodes only", "no logs, no exec, no port-forward, no Service answers, no model server"} {
		if !strings.Contains(said, want) {
			t.Errorf("up does not say %q:\n%s", want, said)
		}
	}
	p.run("status")
	if nodes := p.must("", "get", "nodes", "-o", "name"); nodes != "node/fake-1" {
		t.Errorf("nodes: %s", nodes)
	}
	p.must(strings.ReplaceAll(strings.Split(pods, "---")[0], "localcluster/node: real, ", ""), "apply", "-f", "-")
	p.must("", "wait", "--for=condition=Ready", "pod/web", "--timeout=30s")
	if out, err := p.kubectl("", "logs", "web"); err == nil {
		t.Errorf("a simulated pod has logs: %s", out)
	}
	for want, args := range map[string][]string{
		"has no running containerd: `localcluster up` starts it (as root, without --no-node)": {"load", os.DevNull},
		"need root: run this as root, or use vllm-sim":                                        {"image", "vllm-cpu"},
	} {
		if out, err := p.try(args[0], args[1:]...); err == nil || !strings.Contains(out, want) {
			t.Errorf("%v: %v, %s; want %q", args, err, out, want)
		}
	}
	state := p.state()
	p.run("down")
	if left := processes(state + "/"); len(left) > 0 {
		t.Errorf("down leaves\n%s", strings.Join(left, "\n"))
	}
	if _, err := os.Stat(state); !os.IsNotExist(err) {
		t.Errorf("down leaves %s: %v", state, err)
	}
}

// asNobody gives nobody a home with the program, the servers' sources, and a cache that holds what root has built.
func asNobody(t *testing.T, root *program) *program {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Skip("only root can run a program as another user")
	}
	nobody, err := user.Lookup("nobody")
	if err != nil {
		t.Skipf("no other user to run as: %v", err)
	}
	uid, err := strconv.ParseUint(nobody.Uid, 10, 32)
	if err != nil {
		t.Fatal(err)
	}
	gid, err := strconv.ParseUint(nobody.Gid, 10, 32)
	if err != nil {
		t.Fatal(err)
	}
	// A test's own temporary directory is closed to others.
	home, err := os.MkdirTemp("", "localcluster-nobody-") //nolint:usetesting // see above
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(home) })
	programs := filepath.Dir(filepath.Dir(root.run("kubectl")))
	linkTree(t, programs, filepath.Join(home, "cache", "localcluster", filepath.Base(programs)))
	linkTree(t, "servers", filepath.Join(home, "source", "servers"))
	p := &program{t: t, name: root.name, path: filepath.Join(home, "localcluster"), as: func(cmd *exec.Cmd) {
		cmd.Dir = "/"
		cmd.Env = []string{"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "HOME=" + home, "XDG_STATE_HOME=" + filepath.Join(home, "state"),
			"SUMMARIZER_CACHE=" + filepath.Join(home, "cache"), "LOCALCLUSTER_SOURCE=" + filepath.Join(home, "source")}
		cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}}
	}}
	if out, err := exec.Command("go", "build", "-o", p.path, ".").CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	err = filepath.WalkDir(home, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || !entry.IsDir() {
			return err
		}
		if err := os.Chmod(path, 0o755); err != nil {
			return err
		}
		return os.Chown(path, int(uid), int(gid))
	})
	if err != nil {
		t.Fatal(err)
	}
	closed := exec.Command("find", home, "!", "-readable")
	p.as(closed)
	if out, err := closed.CombinedOutput(); err != nil || len(out) > 0 {
		t.Skipf("nobody cannot read: %s (%v)", out, err)
	}
	p.downAtTheEnd()
	return p
}

// linkTree makes a second name for each file, or a copy where that cannot be.
func linkTree(t *testing.T, from, to string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(to), 0o755); err != nil {
		t.Fatal(err)
	}
	if exec.Command("cp", "-a", "--link", from, to).Run() == nil {
		return
	}
	if err := os.RemoveAll(to); err != nil {
		t.Fatal(err)
	}
	if out, err := exec.Command("cp", "-a", from, to).CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
}
