package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"runtime"
	"time"

	"github.com/kubectl-summarizer/kubectl-summarizer/hack/localcluster/internal/build"
	"github.com/kubectl-summarizer/kubectl-summarizer/hack/localcluster/internal/cluster"
)

func up(flags *flag.FlagSet) action {
	fallback := cluster.DefaultShape()
	gpus := flags.Int("gpus", fallback.GPUs, "GPUs that the real node reports")
	nodes := flags.Int("nodes", fallback.FakeNodes, "simulated nodes (their pods only pretend to run)")
	nodeGPUs := flags.Int("node-gpus", fallback.FakeGPUs, "GPUs of each simulated node")
	accelerator := flags.String("accelerator", fallback.Accelerator, "GKE's name of the GPU, for all nodes")
	sharing := flags.String("sharing", fallback.Sharing, "GPU sharing strategy: time-sharing or mps")
	clients := flags.Int("max-shared-clients", fallback.MaxSharedClients, "clients for each shared GPU, 2 to 48")
	hpa := flags.Int("hpa-sync-seconds", fallback.HPASyncSeconds, "how often the HPA controller looks")
	noNode := flags.Bool("no-node", false, "no real node: nothing runs, objects and simulated nodes only")

	return func(ctx context.Context, c *cluster.Cluster, flags *flag.FlagSet, args []string) error {
		if len(args) > 0 {
			return usageError{fmt.Errorf("up takes no argument %q", args[0])}
		}
		shape := c.Shape
		if !c.Exists() {
			shape = fallback
		}
		// A flag that is not given leaves what an earlier `up` chose.
		flags.Visit(func(f *flag.Flag) {
			switch f.Name {
			case "gpus":
				shape.GPUs = *gpus
			case "nodes":
				shape.FakeNodes = *nodes
			case "node-gpus":
				shape.FakeGPUs = *nodeGPUs
			case "accelerator":
				shape.Accelerator = *accelerator
			case "sharing":
				shape.Sharing = *sharing
				if *sharing == "" {
					shape.MaxSharedClients = 0
				}
			case "max-shared-clients":
				shape.MaxSharedClients = *clients
			case "hpa-sync-seconds":
				shape.HPASyncSeconds = *hpa
			}
		})
		if err := shape.Validate(); err != nil {
			return usageError{err}
		}
		realNode := !*noNode && (!c.Exists() || c.RealNode)
		return start(ctx, c, realNode, shape)
	}
}

func start(ctx context.Context, c *cluster.Cluster, realNode bool, shape cluster.Shape) error {
	unlock, err := c.Lock()
	if err != nil {
		return err
	}
	defer unlock()
	if realNode && (runtime.GOOS != "linux" || os.Geteuid() != 0) {
		if c.Exists() {
			return errors.New("this cluster has a real node: only root on Linux can repair it")
		}
		realNode = false
		fmt.Fprintln(os.Stderr, "not root on Linux: simulated nodes only. Pods are scheduled and admitted, but nothing in them runs: no logs, no exec, no port-forward, no Service answers, no model server.")
	}
	if !realNode && shape.FakeNodes == 0 {
		shape.FakeNodes = 1
	}
	if realNode {
		if err := build.EnsurePackages(ctx, os.Stderr); err != nil {
			return err
		}
	}
	programs, err := build.Ensure(ctx, c.Cache, sourceDir(), os.Stderr)
	if err != nil {
		return err
	}
	started := time.Now()
	if err := c.Up(ctx, programs, realNode, shape, os.Stderr); err != nil {
		return err
	}
	fmt.Printf("cluster %s is up (%.1f s)\n  export KUBECONFIG=%s\n  kubectl: %s\n", c.Name, time.Since(started).Seconds(), c.Kubeconfig(), programs.Path("kubectl"))
	return nil
}
