package explain

// template is the pod's own metadata.
func template() []entry {
	return []entry{
		{path: "metadata", text: "Labels and annotations of every pod; its name is made by the cluster."},
		{path: "metadata.labels", text: "What the selectors look for, and what podLabels adds."},
		{path: "metadata.labels[*]", derive: func(f field) string {
			if f.hasKey("podLabels", f.last()) {
				return "From podLabels."
			}
			return podLabel(f)
		}},
		{path: "metadata.labels[app.kubernetes.io/managed-by]", text: "Which tool upgrades and removes it."},
		{path: "metadata.annotations", text: "For tools; nothing selects by them."},
		{path: "metadata.annotations[*]", derive: func(f field) string {
			if f.hasKey("podAnnotations", f.last()) {
				return "From podAnnotations."
			}
			return ""
		}},
		{path: "metadata.annotations[kubectl.kubernetes.io/default-container]", text: "kubectl logs and exec take this container when none is named."},
		{path: "metadata.annotations[checksum/files]", text: "Fingerprint of the ConfigMap. A pod reads its files once: when they change, so does this, and new pods start."},
		{path: "spec", text: "Where the pod may run, as whom, and what runs in it."},
	}
}

// pods is what every pod of the chart has beside its containers and volumes.
func pods() []entry {
	return []entry{
		{path: "imagePullSecrets...", text: "Secrets with the password of the image's registry (imagePullSecrets)."},
		{path: "serviceAccountName", derive: either("serviceAccount.create",
			"Who the pod is in the cluster: an account made for it, without any rights.",
			"Who the pod is in the cluster: an account that exists already (serviceAccount.name).")},
		{path: "automountServiceAccountToken", text: "The pod never calls Kubernetes' API: without a token, whoever breaks into it cannot either."},
		{path: "enableServiceLinks", text: "No environment variables about the namespace's Services."},
		{path: "hostIPC", text: "MPS on GKE: the pod shares memory with the MPS server of the node. It sees other processes' shared memory there, and the restricted Pod Security Standard forbids it."},
		{path: "securityContext", text: "What the restricted Pod Security Standard asks of a pod."},
		{path: "securityContext.runAsNonRoot", text: "The node refuses to start a container as root."},
		{path: "securityContext.runAsUser", text: "Any number but 0 does (securityContext.runAsUser); the image alone would start as root."},
		{path: "securityContext.runAsGroup", text: "Group of every process (securityContext.runAsGroup)."},
		{path: "securityContext.fsGroup", text: "Group that may write to the volumes, which may else be root's alone (securityContext.fsGroup)."},
		{path: "securityContext.fsGroupChangePolicy", text: "Files are given to that group once, not at every start: a cache holds many."},
		{path: "securityContext.seccompProfile", text: "System calls that the process may make."},
		{path: "securityContext.seccompProfile.type", text: "The container runtime's own list, which leaves out what programs rarely need and attacks use."},
		{path: "terminationGracePeriodSeconds", text: "Seconds from deletion until the pod is killed: shutdown.preStopSeconds, then shutdown.drainSeconds, then 30 in which the engine gives the GPU back."},
		{path: "topologySpreadConstraints...", text: "From topologySpreadConstraints."},
		{path: "priorityClassName", text: "Which pods go first when there is not room for all (priorityClassName)."},
		{path: "runtimeClassName", text: "What starts the containers on the node; some installations of NVIDIA's runtime need it (runtimeClassName)."},
		{path: "initContainers", text: "Run to their end, before the server starts."},
		{path: "containers", text: "What runs as long as the pod lives."},
		{path: "volumes", text: "What the containers mount. The root filesystem is not to be written to, so each place that is written has one."},
	}
}

// placement is what leads a pod to a node.
func placement() []entry {
	return []entry{
		{path: "nodeSelector", text: "The node must carry all of these labels."},
		{path: "nodeSelector[*]", derive: func(f field) string {
			if f.hasKey("nodeSelector", f.last()) {
				return "From nodeSelector."
			}
			return ""
		}},
		{path: "nodeSelector[cloud.google.com/gke-accelerator]", derive: autopilot(
			"Kind of GPU, by GKE's name (gpu.accelerator). When no node is free, Autopilot makes one with it.",
			"Kind of GPU, by GKE's name (gpu.accelerator): the label of a node pool that has it.")},
		{path: "nodeSelector[cloud.google.com/gke-gpu-driver-version]", text: "NVIDIA driver of the node (gpu.driverVersion). vLLM's images need R580 or newer, which GKE calls latest, and before GKE 1.34 does not install by default."},
		{path: "nodeSelector[cloud.google.com/gke-accelerator-count]", text: "GPUs that the node has. Without it Autopilot gives every pod a node of its own, and nothing would be shared."},
		{path: "nodeSelector[cloud.google.com/gke-gpu-sharing-strategy]", text: "How the node gives one GPU to several pods (gpu.sharing.strategy)."},
		{path: "nodeSelector[cloud.google.com/gke-max-shared-clients-per-gpu]", text: "Pods that may share one GPU (gpu.sharing.clients). GKE takes this label and the one with the strategy together or not at all."},
		{path: "nodeSelector[cloud.google.com/gke-gpu-partition-size]", text: "Which part of a GPU the pod gets, by MIG's name for it (gpu.sharing.partition)."},
		{path: "tolerations", text: "Taints of GPU nodes, which keep other pods away, that this pod may ignore. Only GKE adds this by itself."},
		{path: "tolerations[*]...", derive: func(f field) string {
			if f.last() == f.chart("gpu.resourceName") || f.last() == "nvidia.com/gpu" {
				return "The taint is named after what the node offers (gpu.resourceName), and its value does not matter."
			}
			return "From tolerations."
		}},
		{path: "affinity...", derive: either("affinity", "From affinity, with what platform and gpu.sharing add to it.", "")},
		{path: "affinity", text: "What the node selector cannot say."},
		{path: "affinity.nodeAffinity...", derive: func(f field) string {
			if f.chart("platform") == "gke-standard" {
				return "No node whose GPUs are shared or partitioned: GKE would let the pod onto one, and its part would be too small (gpu.sharing)."
			}
			return "Nodes with any of these values: the machines that have this GPU, or its name by GPU feature discovery, which is another when it is shared (gpu.accelerator, platform)."
		}},
		{path: "affinity.podAntiAffinity...", text: "Replicas keep away from each other's nodes: on the same GPU a second one would add nothing."},
	}
}

// autopilot returns one text on GKE Autopilot and another elsewhere.
func autopilot(there, elsewhere string) func(field) string {
	return func(f field) string {
		if f.chart("platform") == "gke-autopilot" {
			return there
		}
		return elsewhere
	}
}

func volumes() []entry {
	return []entry{
		{path: "[*]...", derive: func(f field) string {
			if f.hasKey("extraVolumes", f.last()) {
				return "From extraVolumes."
			}
			return ""
		}},
		{path: "cache.name", text: "Weights, adapters and compiled kernels."},
		{path: "cache.persistentVolumeClaim", text: "They outlive the pod: the next one downloads and compiles nothing again (cache.persistence.enabled)."},
		{path: "cache.persistentVolumeClaim.claimName", derive: either("cache.persistence.existingClaim",
			"A claim that exists already (cache.persistence.existingClaim).",
			"The claim that this release makes.")},
		{path: "cache.emptyDir", text: "On the node's disk, and gone with the pod; cache.persistence.enabled keeps it on a volume."},
		{path: "cache.emptyDir.sizeLimit", text: "The weights (model.weightsGiB, unless they are read from a path or a bucket), 4 GiB of compiled kernels and a quarter for each adapter. A pod that writes more is evicted."},
		{path: "home...", text: "HOME, on the node's disk."},
		{path: "tmp...", text: "Temporary files, on the node's disk."},
		{path: "shm.name", text: "Memory that processes share. The runtime's own /dev/shm is 64 MiB, too small for GPUs that exchange data through it."},
		{path: "shm.emptyDir", text: "Made with the pod, and gone with it."},
		{path: "shm.emptyDir.medium", text: "In memory, not on a disk; it counts towards the container's memory."},
		{path: "shm.emptyDir.sizeLimit", derive: either("sharedMemory.sizeLimit", "From sharedMemory.sizeLimit.", "2 GiB for each GPU.")},
		{path: "files.name", text: "The chart's own files."},
		{path: "files.configMap", text: "Each key of a ConfigMap becomes a file."},
		{path: "files.configMap.name", text: "The ConfigMap of this release."},
	}
}
