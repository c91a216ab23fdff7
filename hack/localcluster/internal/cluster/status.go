package cluster

import (
	"context"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"

	"github.com/kubectl-summarizer/kubectl-summarizer/hack/localcluster/internal/build"
)

// Status prints each component, node and URL, and reports whether all are well.
func (c *Cluster) Status(ctx context.Context, programs build.Programs, out io.Writer) (bool, error) {
	if !c.Exists() {
		fmt.Fprintf(out, "cluster %s does not exist: `localcluster up` makes it\n", c.Name)
		return false, nil
	}
	well := true
	table := tabwriter.NewWriter(out, 0, 4, 2, ' ', 0)
	fmt.Fprintln(table, "COMPONENT\tPID\tSTATE")
	for _, k := range c.components(programs) {
		record, alive := c.Table().Get(k.name)
		pid, state := fmt.Sprint(record.Pid), "running"
		switch {
		case !alive:
			pid, state = "-", "not running: `localcluster up` starts it"
		case k.healthy(ctx) != nil:
			state = fmt.Sprintf("not healthy: %v", k.healthy(ctx))
		}
		well = well && state == "running"
		fmt.Fprintf(table, "%s\t%s\t%s\n", k.name, pid, state)
	}
	fmt.Fprintln(table, "\nNODE\tGPUS\tSTATE")
	a, err := c.newAPI()
	if err != nil {
		return false, err
	}
	var list struct{ Items []nodeStatus }
	if err := a.get(ctx, "/api/v1/nodes", &list); err != nil {
		fmt.Fprintf(table, "-\t-\tthe API server does not answer: %v\n", err)
		well = false
	}
	for _, node := range list.Items {
		state := "ready"
		if ok, message := node.ready(); !ok {
			well, state = false, "not ready: "+message
		}
		if node.Metadata.Annotations[fakeAnnotation] == "fake" {
			state += ", simulated"
		}
		fmt.Fprintf(table, "%s\t%s\t%s\n", node.Metadata.Name, node.Status.Capacity["nvidia.com/gpu"], state)
	}
	if err := table.Flush(); err != nil {
		return false, err
	}
	inside := ""
	if c.RealNode {
		inside = " (in the cluster http://hub.local-hub.svc)"
	}
	fmt.Fprintf(out, "\nAPI server  %s\nHub         %s%s\nkubeconfig  %s\n", c.Server(), c.HubURL(), inside, c.Kubeconfig())
	return well, nil
}

// HubURL is where the Hub stand-in answers on this machine.
func (c *Cluster) HubURL() string { return fmt.Sprintf("http://%s:%d", c.NodeIP, c.Ports["hub"]) }

// ComponentNames are the names that `logs` takes.
func (c *Cluster) ComponentNames(programs build.Programs) string {
	var names []string
	for _, k := range c.components(programs) {
		names = append(names, k.name)
	}
	return strings.Join(names, ", ")
}
