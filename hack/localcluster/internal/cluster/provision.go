package cluster

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// provisionerName is the provisioner of the default StorageClass.
const provisionerName = "localcluster/local-volume"

// selectedNode is where the scheduler writes the node that it chose for a claim's first pod.
const selectedNode = "volume.kubernetes.io/selected-node"

type claim struct {
	Metadata struct {
		Name, Namespace, UID string
		Annotations          map[string]string
	}
	Spec struct {
		StorageClassName, VolumeMode, VolumeName string
		AccessModes                              []string
		Resources                                struct{ Requests map[string]string }
	}
	Status struct{ Phase string }
}

type volume struct {
	Metadata struct {
		Name        string
		Annotations map[string]string
	}
	Status struct{ Phase string }
}

// Provision makes a folder and a local PersistentVolume for each claim on the default StorageClass,
// and removes both when the claim is gone. Sizes are not enforced. It runs until ctx ends.
func (c *Cluster) Provision(ctx context.Context, log io.Writer) error {
	a, err := c.newAPI()
	if err != nil {
		return err
	}
	told := map[string]string{}
	for ctx.Err() == nil {
		if err := c.provisionOnce(ctx, a, log, told); err != nil {
			fmt.Fprintln(log, err)
		}
		select {
		case <-ctx.Done():
		case <-time.After(time.Second):
		}
	}
	return nil
}

func (c *Cluster) provisionOnce(ctx context.Context, a *api, log io.Writer, told map[string]string) error {
	var claims struct{ Items []claim }
	if err := a.get(ctx, "/api/v1/persistentvolumeclaims", &claims); err != nil {
		return err
	}
	for _, k := range claims.Items {
		if k.Status.Phase != "Pending" || k.Spec.StorageClassName != "standard-rwo" || k.Spec.VolumeName != "" || k.Metadata.Annotations[selectedNode] == "" {
			continue
		}
		err := c.provide(ctx, a, k)
		// A claim that cannot be met is tried again each second: say it once.
		if message := fmt.Sprint(err); err != nil && told[k.Metadata.UID] != message {
			told[k.Metadata.UID] = message
			fmt.Fprintf(log, "claim %s/%s: %v\n", k.Metadata.Namespace, k.Metadata.Name, err)
			c.warn(ctx, a, k, message)
		}
	}
	var volumes struct{ Items []volume }
	if err := a.get(ctx, "/api/v1/persistentvolumes", &volumes); err != nil {
		return err
	}
	for _, v := range volumes.Items {
		if v.Status.Phase != "Released" || v.Metadata.Annotations["pv.kubernetes.io/provisioned-by"] != provisionerName {
			continue
		}
		if err := os.RemoveAll(c.volumeDir(v.Metadata.Name)); err != nil {
			return err
		}
		if err := a.remove(ctx, "/api/v1/persistentvolumes/"+v.Metadata.Name); err != nil {
			return err
		}
		fmt.Fprintf(log, "removed volume %s\n", v.Metadata.Name)
	}
	return nil
}

func (c *Cluster) provide(ctx context.Context, a *api, k claim) error {
	node := k.Metadata.Annotations[selectedNode]
	if node != NodeName {
		return fmt.Errorf("node %s is simulated: no volume can be there", node)
	}
	for _, mode := range k.Spec.AccessModes {
		if !slices.Contains([]string{"ReadWriteOnce", "ReadWriteOncePod"}, mode) {
			return fmt.Errorf("access mode %s is not offered: like GKE's standard-rwo this class has ReadWriteOnce only", mode)
		}
	}
	if k.Spec.VolumeMode == "Block" {
		return fmt.Errorf("volume mode Block is not offered")
	}
	name := "pvc-" + k.Metadata.UID
	// The kubelet gives it to the pod's fsGroup; others on this machine have no business in it.
	if err := os.MkdirAll(c.volumeDir(name), 0o770); err != nil {
		return err
	}
	err := a.create(ctx, "/api/v1/persistentvolumes", map[string]any{
		"apiVersion": "v1", "kind": "PersistentVolume",
		"metadata": map[string]any{"name": name, "annotations": map[string]string{"pv.kubernetes.io/provisioned-by": provisionerName}},
		"spec": map[string]any{
			"capacity":                      map[string]string{"storage": k.Spec.Resources.Requests["storage"]},
			"accessModes":                   k.Spec.AccessModes,
			"persistentVolumeReclaimPolicy": "Delete",
			"storageClassName":              k.Spec.StorageClassName,
			"local":                         map[string]string{"path": c.volumeDir(name)},
			"claimRef":                      map[string]string{"apiVersion": "v1", "kind": "PersistentVolumeClaim", "namespace": k.Metadata.Namespace, "name": k.Metadata.Name, "uid": k.Metadata.UID},
			"nodeAffinity": map[string]any{"required": map[string]any{"nodeSelectorTerms": []any{map[string]any{
				"matchExpressions": []any{map[string]any{"key": "kubernetes.io/hostname", "operator": "In", "values": []string{node}}}}}}},
		},
	})
	var status *statusError
	if errors.As(err, &status) && status.code == 409 {
		return nil
	}
	return err
}

func (c *Cluster) warn(ctx context.Context, a *api, k claim, message string) {
	now := time.Now().UTC().Format(time.RFC3339)
	_ = a.create(ctx, "/api/v1/namespaces/"+k.Metadata.Namespace+"/events", map[string]any{
		"apiVersion": "v1", "kind": "Event",
		"metadata":       map[string]string{"generateName": k.Metadata.Name + ".", "namespace": k.Metadata.Namespace},
		"involvedObject": map[string]string{"apiVersion": "v1", "kind": "PersistentVolumeClaim", "name": k.Metadata.Name, "namespace": k.Metadata.Namespace, "uid": k.Metadata.UID},
		"type":           "Warning", "reason": "ProvisioningFailed", "message": message,
		"source": map[string]string{"component": provisionerName}, "firstTimestamp": now, "lastTimestamp": now, "count": 1,
	})
}

// volumeDir is a volume's folder; a name cannot lead out of the volumes.
func (c *Cluster) volumeDir(name string) string {
	return c.path("volumes", strings.ReplaceAll(filepath.Base(name), "..", "_"))
}
