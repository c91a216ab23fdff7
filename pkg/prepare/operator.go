package prepare

import (
	"fmt"
	"slices"
	"strings"
)

// operatorNamespace is where the GPU operator's own instructions put it.
const operatorNamespace = "gpu-operator"

// pluginConfig is a configuration of NVIDIA's device plugin that shares each GPU.
func (r Request) pluginConfig() string {
	strategy := "timeSlicing"
	if r.Sharing == MPS {
		strategy = "mps"
	}
	return fmt.Sprintf(`version: v1
flags:
  migStrategy: none
sharing:
  %s:
    renameByDefault: false
    failRequestsGreaterThanOne: true
    resources:
      - name: nvidia.com/gpu
        replicas: %d
`, strategy, r.Clients)
}

func indent(yaml, by string) string {
	return by + strings.ReplaceAll(strings.TrimSuffix(yaml, "\n"), "\n", "\n"+by) + "\n"
}

// configKey names the configuration, in the ConfigMap and in the node's label.
func (r Request) configKey() string { return fmt.Sprintf("%s-%d", r.Sharing, r.Clients) }

// nodes selects the nodes with this GPU, by GPU feature discovery's label.
func (r Request) nodes() string {
	products := slices.Clone(r.gpu().Products)
	if r.Sharing == TimeSharing || r.Sharing == MPS {
		// A node that shares its GPUs already has another label.
		for _, p := range r.gpu().Products {
			products = append(products, p+"-SHARED")
		}
	}
	return "-l 'nvidia.com/gpu.product in (" + strings.Join(products, ",") + ")'"
}

// operator installs the GPU operator. More are further arguments for Helm.
func (r Request) operator(more ...string) Step {
	if r.Sharing == MIG {
		more = append(more, "--set mig.strategy=mixed")
	}
	return Step{"Install NVIDIA's GPU operator", text(
		"# Driver, container toolkit, device plugin and node labels. Where it is installed already, only what is set here changes.",
		"# Nodes whose image has the driver already need --set driver.enabled=false.",
		"helm repo add nvidia https://helm.ngc.nvidia.com/nvidia",
		"helm repo update nvidia",
		command(append([]string{"helm upgrade --install gpu-operator nvidia/gpu-operator --namespace " + operatorNamespace + " --create-namespace --reset-then-reuse-values --wait"}, more...)...))}
}

func (r Request) seeGPUs(resource string) Step {
	escaped := strings.ReplaceAll(resource, ".", `\.`)
	return Step{"See it", text(
		"# Each node with how many pods it can give a GPU, or a share of one, to.",
		`kubectl get nodes -o custom-columns='NODE:.metadata.name,GPU:.metadata.labels.nvidia\.com/gpu\.product,OFFERS:.status.allocatable.`+escaped+`'`)}
}

// partition labels nodes for the operator's MIG manager.
func (r Request) partition() Step {
	return Step{"Cut the GPUs into parts", text(
		"# Whatever uses these GPUs must end first; some clouds' machines restart. The label takes minutes to work.",
		"kubectl label nodes "+r.nodes()+" nvidia.com/mig.config=all-"+r.Partition+" --overwrite",
		"# Wait until the state is success:",
		"kubectl get nodes "+r.nodes()+" -L nvidia.com/mig.config,nvidia.com/mig.config.state")}
}

// nvidia is for nodes that are there already.
func (r Request) nvidia() []Step {
	steps := append(r.variables(), r.operator())
	switch r.Sharing {
	case MIG:
		return append(steps, r.partition(), r.seeGPUs("nvidia.com/mig-"+r.Partition), r.install())
	case TimeSharing, MPS:
		const config = "summarizer-sharing"
		price := "# Tenants run by turns. Nothing keeps one from taking all of the GPU's memory: the chart gives each its share."
		if r.Sharing == MPS {
			price = "# Tenants run at once, each within an equal part of the memory. NVIDIA calls MPS in its device plugin experimental."
		}
		steps = append(steps, Step{"Say how a GPU is shared", text(price,
			manifest("apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: "+config+"\n  namespace: "+operatorNamespace+"\ndata:\n  "+r.configKey()+": |\n"+indent(r.pluginConfig(), "    ")),
			"# Nodes without the label below go on giving whole GPUs.",
			command("kubectl patch clusterpolicies.nvidia.com/cluster-policy --type merge",
				`-p '{"spec":{"devicePlugin":{"config":{"name":"`+config+`"}}}}'`),
			"# The operator does not see later changes of the ConfigMap; after one:",
			"#   kubectl rollout restart daemonset/nvidia-device-plugin-daemonset -n "+operatorNamespace)},
			Step{"Share the GPUs of these nodes", text(
				"kubectl label nodes " + r.nodes() + " nvidia.com/device-plugin.config=" + r.configKey() + " --overwrite")})
	}
	return append(steps, r.seeGPUs("nvidia.com/gpu"), r.install())
}

// custom is for clusters of which nothing is known.
func (r Request) custom() []Step {
	resource := "nvidia.com/gpu"
	if r.Sharing == MIG {
		resource = "nvidia.com/mig-" + r.Partition
	}
	note := "# With platform custom the chart chooses no nodes: pods go wherever gpu.resourceName is offered, within nodeSelector."
	return append(r.variables(), Step{"See what the nodes offer", text(note,
		`kubectl get nodes -o custom-columns='NODE:.metadata.name,OFFERS:.status.allocatable.`+strings.ReplaceAll(resource, ".", `\.`)+`'`)},
		r.install("--set gpu.resourceName="+resource))
}
