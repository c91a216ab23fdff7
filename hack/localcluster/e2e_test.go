package main_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/kubectl-summarizer/kubectl-summarizer/hack/localcluster/internal/build"
)

// program runs localcluster for one cluster.
type program struct {
	t    *testing.T
	name string
	// path is hack/localcluster.sh, or what it builds.
	path string
	// as makes a command run as another user.
	as func(*exec.Cmd)
}

// newProgram skips unless LOCALCLUSTER_E2E=1: the test starts a cluster and may install packages.
func newProgram(t *testing.T, name string) *program {
	t.Helper()
	if os.Getenv("LOCALCLUSTER_E2E") != "1" {
		t.Skip("set LOCALCLUSTER_E2E=1 to start real clusters on this machine")
	}
	// `up` would install them too, but the picture of the machine before it is taken with them.
	if err := build.EnsurePackages(t.Context(), os.Stderr); err != nil {
		t.Fatal(err)
	}
	p := &program{t, name, "../localcluster.sh", func(*exec.Cmd) {}}
	p.downAtTheEnd()
	return p
}

func (p *program) downAtTheEnd() {
	p.t.Cleanup(func() {
		if out, err := p.try("down"); err != nil {
			p.t.Errorf("down: %v\n%s", err, out)
		}
	})
}

// in is the same program for a subtest, which alone may end itself.
func (p *program) in(t *testing.T) *program { return &program{t, p.name, p.path, p.as} }

func (p *program) command(verb string, args ...string) *exec.Cmd {
	cmd := exec.Command(p.path, append([]string{verb, "--name", p.name}, args...)...)
	p.as(cmd)
	return cmd
}

func (p *program) try(verb string, args ...string) (string, error) {
	out, err := p.command(verb, args...).CombinedOutput()
	return string(out), err
}

func (p *program) run(verb string, args ...string) string {
	p.t.Helper()
	out, err := p.try(verb, args...)
	if err != nil {
		p.t.Fatalf("localcluster %s %v: %v\n%s", verb, args, err, out)
	}
	return strings.TrimSpace(out)
}

// kubectl runs the cluster's own kubectl; in goes to its standard input.
func (p *program) kubectl(in string, args ...string) (string, error) {
	kubectl := p.run("kubectl")
	kubeconfig := p.run("kubeconfig")
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, kubectl, append([]string{"--kubeconfig", kubeconfig}, args...)...)
	cmd.Stdin = strings.NewReader(in)
	p.as(cmd)
	out, err := cmd.CombinedOutput()
	return strings.TrimSpace(string(out)), err
}

func (p *program) must(in string, args ...string) string {
	p.t.Helper()
	out, err := p.kubectl(in, args...)
	if err != nil {
		p.t.Fatalf("kubectl %v: %v\n%s", args, err, out)
	}
	return out
}

// eventually repeats check for a minute.
func (p *program) eventually(what string, check func() error) {
	p.t.Helper()
	var err error
	for deadline := time.Now().Add(time.Minute); time.Now().Before(deadline); time.Sleep(500 * time.Millisecond) {
		if err = check(); err == nil {
			return
		}
	}
	p.t.Fatalf("%s: %v", what, err)
}

// state is the cluster's directory, which lies beside its kubeconfig.
func (p *program) state() string { return filepath.Dir(p.run("kubeconfig")) }

// pid is the process of a component.
func (p *program) pid(component string) int {
	p.t.Helper()
	data, err := os.ReadFile(filepath.Join(p.state(), "pids", component+".json"))
	if err != nil {
		p.t.Fatal(err)
	}
	var record struct{ Pid int }
	if err := json.Unmarshal(data, &record); err != nil {
		p.t.Fatal(err)
	}
	return record.Pid
}

// recorded are the components that have a record.
func (p *program) recorded() []string {
	p.t.Helper()
	files, err := filepath.Glob(filepath.Join(p.state(), "pids", "*.json"))
	if err != nil || len(files) == 0 {
		p.t.Fatalf("no records: %v", err)
	}
	for i, file := range files {
		files[i] = strings.TrimSuffix(filepath.Base(file), ".json")
	}
	return files
}

func (p *program) kill9(components ...string) {
	p.t.Helper()
	for _, component := range components {
		if err := syscall.Kill(p.pid(component), syscall.SIGKILL); err != nil {
			p.t.Fatalf("kill %s: %v", component, err)
		}
	}
	// Many threads take a moment to die.
	time.Sleep(300 * time.Millisecond)
}

// snapshot is what a cluster could leave on a machine, by kind.
func snapshot(t *testing.T) map[string][]string {
	t.Helper()
	all := map[string][]string{}
	for kind, args := range map[string][]string{
		"mounts":   {"cat", "/proc/mounts"},
		"links":    {"ip", "-o", "link"},
		"netns":    {"ip", "netns"},
		"routes":   {"ip", "route", "show", "table", "all"},
		"nftables": {"nft", "list", "ruleset"},
		"cgroups":  {"find", "/sys/fs/cgroup", "-maxdepth", "2", "-type", "d", "-name", "*localcluster*"},
		"run":      {"ls", "/run", "/var/lib", "/var/log"},
		"state":    {"find", filepath.Join(stateHome(), "kubectl-summarizer", "localcluster"), "-maxdepth", "1", "-name", "e2e*"},
	} {
		out, err := exec.Command(args[0], args[1:]...).Output()
		if err != nil && kind != "state" {
			t.Fatalf("%v: %v", args, err)
		}
		all[kind] = strings.Split(string(out), "\n")
	}
	all["processes"] = processes(e2eProcesses...)
	all["sysctls"] = sysctls(t)
	return all
}

// e2eProcesses are in the arguments of everything that runs for these tests' clusters.
var e2eProcesses = []string{"localcluster-e2e", "localcluster/e2e", "/podtool"}

// sysctls are the kernel settings that a node or its kubelet changes, by name.
func sysctls(t *testing.T) []string {
	t.Helper()
	var lines []string
	for _, name := range []string{
		"net/ipv4/ip_forward", "net/bridge/bridge-nf-call-iptables", "net/bridge/bridge-nf-call-ip6tables", "net/bridge/bridge-nf-call-arptables",
		"vm/overcommit_memory", "vm/panic_on_oom", "kernel/panic", "kernel/panic_on_oops", "kernel/keys/root_maxkeys", "kernel/keys/root_maxbytes",
	} {
		data, err := os.ReadFile("/proc/sys/" + name)
		switch {
		case os.IsNotExist(err):
			data = []byte("0") // without its module a bridge filters as little as with 0
		case err != nil:
			t.Fatal(err)
		}
		lines = append(lines, name+" "+strings.TrimSpace(string(data)))
	}
	return lines
}

func stateHome() string {
	if dir := os.Getenv("XDG_STATE_HOME"); dir != "" {
		return dir
	}
	return os.ExpandEnv("$HOME/.local/state")
}

// processes lists those whose arguments hold one of the words. Zombies have no arguments.
func processes(words ...string) []string {
	var found []string
	files, _ := filepath.Glob("/proc/[0-9]*/cmdline")
	for _, file := range files {
		data, err := os.ReadFile(file)
		if err != nil {
			continue
		}
		args := string(bytes.ReplaceAll(data, []byte{0}, []byte{' '}))
		for _, word := range words {
			if strings.Contains(args, word) {
				found = append(found, fmt.Sprint(filepath.Base(filepath.Dir(file)), " ", args))
				break
			}
		}
	}
	return found
}

func nothingLeft(t *testing.T, before map[string][]string) {
	t.Helper()
	after := snapshot(t)
	for kind := range before {
		if left := added(before[kind], after[kind]); len(left) > 0 {
			t.Errorf("%s left behind:\n%s", kind, strings.Join(left, "\n"))
		}
	}
}

// added are the lines of after that are not in before.
func added(before, after []string) []string {
	seen := map[string]bool{}
	for _, line := range before {
		seen[line] = true
	}
	var lines []string
	for _, line := range after {
		if !seen[line] {
			lines = append(lines, line)
		}
	}
	return lines
}
