package cluster

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"
)

// fakeAnnotation marks the nodes that KWOK plays, and only those.
const fakeAnnotation = "kwok.x-k8s.io/node"

// machine is what GKE couples to an accelerator: the machine family and the type for one GPU.
type machine struct{ family, kind string }

var machines = map[string]machine{
	"nvidia-l4":         {"g2", "g2-standard-8"},
	"nvidia-tesla-t4":   {"n1", "n1-standard-8"},
	"nvidia-tesla-a100": {"a2", "a2-highgpu-1g"},
	"nvidia-a100-80gb":  {"a2", "a2-ultragpu-1g"},
	"nvidia-h100-80gb":  {"a3", "a3-highgpu-1g"},
	"nvidia-h200-141gb": {"a3", "a3-ultragpu-8g"},
}

// labels are those that GKE puts on a node of a GPU pool. A nil value removes the label in a merge
// patch, so that sharing can be switched off again.
func (s Shape) labels(kind string, gpus int) map[string]any {
	m, known := machines[s.Accelerator]
	if !known {
		m = machine{"custom", "custom"}
	}
	labels := map[string]any{
		"localcluster/node":                               kind,
		"cloud.google.com/gke-accelerator":                s.Accelerator,
		"cloud.google.com/gke-accelerator-count":          strconv.Itoa(gpus),
		"cloud.google.com/gke-gpu":                        "true",
		"cloud.google.com/gke-gpu-driver-version":         "latest",
		"cloud.google.com/gke-nodepool":                   "gpu",
		"cloud.google.com/machine-family":                 m.family,
		"cloud.google.com/gke-gpu-sharing-strategy":       nil,
		"cloud.google.com/gke-max-shared-clients-per-gpu": nil,
		"node.kubernetes.io/instance-type":                m.kind,
		"topology.kubernetes.io/region":                   "us-central1",
		"topology.kubernetes.io/zone":                     "us-central1-a",
	}
	if gpus == 0 {
		for name := range labels {
			if strings.Contains(name, "gke-accelerator") || strings.Contains(name, "gke-gpu") {
				labels[name] = nil
			}
		}
		return labels
	}
	if s.Sharing != "" {
		labels["cloud.google.com/gke-gpu-sharing-strategy"] = s.Sharing
		labels["cloud.google.com/gke-max-shared-clients-per-gpu"] = strconv.Itoa(s.MaxSharedClients)
	}
	return labels
}

// capacity is what the device plugin reports: with sharing, each GPU counts once for each client.
func (s Shape) capacity(gpus int) string {
	return strconv.Itoa(gpus * max(1, s.MaxSharedClients))
}

// nodeStatus is the part of a node that this package reads.
type nodeStatus struct {
	Metadata struct {
		Name        string
		Annotations map[string]string
	}
	Status struct {
		Conditions []struct {
			Type, Status, Message string
			LastHeartbeatTime     time.Time
		}
		Capacity map[string]string
	}
}

func (n nodeStatus) ready() (bool, string) {
	return n.readySince(time.Time{})
}

// readySince takes only a report that is not older than after, to the second that the API keeps.
func (n nodeStatus) readySince(after time.Time) (bool, string) {
	for _, condition := range n.Status.Conditions {
		if condition.Type == "Ready" && !condition.LastHeartbeatTime.Before(after.Truncate(time.Second)) {
			return condition.Status == "True", condition.Message
		}
	}
	return false, "it has not reported yet"
}

// dressRealNode waits for the kubelet's node and gives it its labels and GPUs. The kubelet keeps
// extended resources that it does not know, but drops them when it starts anew: so
// this runs on each `up`, and waits for a report of a kubelet that was started at that time.
func (c *Cluster) dressRealNode(ctx context.Context, a *api, started time.Time) error {
	path := "/api/v1/nodes/" + NodeName
	gpus := c.Shape.capacity(c.Shape.GPUs)
	var node nodeStatus
	return until(ctx, 60*time.Second, func(ctx context.Context) error {
		node = nodeStatus{}
		if err := a.get(ctx, path, &node); err != nil {
			return err
		}
		if ok, message := node.readySince(started); !ok {
			return fmt.Errorf("node %s is not ready: %s", NodeName, message)
		}
		if err := a.merge(ctx, path, map[string]any{"metadata": map[string]any{"labels": c.Shape.labels("real", c.Shape.GPUs)}}); err != nil {
			return err
		}
		quantity := map[string]any{"nvidia.com/gpu": gpus}
		return a.merge(ctx, path+"/status", map[string]any{"status": map[string]any{"capacity": quantity, "allocatable": quantity}})
	})
}

// keepFakeNodes makes, changes or removes simulated nodes until there are as many as wanted.
func (c *Cluster) keepFakeNodes(ctx context.Context, a *api) error {
	var list struct{ Items []nodeStatus }
	if err := a.get(ctx, "/api/v1/nodes", &list); err != nil {
		return err
	}
	wanted := map[string]bool{}
	for i := range c.Shape.FakeNodes {
		wanted[fmt.Sprintf("fake-%d", i+1)] = true
	}
	for _, node := range list.Items {
		if node.Metadata.Annotations[fakeAnnotation] == "fake" && !wanted[node.Metadata.Name] {
			if err := a.remove(ctx, "/api/v1/nodes/"+node.Metadata.Name); err != nil {
				return err
			}
		}
	}
	for name := range wanted {
		if err := c.putFakeNode(ctx, a, name); err != nil {
			return fmt.Errorf("simulated node %s: %w", name, err)
		}
	}
	return nil
}

func (c *Cluster) putFakeNode(ctx context.Context, a *api, name string) error {
	gpus := c.Shape.FakeGPUs
	labels := c.Shape.labels("fake", gpus)
	labels["kubernetes.io/hostname"] = name
	labels["kubernetes.io/os"] = "linux"
	labels["kubernetes.io/arch"] = "amd64"
	// A real node fills first, and what asks for no GPU stays off simulated nodes: there it would
	// only pretend to run.
	taints := []map[string]string{{"key": fakeAnnotation, "value": "fake", "effect": "PreferNoSchedule"}}
	if c.RealNode {
		taints = append(taints, map[string]string{"key": "nvidia.com/gpu", "value": "present", "effect": "NoSchedule"})
	}
	resources := map[string]string{
		// The g2-standard-8 of one L4, times the number of GPUs.
		"cpu": strconv.Itoa(8 * gpus), "memory": strconv.Itoa(32*gpus) + "Gi", "ephemeral-storage": strconv.Itoa(200*gpus) + "Gi",
		"pods": "110", "nvidia.com/gpu": c.Shape.capacity(gpus),
	}
	node := map[string]any{
		"apiVersion": "v1", "kind": "Node",
		"metadata": map[string]any{"name": name, "labels": labels, "annotations": map[string]string{fakeAnnotation: "fake", "node.alpha.kubernetes.io/ttl": "0"}},
		"spec":     map[string]any{"taints": taints},
		"status":   map[string]any{"capacity": resources, "allocatable": resources},
	}
	patch := map[string]any{"metadata": node["metadata"], "spec": node["spec"]}
	err := a.merge(ctx, "/api/v1/nodes/"+name, patch)
	var status *statusError
	if errors.As(err, &status) && status.code == 404 {
		for key, value := range labels {
			if value == nil {
				delete(labels, key)
			}
		}
		return a.create(ctx, "/api/v1/nodes", node)
	}
	if err != nil {
		return err
	}
	return a.merge(ctx, "/api/v1/nodes/"+name+"/status", map[string]any{"status": node["status"]})
}

// awaitFakeNodes waits until KWOK has made the simulated nodes ready.
func (c *Cluster) awaitFakeNodes(ctx context.Context, a *api) error {
	return until(ctx, 30*time.Second, func(ctx context.Context) error {
		var list struct{ Items []nodeStatus }
		if err := a.get(ctx, "/api/v1/nodes", &list); err != nil {
			return err
		}
		for _, node := range list.Items {
			if ok, message := node.ready(); !ok && node.Metadata.Annotations[fakeAnnotation] == "fake" {
				return fmt.Errorf("simulated node %s is not ready: %s; see `localcluster logs kwok`", node.Metadata.Name, message)
			}
		}
		return nil
	})
}
