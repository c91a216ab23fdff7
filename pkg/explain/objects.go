package explain

import "fmt"

// everyObject is what all kinds have.
func everyObject() []entry {
	return []entry{
		{path: "apiVersion", text: "The API that the object belongs to, and the version of it that these fields follow."},
		{path: "metadata", text: "How the object is found."},
		{path: "metadata.name", text: "Made of the release's name and the chart's; fullnameOverride replaces it."},
		{path: "metadata.namespace", derive: either("namespaceOverride", "From namespaceOverride.", "Where the release is installed: kubectl's -n.")},
		{path: "metadata.labels", text: "By these, tools find what belongs together, such as kubectl get pods -l app.kubernetes.io/instance=NAME."},
		{path: "metadata.labels[helm.sh/chart]", text: "The chart and its version that made the object."},
		{path: "metadata.labels[app.kubernetes.io/name]", text: "What runs: the chart's name, or nameOverride."},
		{path: "metadata.labels[app.kubernetes.io/instance]", text: "The release: one namespace may hold several."},
		{path: "metadata.labels[app.kubernetes.io/version]", text: "The vLLM release that this chart was made for; image.tag may name another."},
		{path: "metadata.labels[app.kubernetes.io/managed-by]", text: "Which tool upgrades and removes it; the plugin keeps its releases as Helm does."},
		{path: "metadata.labels[app.kubernetes.io/component]", text: "server for what serves, test for the pod of helm test, which no selector may catch."},
		{path: "spec", text: "What is wanted. The cluster works towards it and reports in status how far it is."},
	}
}

func deployment() []entry {
	return []entry{
		{path: "kind", text: "Keeps the wanted number of model servers running, and replaces them when this text changes."},
		{path: "spec.replicas", derive: func(f field) string {
			if shared(f) {
				return "Model servers (replicas), each with one share of a GPU (gpu.sharing)."
			}
			return fmt.Sprintf("Model servers (replicas), each with %s of its own (gpu.count).", gpus(f))
		}},
		{path: "spec.revisionHistoryLimit", text: "Versions before this one that kubectl rollout undo can return to (revisionHistoryLimit)."},
		{path: "spec.progressDeadlineSeconds", derive: either("progressDeadlineSeconds",
			"Seconds without progress until a rollout is reported as failed (progressDeadlineSeconds).",
			"Seconds without progress until a rollout is reported as failed: 1200 for a node and its image, then the "+
				"budgets of the download and of the start, which grow with model.weightsGiB.")},
		{path: "spec.strategy", text: "How pods of the old version are replaced."},
		{path: "spec.strategy.type", derive: when(map[string]string{
			"Recreate":      "The old pod ends first, because the new one needs the GPU that it holds; nobody is served in between (strategy.type).",
			"RollingUpdate": "A few pods at a time, while the others serve (strategy.type).",
		})},
		{path: "spec.strategy.rollingUpdate", text: "How many at a time."},
		{path: "spec.strategy.rollingUpdate.maxSurge", text: "Pods above replicas meanwhile: each needs GPUs of its own (strategy.maxSurge)."},
		{path: "spec.strategy.rollingUpdate.maxUnavailable", text: "Pods that may be missing meanwhile (strategy.maxUnavailable)."},
		{path: "spec.selector", text: "Which pods are this Deployment's own. It can never be changed in place, so it holds nothing that a version changes."},
		{path: "spec.selector.matchLabels", text: "The same three labels as on the pods below and in the Service's selector."},
		{path: "spec.selector.matchLabels[*]", derive: podLabel},
		{path: "spec.template", text: "The pod of which every replica is a copy. Any change in it starts a rollout."},
	}
}

// podLabel explains one of the labels that select the pods.
func podLabel(f field) string {
	return map[string]string{
		"app.kubernetes.io/name":      "What runs: the chart's name, or nameOverride.",
		"app.kubernetes.io/instance":  "The release, so that two in one namespace do not take each other's pods.",
		"app.kubernetes.io/component": "Leaves out the pod of helm test, which carries the other two labels as well.",
	}[f.last()]
}

// shared says whether a pod has only a part of a GPU.
func shared(f field) bool {
	return f.set("gpu.sharing.strategy") && f.chart("gpu.sharing.strategy") != "none"
}

func gpus(f field) string {
	if n := f.number("gpu.count"); n != "1" {
		return n + " GPUs"
	}
	return "a GPU"
}

func service() []entry {
	return []entry{
		{path: "kind", text: "One stable address in front of all pods that are ready."},
		{path: "metadata.name", derive: func(f field) string {
			return "Also a DNS name: http://" + f.value + ":" + f.number("service.port") + " inside the namespace. Made of the release's name and the chart's."
		}},
		{path: "metadata.annotations", text: "From service.annotations: a cloud's load balancer reads its settings there."},
		{path: "metadata.annotations[*]", text: "From service.annotations."},
		{path: "spec.type", derive: when(map[string]string{
			"ClusterIP":    "Reachable inside the cluster alone: vLLM asks nobody for a password by itself (service.type).",
			"NodePort":     "Reachable through a port of every node, by whoever reaches the nodes: vLLM asks for no password by itself (service.type).",
			"LoadBalancer": "Reachable through a load balancer of the cloud, which costs money, and often from the internet: vLLM asks for no password by itself (service.type).",
		})},
		{path: "spec.loadBalancerSourceRanges...", text: "The only networks that the load balancer lets in (service.loadBalancerSourceRanges)."},
		{path: "spec.selector", text: "Requests go to ready pods that carry all of these labels."},
		{path: "spec.selector[leaderworkerset.sigs.k8s.io/worker-index]", text: "The leader of each group of pods: workers do not listen."},
		{path: "spec.selector[*]", derive: podLabel},
		{path: "spec.ports", text: "One port: the API, the health check and the metrics are all behind it."},
		{path: "spec.ports[http].name", text: "By this name other objects can mean the port without its number."},
		{path: "spec.ports[http].port", text: "What clients write into the URL (service.port)."},
		{path: "spec.ports[http].targetPort", text: "The container's port of that name, which is 8000 whatever service.port is."},
		{path: "spec.ports[http].protocol", text: "HTTP runs over TCP."},
		{path: "spec.ports[http].appProtocol", text: "Tells gateways and service meshes what is spoken, so that they need not guess."},
	}
}

func leaderWorkerSet() []entry {
	return []entry{
		{path: "kind", text: "Starts, replaces and ends the pods of one model server together: one replica is larger than a node."},
		{path: "spec.replicas", text: "Model servers, each a group of pods (replicas)."},
		{path: "spec.startupPolicy", text: "When the workers of a group are made: with their leader, or once it is ready."},
		{path: "spec.networkConfig", text: "How the pods of a group find each other."},
		{path: "spec.networkConfig.subdomainPolicy", text: "Each group has a headless Service of its own. The one that groups can share would need the name of the chart's Service."},
		{path: "spec.rolloutStrategy...", text: "How many groups are replaced at a time; each group needs all its GPUs at once."},
		{path: "spec.leaderWorkerTemplate", text: "The pods of one group."},
		{path: "spec.leaderWorkerTemplate.size", text: "Pods in a group: the leader and its workers, each on a node of its own."},
		{path: "spec.leaderWorkerTemplate.restartPolicy", text: "A group that has lost one pod can serve nothing: all of it starts anew."},
		{path: "spec.leaderWorkerTemplate.leaderTemplate", text: "The pod that answers requests and leads the others."},
		{path: "spec.leaderWorkerTemplate.workerTemplate", text: "The pods that hold the rest of the model."},
	}
}
