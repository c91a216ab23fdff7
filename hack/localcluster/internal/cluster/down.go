package cluster

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"
)

// order is in which processes end: first those that would start something again, etcd last.
var order = []string{
	"kubelet", "kube-proxy", "kwok", "provisioner", "kube-controller-manager", "kube-scheduler",
	"coredns", "hub", "kube-apiserver", "etcd",
}

// Down ends everything of the cluster and removes it; what it could not remove is in the error. It works on any
// remains of a cluster, however it ended, and keeps only the cache.
func (c *Cluster) Down(ctx context.Context, log io.Writer) error {
	var failed []error
	note := func(err error) {
		if err != nil {
			failed = append(failed, err)
		}
	}
	table := c.Table()
	for _, name := range order {
		note(table.Stop(name, stopGrace(name)))
	}
	note(c.endOrphans(log))
	if c.ownsNode() {
		note(c.clearNode(ctx, log))
	}
	if len(failed) > 0 {
		return fmt.Errorf("cluster %s is not quite gone; `localcluster down` again when the cause is: %w", c.Name, errors.Join(failed...))
	}
	if err := os.RemoveAll(c.State); err != nil {
		return err
	}
	fmt.Fprintf(log, "cluster %s is gone; the cache stays in %s\n", c.Name, c.Cache)
	return nil
}

// stopGrace is how long a process may take to end before it is killed: all but the kubelet and the Hub, which may
// be writing a file, and containerd, whose database is in the cache, lose nothing.
func stopGrace(name string) time.Duration {
	switch name {
	case "containerd":
		return 10 * time.Second
	case "kubelet", "hub":
		return 3 * time.Second
	}
	return 0
}

// ownsNode is true unless another cluster has the machine's node: what that one made looks the same.
func (c *Cluster) ownsNode() bool {
	owner, err := os.ReadFile(nodeOwner)
	if err != nil {
		return c.RealNode
	}
	return string(owner) == c.State
}

// clearNode removes what pods leave on the machine.
func (c *Cluster) clearNode(ctx context.Context, log io.Writer) error {
	var failed []error
	note := func(err error) {
		if err != nil {
			failed = append(failed, err)
		}
	}
	for _, dir := range c.cgroups() {
		killGroup(dir)
	}
	if _, alive := c.Table().Get("containerd"); alive {
		// What fails here is tried again by the next `up`, which finds the containers in the store.
		_, _ = c.removeContainers(ctx)
	}
	note(c.Table().Stop("containerd", stopGrace("containerd")))
	for _, shim := range c.shims() {
		note(shim.End("a container's shim", 0))
	}
	note(unmountBelow(c.RunDir(), c.path("kubelet")))
	if _, err := os.Stat("/sys/class/net/" + bridge); err == nil {
		note(run("ip", "link", "delete", bridge))
	}
	for _, family := range []string{"ip", "ip6"} {
		if exec.Command("nft", "list", "table", family, "kube-proxy").Run() == nil {
			note(run("nft", "delete", "table", family, "kube-proxy"))
		}
	}
	for _, dir := range c.cgroups() {
		// A killed process leaves its group a moment after it is gone.
		note(until(ctx, 10*time.Second, func(context.Context) error {
			killGroup(dir)
			return removeGroup(dir)
		}))
	}
	restoreSysctls(c.Sysctls)
	note(c.removeCreated(log))
	c.removeLogLinks()
	note(os.RemoveAll(c.RunDir()))
	if len(failed) == 0 {
		note(os.RemoveAll(nodeOwner))
	}
	return errors.Join(failed...)
}

// removeLogLinks removes the links to pods' logs that the kubelet makes in a folder of the system.
func (c *Cluster) removeLogLinks() {
	const dir = "/var/log/containers"
	entries, _ := os.ReadDir(dir)
	for _, entry := range entries {
		path := filepath.Join(dir, entry.Name())
		if target, err := os.Readlink(path); err == nil && strings.HasPrefix(target, c.State+"/") {
			_ = os.Remove(path)
		}
	}
}

func run(name string, args ...string) error {
	if out, err := exec.Command(name, args...).CombinedOutput(); err != nil {
		return fmt.Errorf("%s %v: %w: %s", name, args, err, out)
	}
	return nil
}
