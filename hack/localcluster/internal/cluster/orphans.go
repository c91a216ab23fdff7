package cluster

import (
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"slices"
	"strings"

	"github.com/kubectl-summarizer/kubectl-summarizer/hack/localcluster/internal/proc"
)

// endOrphans ends this cluster's processes that no record names: an `up` that is killed between a start and its
// record leaves one, which would hold its port for ever.
func (c *Cluster) endOrphans(log io.Writer) error {
	var failed []error
	for _, p := range proc.Running(func(args []string) bool { return c.componentOf(args) != "" }) {
		name := c.componentOf(p.Args)
		if record, alive := c.Table().Get(name); alive && record.Pid == p.Pid {
			continue
		}
		fmt.Fprintf(log, "ending %s (process %d), which a killed `up` has left behind\n", name, p.Pid)
		failed = append(failed, p.End(name, stopGrace(name)))
	}
	return errors.Join(failed...)
}

// componentOf is the component of this cluster that a process with these arguments is, or "". A program alone is
// not enough, and neither is the state directory: other clusters have the same programs, and a user's kubectl
// or pager names the directory too.
func (c *Cluster) componentOf(args []string) string {
	name := filepath.Base(args[0])
	if name == "localcluster" && len(args) > 1 {
		name = args[1]
	}
	if name != "containerd" && !slices.Contains(order, name) {
		return ""
	}
	for _, arg := range args[1:] {
		if strings.HasPrefix(arg, "-") {
			_, arg, _ = strings.Cut(arg, "=")
		}
		if arg == c.State || strings.HasPrefix(arg, c.State+"/") {
			return name
		}
	}
	return ""
}

// shims are the processes that containerd leaves with each pod, found by containerd's address in
// their arguments.
func (c *Cluster) shims() []proc.Record {
	return proc.Running(func(args []string) bool {
		return strings.Contains(args[0], "containerd-shim") && slices.Contains(args, c.RunDir()+"/containerd.sock")
	})
}
