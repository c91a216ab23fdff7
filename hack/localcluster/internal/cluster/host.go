package cluster

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
)

// bridge connects the pods; one machine can be the node of one cluster only.
const bridge = "lc-bridge"

// outside are folders beyond the state directory that containerd and the kubelet make.
var outside = []string{"/run/containerd", "/var/lib/kubelet", "/run/cni", "/var/lib/cni", "/var/log/pods", "/var/log/containers", "/run/runc"}

// remember notes what the machine looked like before, once.
func (c *Cluster) remember() error {
	if c.Sysctls != nil {
		return nil
	}
	c.Sysctls = readSysctls()
	for _, dir := range outside {
		if _, err := os.Stat(dir); os.IsNotExist(err) {
			c.Created = append(c.Created, dir)
		}
	}
	return c.save()
}

// prepareHost makes what the node's components need of the kernel.
func (c *Cluster) prepareHost() error {
	// Before anything changes: loading a module does, too.
	if err := c.remember(); err != nil {
		return err
	}
	if err := setSysctls(); err != nil {
		return err
	}
	for _, dir := range c.cgroups() {
		if err := passDown(filepath.Dir(dir)); err != nil {
			return err
		}
		if err := os.MkdirAll(dir, 0o755); err != nil {
			return fmt.Errorf("make the node's control group: %w", err)
		}
	}
	return os.MkdirAll(c.RunDir(), 0o711)
}

// passDown lets the groups below a cgroup2 mount use what the kubelet asks for. systemd passes down only what
// its own units need, which leaves out cpuset and hugetlb.
func passDown(root string) error {
	available, err := os.ReadFile(filepath.Join(root, "cgroup.controllers"))
	if os.IsNotExist(err) {
		return nil // cgroup v1: each controller has a hierarchy of its own
	}
	if err != nil {
		return err
	}
	for _, controller := range strings.Fields(string(available)) {
		if !slices.Contains([]string{"cpu", "cpuset", "memory", "hugetlb", "pids", "io"}, controller) {
			continue
		}
		if err := os.WriteFile(filepath.Join(root, "cgroup.subtree_control"), []byte("+"+controller), 0o644); err != nil {
			return fmt.Errorf("let control groups below %s use %s: %w: the kubelet needs it; in a container run without root, or use --no-node", root, controller, err)
		}
	}
	return nil
}

// cgroups are the cluster's control groups, one for each mounted hierarchy.
func (c *Cluster) cgroups() []string {
	var dirs []string
	for _, mount := range mounts() {
		if mount.kind == "cgroup" || mount.kind == "cgroup2" {
			dirs = append(dirs, filepath.Join(mount.path, "localcluster-"+c.Name))
		}
	}
	return dirs
}

type mount struct{ path, kind string }

// mounts are the machine's mounts in the order in which they were made.
func mounts() []mount {
	data, err := os.ReadFile("/proc/self/mounts")
	if err != nil {
		return nil
	}
	return parseMounts(string(data))
}

func parseMounts(text string) []mount {
	var all []mount
	for line := range strings.Lines(text) {
		fields := strings.Fields(line)
		if len(fields) < 3 {
			continue
		}
		// The kernel writes blanks in names as octal.
		path := strings.NewReplacer(`\040`, " ", `\011`, "\t", `\012`, "\n", `\134`, `\`).Replace(fields[1])
		all = append(all, mount{path, fields[2]})
	}
	return all
}

// unmountBelow unmounts everything under the folders, the last mounted first.
func unmountBelow(dirs ...string) error {
	all := mounts()
	slices.Reverse(all)
	var failed []string
	for _, m := range all {
		for _, dir := range dirs {
			if m.path == dir || strings.HasPrefix(m.path, dir+"/") {
				// Lazily when something still has a file open: it ends with its process.
				if exec.Command("umount", m.path).Run() != nil && exec.Command("umount", "-l", m.path).Run() != nil {
					failed = append(failed, m.path)
				}
			}
		}
	}
	if len(failed) > 0 {
		return fmt.Errorf("still mounted: %s", strings.Join(failed, ", "))
	}
	return nil
}

// killGroup kills every process in a control group and below. A group that goes away meanwhile has none.
func killGroup(dir string) {
	for _, group := range groupsBelow(dir) {
		data, _ := os.ReadFile(filepath.Join(group, "cgroup.procs"))
		for _, field := range strings.Fields(string(data)) {
			if pid, err := strconv.Atoi(field); err == nil && pid > 1 {
				_ = syscall.Kill(pid, syscall.SIGKILL)
			}
		}
	}
}

// removeGroup removes a control group and those below.
func removeGroup(dir string) error {
	var last error
	for _, group := range groupsBelow(dir) {
		if err := syscall.Rmdir(group); err != nil && !errors.Is(err, syscall.ENOENT) {
			last = fmt.Errorf("remove control group %s: %w", group, err)
		}
	}
	return last
}

// groupsBelow lists a control group and those below it, the deepest first.
func groupsBelow(dir string) []string {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil
	}
	var groups []string
	for _, entry := range entries {
		if entry.IsDir() {
			groups = append(groups, groupsBelow(filepath.Join(dir, entry.Name()))...)
		}
	}
	return append(groups, dir)
}
