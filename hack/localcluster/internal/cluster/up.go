package cluster

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/kubectl-summarizer/kubectl-summarizer/hack/localcluster/internal/build"
)

// nodeOwner names the cluster that this machine is the node of.
const nodeOwner = "/run/localcluster-node"

// Up starts what is not running and repairs what is; log gets a line for each step that takes time.
// programs are built already.
func (c *Cluster) Up(ctx context.Context, programs build.Programs, realNode bool, shape Shape, log io.Writer) error {
	fresh := !c.Exists()
	if realNode {
		if err := c.claimNode(); err != nil {
			return err
		}
	}
	if err := c.endOrphans(log); err != nil {
		return err
	}
	if err := c.decide(realNode, shape); err != nil {
		return err
	}
	if c.RealNode {
		if err := c.prepareHost(); err != nil {
			return err
		}
	}
	if err := c.writeFiles(); err != nil {
		return err
	}
	// The Hub stand-in refuses an empty root, and its models may be built later.
	if err := os.MkdirAll(filepath.Join(c.hubRoot(), "models"), 0o755); err != nil {
		return err
	}
	if err := c.stopBereft(programs); err != nil {
		return err
	}
	if err := c.start(c.base(programs), fresh, log); err != nil {
		return err
	}
	containers := make(chan error, 1)
	go func() { containers <- c.startContainerd(ctx, programs, fresh, log) }()
	a, err := c.newAPI()
	if err != nil {
		return err
	}
	apiErr := c.awaitAPI(ctx, a)
	containerErr := <-containers
	if apiErr != nil {
		return apiErr
	}
	if containerErr != nil {
		return c.explain(containerErr, "containerd")
	}
	rest := append(c.control(programs), c.node(programs)...)
	if err := c.start(rest, fresh, log); err != nil {
		return err
	}
	if err := c.stopUnwanted(programs); err != nil {
		return err
	}
	if err := c.applyManifests(ctx, programs); err != nil {
		return c.explain(err, "kube-apiserver")
	}
	if err := c.keepFakeNodes(ctx, a); err != nil {
		return err
	}
	if c.RealNode {
		started := c.Table().StartedAt("kubelet")
		if !fresh {
			// The API keeps seconds: a report of this one may still be the killed kubelet's.
			started = started.Add(time.Second)
		}
		if err := c.dressRealNode(ctx, a, started); err != nil {
			return c.explain(err, "kubelet", "containerd")
		}
		if err := c.awaitPods(ctx, a); err != nil {
			return c.explain(err, "kubelet")
		}
	}
	if err := c.awaitFakeNodes(ctx, a); err != nil {
		return err
	}
	if err := c.awaitHealth(ctx, rest); err != nil {
		return err
	}
	// A pod that comes before its namespace's account is refused.
	if err := until(ctx, 30*time.Second, func(ctx context.Context) error {
		return a.get(ctx, "/api/v1/namespaces/default/serviceaccounts/default", nil)
	}); err != nil {
		return c.explain(err, "kube-controller-manager")
	}
	return os.WriteFile(c.path("hub.url"), []byte(c.HubURL()+"\n"), 0o644)
}

// decide settles what stays the same for the life of a cluster, and takes over the shape.
func (c *Cluster) decide(realNode bool, shape Shape) error {
	if err := shape.Validate(); err != nil {
		return err
	}
	if c.Exists() && c.RealNode != realNode {
		return fmt.Errorf("cluster %s exists with real node: %v; `localcluster down` first, or give another --name", c.Name, c.RealNode)
	}
	ip := "127.0.0.1"
	if realNode {
		var err error
		if ip, err = machineIP(); err != nil {
			return err
		}
	}
	if c.Exists() && c.NodeIP != ip {
		return fmt.Errorf("this machine's address was %s when cluster %s began and is %s now: `localcluster down`, then `up`", c.NodeIP, c.Name, ip)
	}
	c.Shape = shape
	if !c.Exists() {
		ports, err := freePorts(ip)
		if err != nil {
			return err
		}
		networks, err := freeNetworks(3, usedPrefixes())
		if err != nil {
			return err
		}
		c.RealNode, c.Ports = realNode, ports
		c.ServiceCIDR, c.PodCIDR, c.FakePodCIDR = networks[0], networks[1], networks[2]
		c.NodeIP = ip
	}
	if err := os.MkdirAll(c.State, 0o755); err != nil {
		return err
	}
	return c.save()
}

// claimNode refuses a second cluster with a real node: kube-proxy's rules and the bridge exist once
// on a machine.
func (c *Cluster) claimNode() error {
	owner, err := os.ReadFile(nodeOwner)
	if err == nil && string(owner) != c.State {
		if _, err := os.Stat(filepath.Join(string(owner), "config.json")); err == nil {
			return fmt.Errorf("this machine is already the node of cluster %s: `localcluster down --name %[1]s`, or use --no-node", filepath.Base(string(owner)))
		}
	}
	return os.WriteFile(nodeOwner, []byte(c.State), 0o644)
}

// start starts those that do not run; on a repair it says which.
func (c *Cluster) start(components []component, fresh bool, log io.Writer) error {
	table := c.Table()
	for _, k := range components {
		stamp, err := k.stamp()
		if err != nil {
			return err
		}
		started, err := table.Start(k.name, k.args, stamp)
		if err != nil {
			return err
		}
		if started && !fresh {
			fmt.Fprintf(log, "started %s\n", k.name)
		}
	}
	return nil
}

// stopBereft ends what has lost the server that it lives on: it tries again ever more seldom, each loss within two
// minutes adding to the pauses, and by then may be blind for a minute (so blind that the node controller
// takes the kubelet for dead and every Service loses its pods). A new process asks at once.
func (c *Cluster) stopBereft(programs build.Programs) error {
	table := c.Table()
	if _, alive := table.Get("etcd"); !alive {
		if err := table.Stop("kube-apiserver", 0); err != nil {
			return err
		}
	}
	if _, alive := table.Get("kube-apiserver"); alive {
		return nil
	}
	for _, k := range append(c.control(programs), c.node(programs)...) {
		if !k.asksAPI {
			continue
		}
		if err := table.Stop(k.name, stopGrace(k.name)); err != nil {
			return err
		}
	}
	return nil
}

func (c *Cluster) startContainerd(ctx context.Context, programs build.Programs, fresh bool, log io.Writer) error {
	if !c.RealNode {
		return nil
	}
	only := slices.DeleteFunc(c.node(programs), func(k component) bool { return k.name != "containerd" })
	if err := c.start(only, fresh, log); err != nil {
		return err
	}
	if err := c.ensurePause(ctx, programs); err != nil || !fresh {
		return err
	}
	left, err := c.removeContainers(ctx)
	if err != nil || !left {
		return err
	}
	// containerd has read the removed ones into its memory.
	if err := c.Table().Stop("containerd", 10*time.Second); err != nil {
		return err
	}
	if err := c.start(only, fresh, log); err != nil {
		return err
	}
	return c.ensurePause(ctx, programs)
}

// stopUnwanted ends components that a changed shape no longer has.
func (c *Cluster) stopUnwanted(programs build.Programs) error {
	for _, k := range c.components(programs) {
		if k.name == "kwok" {
			return nil
		}
	}
	return c.Table().Stop("kwok", 5*time.Second)
}

func (c *Cluster) applyManifests(ctx context.Context, programs build.Programs) error {
	names := []string{"manifests/base.yaml", "manifests/autopilot.yaml"}
	if c.RealNode {
		names = append(names, "manifests/services.yaml")
	}
	var all bytes.Buffer
	for _, name := range names {
		data, err := c.render(name)
		if err != nil {
			return err
		}
		all.WriteString("\n---\n")
		all.Write(data)
	}
	// The API server makes kube-system a moment after it says that it is ready.
	return until(ctx, 30*time.Second, func(ctx context.Context) error {
		return c.apply(ctx, programs, all.Bytes())
	})
}
