package prepare

import (
	"fmt"
	"strings"
)

// eks makes a managed node group with eksctl.
func (r Request) eks() []Step {
	types := r.large(r.machine().ec2[r.GPUs])
	if r.Capacity != Spot {
		types = types[:1] // several types help to find Spot capacity only
	}
	var b strings.Builder
	fmt.Fprintf(&b, "apiVersion: eksctl.io/v1alpha5\nkind: ClusterConfig\nmetadata:\n  name: %s\n  region: %s\n", r.cluster(), r.location())
	fmt.Fprintf(&b, "managedNodeGroups:\n  - name: %s\n    instanceTypes: [%s]\n", r.pool(), strings.Join(types, ", "))
	if r.Capacity == Spot {
		b.WriteString("    spot: true\n")
	}
	fmt.Fprintf(&b, "    minSize: 0\n    desiredCapacity: 1\n    maxSize: %d\n    volumeSize: 100\n", r.Nodes)
	b.WriteString("    taints:\n      - key: nvidia.com/gpu\n        value: present\n        effect: NoSchedule\n")
	notes := append(r.sizeNote(),
		"# eksctl takes Amazon's image with NVIDIA's driver for these machines. The taint keeps other pods off them.",
		"# One node is made at once; without a cluster autoscaler or Karpenter there will never be another number by itself.",
		"# Its own device plugin is left out: the next step installs one whose configuration is ours.")
	if r.Accelerator == "nvidia-rtx-pro-6000" {
		notes = append(notes, "# The names of these machines are not verified.")
	}
	steps := append(r.variables(),
		Step{"Make the cluster, unless there is one", text("eksctl create cluster --name " + r.cluster() + " --region " + r.location() + " --node-type m6i.xlarge --nodes 2")},
		Step{"Point kubectl at it", text("aws eks update-kubeconfig --name " + r.cluster() + " --region " + r.location())},
		Step{"Make a node group", text(append(notes,
			"eksctl create nodegroup --install-nvidia-plugin=false -f - <<EOF\n"+b.String()+"EOF")...)})
	if r.Sharing == MIG {
		// Only the operator has a manager that cuts GPUs into parts; driver and toolkit are in the image.
		return append(steps, r.operator("--set driver.enabled=false", "--set toolkit.enabled=false"), r.partition(),
			r.seeGPUs("nvidia.com/mig-"+r.Partition), r.install())
	}
	return append(steps, r.plugin(), r.seeGPUs("nvidia.com/gpu"), r.install())
}

// plugin installs NVIDIA's device plugin without the operator.
func (r Request) plugin() Step {
	lines := []string{
		"helm repo add nvdp https://nvidia.github.io/k8s-device-plugin",
		"helm repo update nvdp",
	}
	// GPU feature discovery makes the labels by which the chart finds the GPU.
	install := []string{"helm upgrade --install nvdp nvdp/nvidia-device-plugin --namespace nvidia-device-plugin --create-namespace", "--set gfd.enabled=true"}
	if r.Sharing != None {
		lines = append(lines, "# Each GPU is offered "+fmt.Sprint(r.Clients)+" times, on all nodes of the cluster.",
			"cat >device-plugin.yaml <<EOF\n"+r.pluginConfig()+"EOF")
		install = append(install, "--set-file config.map."+r.configKey()+"=device-plugin.yaml", "--set config.default="+r.configKey())
	}
	return Step{"Install NVIDIA's device plugin", text(append(lines, command(install...))...)}
}
