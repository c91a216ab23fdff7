// Package build makes the programs that a cluster consists of, once, into the cache.
package build

import (
	"bufio"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"time"
)

// KubernetesVersion is the release that servers/go.mod builds and that the servers report.
const KubernetesVersion = "v1.37.2"

// program is one link step. The Go build cache is shared, so that what two programs have in common
// compiles once.
type program struct {
	name, pkg, ldflags string
}

// kubernetesLdflags tell the servers their release: without them they say
// v0.0.0-master and kubectl complains about the distance.
const kubernetesLdflags = "-X k8s.io/component-base/version.gitVersion=" + KubernetesVersion +
	" -X k8s.io/component-base/version.gitMajor=1 -X k8s.io/component-base/version.gitMinor=37"

var programs = []program{
	{"podtool", "./podtool", ""},
	{"etcd", "./etcd", ""},
	{"kube", "./kube", kubernetesLdflags},
	{"kubectl", "k8s.io/kubernetes/cmd/kubectl", kubernetesLdflags},
	{"coredns", "./coredns", ""},
	{"kwok", "sigs.k8s.io/kwok/cmd/kwok", ""},
}

// servers are the names that the kube program answers to.
var servers = []string{"kube-apiserver", "kube-controller-manager", "kube-scheduler", "kube-proxy", "kubelet"}

// stages are what KWOK does to a simulated node and its pods, as its own module ships them.
var stages = []string{
	"kustomize/stage/node/fast/node-initialize.yaml",
	"kustomize/stage/node/heartbeat-with-lease/node-heartbeat-with-lease.yaml",
	"kustomize/stage/pod/fast/pod-ready.yaml",
	"kustomize/stage/pod/fast/pod-complete.yaml",
	"kustomize/stage/pod/fast/pod-delete.yaml",
}

// Programs is a folder with everything built.
type Programs string

// Path is where a program lies.
func (p Programs) Path(name string) string { return filepath.Join(string(p), "bin", name) }

// Stages is the file with KWOK's stages.
func (p Programs) Stages() string { return filepath.Join(string(p), "kwok-stages.yaml") }

// Find is the folder under cache for the sources in dir, and whether it is built already.
func Find(cache, dir string) (Programs, bool, error) {
	key, err := sourceKey(dir)
	if err != nil {
		return "", false, fmt.Errorf("the sources of the servers are not in %s: run it through hack/localcluster.sh (%w)", dir, err)
	}
	target := filepath.Join(cache, "localcluster", KubernetesVersion+"-"+key)
	_, err = os.Stat(filepath.Join(target, "done"))
	return Programs(target), err == nil, nil
}

// Ensure builds what is missing, with a line of progress every few seconds. Cold it takes about ten
// minutes on two cores; a second caller waits for the first.
func Ensure(ctx context.Context, cache, dir string, log io.Writer) (Programs, error) {
	target, done, err := Find(cache, dir)
	if err != nil || done {
		return target, err
	}
	if _, err := exec.LookPath("go"); err != nil {
		return "", fmt.Errorf("building the cluster needs Go: see https://go.dev/dl (%w)", err)
	}
	if err := os.MkdirAll(filepath.Join(string(target), "bin"), 0o755); err != nil {
		return "", err
	}
	unlock, err := lock(filepath.Join(string(target), "lock"), log)
	if err != nil {
		return "", err
	}
	defer unlock()
	if _, done, _ = Find(cache, dir); done {
		return target, nil
	}
	fmt.Fprintf(log, "building Kubernetes %s, etcd, CoreDNS and KWOK once into %s (up to 15 minutes cold on 2 cores, then never again)\n", KubernetesVersion, target)
	started := time.Now()
	for i, p := range programs {
		label := fmt.Sprintf("build %s (%d of %d)", p.name, i+1, len(programs))
		if err := compile(ctx, dir, target.Path(p.name), p, label, log); err != nil {
			return "", err
		}
	}
	for _, name := range servers {
		if err := relink("kube", target.Path(name)); err != nil {
			return "", err
		}
	}
	if err := writeStages(ctx, dir, target.Stages()); err != nil {
		return "", err
	}
	fmt.Fprintf(log, "built all in %s\n", time.Since(started).Round(time.Second))
	return target, os.WriteFile(filepath.Join(string(target), "done"), nil, 0o644)
}

func compile(ctx context.Context, dir, out string, p program, label string, log io.Writer) error {
	// -v prints each package when it is compiled: the only progress that the compiler gives.
	cmd := exec.CommandContext(ctx, "go", "build", "-v", "-trimpath", "-ldflags", strings.TrimSpace("-s -w "+p.ldflags), "-o", out+".new", p.pkg)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0", "GOWORK=off", "GOFLAGS=-mod=readonly -buildvcs=false")
	stderr, err := cmd.StderrPipe()
	if err != nil {
		return err
	}
	started := time.Now()
	if err := cmd.Start(); err != nil {
		return fmt.Errorf("%s: %w", label, err)
	}
	fmt.Fprintln(log, label)
	lines := make(chan string)
	go func() {
		defer close(lines)
		for scanner := bufio.NewScanner(stderr); scanner.Scan(); {
			lines <- scanner.Text()
		}
	}()
	var tail []string
	compiled := 0
	tick := time.NewTicker(5 * time.Second)
	defer tick.Stop()
	for open := true; open; {
		select {
		case line, ok := <-lines:
			if open = ok; !ok {
				continue
			}
			compiled++
			if tail = append(tail, line); len(tail) > 30 {
				tail = tail[1:]
			}
		case <-tick.C:
			fmt.Fprintf(log, "%s: %d packages, %s\n", label, compiled, time.Since(started).Round(time.Second))
		}
	}
	if err := cmd.Wait(); err != nil {
		return fmt.Errorf("%s: %w\n%s", label, err, strings.Join(tail, "\n"))
	}
	fmt.Fprintf(log, "%s: done in %s\n", label, time.Since(started).Round(time.Second))
	return os.Rename(out+".new", out)
}

func writeStages(ctx context.Context, dir, out string) error {
	cmd := exec.CommandContext(ctx, "go", "list", "-m", "-f", "{{.Dir}}", "sigs.k8s.io/kwok")
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "GOWORK=off")
	module, err := cmd.Output()
	if err != nil {
		return fmt.Errorf("find the KWOK module: %w", err)
	}
	var all []byte
	for _, name := range stages {
		data, err := os.ReadFile(filepath.Join(strings.TrimSpace(string(module)), name))
		if err != nil {
			return err
		}
		all = append(append(all, "---\n"...), data...)
	}
	return os.WriteFile(out, all, 0o644)
}

func relink(target, link string) error {
	if err := os.Remove(link); err != nil && !os.IsNotExist(err) {
		return err
	}
	return os.Symlink(target, link)
}

// sourceKey changes with everything that decides what is built.
func sourceKey(dir string) (string, error) {
	hash := sha256.New()
	fmt.Fprintln(hash, runtime.Version(), runtime.GOOS, runtime.GOARCH, programs, stages)
	sources := os.DirFS(dir)
	err := fs.WalkDir(sources, ".", func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		data, err := fs.ReadFile(sources, path)
		if err != nil {
			return err
		}
		fmt.Fprintln(hash, path, len(data))
		_, err = hash.Write(data)
		return err
	})
	return hex.EncodeToString(hash.Sum(nil))[:10], err
}

func lock(path string, log io.Writer) (func(), error) {
	file, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o644)
	if err != nil {
		return nil, err
	}
	if syscall.Flock(int(file.Fd()), syscall.LOCK_EX|syscall.LOCK_NB) != nil {
		fmt.Fprintln(log, "waiting for another build of the cluster's programs")
		if err := syscall.Flock(int(file.Fd()), syscall.LOCK_EX); err != nil {
			return nil, err
		}
	}
	return func() { file.Close() }, nil
}
