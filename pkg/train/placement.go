package train

import (
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"

	"github.com/kubectl-summarizer/kubectl-summarizer/pkg/catalog"
)

// Labels of GKE's nodes.
const (
	gkeAccelerator  = "cloud.google.com/gke-accelerator"
	gkeDriver       = "cloud.google.com/gke-gpu-driver-version"
	gkeSpot         = "cloud.google.com/gke-spot"
	gkeComputeClass = "cloud.google.com/compute-class"
	gkeSharing      = "cloud.google.com/gke-gpu-sharing-strategy"
	gkePartition    = "cloud.google.com/gke-gpu-partition-size"
)

func (o *Options) onGKE() bool { return o.Platform == GKEAutopilot || o.Platform == GKEStandard }

// affinity of the training pods: what a node must have or lack that no single label says, by the rules of the chart. A
// training takes all of a GPU's memory, and GKE would let it onto a shared one.
func (p *plan) affinity() *corev1.Affinity {
	o := &p.options
	if p.gpusPerNode() == 0 {
		return nil
	}
	var all []corev1.NodeSelectorRequirement
	known, err := catalog.FindAccelerator(o.Accelerator)
	switch {
	case o.Platform == NVIDIANodes && err == nil:
		all = append(all, corev1.NodeSelectorRequirement{Key: "nvidia.com/gpu.product", Operator: corev1.NodeSelectorOpIn, Values: known.Products})
	case o.Platform == NVIDIANodes:
		all = append(all, corev1.NodeSelectorRequirement{Key: "nvidia.com/gpu.product", Operator: corev1.NodeSelectorOpIn, Values: []string{o.Accelerator}})
	case o.Platform == EKSNodes && err == nil && len(known.EKSInstanceTypes) > 0:
		all = append(all, corev1.NodeSelectorRequirement{Key: corev1.LabelInstanceTypeStable, Operator: corev1.NodeSelectorOpIn, Values: known.EKSInstanceTypes})
	case o.Platform == GKEStandard:
		for _, label := range []string{gkeSharing, gkePartition} {
			_, asked := o.NodeSelector[label]
			if _, chosen := o.NodeSelector[gkeComputeClass]; !asked && !chosen {
				all = append(all, corev1.NodeSelectorRequirement{Key: label, Operator: corev1.NodeSelectorOpDoesNotExist})
			}
		}
	}
	if len(all) == 0 {
		return nil
	}
	return &corev1.Affinity{NodeAffinity: &corev1.NodeAffinity{RequiredDuringSchedulingIgnoredDuringExecution: &corev1.NodeSelector{
		NodeSelectorTerms: []corev1.NodeSelectorTerm{{MatchExpressions: all}},
	}}}
}

// nodeSelector of the training pods, by the rules of the chart.
func (p *plan) nodeSelector() map[string]string {
	o := &p.options
	own := map[string]string{}
	// A ComputeClass chooses GPU, driver and Spot itself, and GKE refuses to have them chosen twice.
	if _, chosen := o.NodeSelector[gkeComputeClass]; o.onGKE() && !chosen {
		if p.gpusPerNode() > 0 {
			own[gkeAccelerator] = o.Accelerator
			if driver := p.driverVersion(); driver != "" {
				own[gkeDriver] = driver
			}
		}
		if o.Spot {
			own[gkeSpot] = "true"
		}
	}
	return merged(own, o.NodeSelector)
}

// driverVersion is the newest on Autopilot, which vLLM's CUDA needs and which is installed on demand. On Standard
// the node pool has chosen: asked for without need, it could match no node.
func (p *plan) driverVersion() string {
	switch {
	case p.options.DriverVersion != nil:
		return *p.options.DriverVersion
	case p.options.Platform == GKEAutopilot:
		return "latest"
	}
	return ""
}

// topology is what of the node selector holds for the pods without GPU too: the volume comes into being in the
// zone of the first of them, and the training has to be able to follow it there.
func (p *plan) topology() map[string]string {
	var zone map[string]string
	for label, value := range p.options.NodeSelector {
		if strings.HasPrefix(label, "topology.kubernetes.io/") {
			zone = merged(zone, map[string]string{label: value})
		}
	}
	return zone
}

// tolerations of the training pods. GPU nodes are tainted with the resource's name, or with nvidia.com/gpu
// whatever a shared or partitioned GPU is called; only GKE adds the toleration by itself. Spot node pools of GKE
// Standard often have a taint.
func (p *plan) tolerations() []corev1.Toleration {
	var own []corev1.Toleration
	if p.gpusPerNode() > 0 {
		keys := []string{p.options.GPUResource}
		if strings.HasPrefix(p.options.GPUResource, "nvidia.com/") {
			keys = append(keys, "nvidia.com/gpu")
		}
		for _, key := range slices.Compact(keys) {
			own = append(own, corev1.Toleration{Key: key, Operator: corev1.TolerationOpExists, Effect: corev1.TaintEffectNoSchedule})
		}
	}
	if p.options.Spot && p.options.onGKE() {
		own = append(own, corev1.Toleration{Key: gkeSpot, Operator: corev1.TolerationOpEqual, Value: "true", Effect: corev1.TaintEffectNoSchedule})
	}
	return append(own, p.options.Tolerations...)
}

// grace returns the seconds between SIGTERM and SIGKILL that the training pod asks for, and those that it can
// count on when its node is taken away.
//
// GKE gives the pods of a Spot node 15 s of its 30 by default, whatever they ask for, and Autopilot takes at most
// 25 s of them. Elsewhere two minutes are enough to finish a step and write a checkpoint.
func (p *plan) grace() (asked, sure int64) {
	o := &p.options
	switch {
	case o.GracePeriodSeconds > 0:
		return o.GracePeriodSeconds, o.GracePeriodSeconds
	case o.Spot && o.Platform == GKEAutopilot:
		return 25, 25
	case o.Spot && o.Platform == GKEStandard:
		return 30, 15
	case o.Spot:
		return 30, 30
	}
	return 120, 120
}
