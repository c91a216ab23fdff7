package cluster

import (
	"fmt"
	"path/filepath"
	"slices"
	"strings"
)

// endOrphans ends what an `up` that was killed has started and not recorded.
func (c *Cluster) endOrphans() error { return c.Table().EndUnrecorded(c.started) }

// started says whether a command line is one of this cluster's components. A user's own kubectl names the
// state directory too, so that this alone is not enough.
func (c *Cluster) started(args []string) bool {
	program := filepath.Base(args[0])
	switch {
	case program == "localcluster" && len(args) > 1 && args[1] == "hub":
		return slices.Contains(args, fmt.Sprintf("%s:%d", c.NodeIP, c.Ports["hub"]))
	case program == "localcluster" && len(args) > 1 && args[1] == "provisioner":
		return slices.Contains(args, c.Name)
	case program == "containerd" || slices.Contains(order, program):
		return slices.ContainsFunc(args[1:], func(arg string) bool { return strings.Contains(arg, c.State+"/") })
	}
	return false
}
