package explain

// container is what the server, the download and the test have alike.
func container() []entry {
	return []entry{
		{path: "image", derive: either("image.digest",
			"By digest, which can never mean another image (image.repository, image.digest).",
			"By tag, which its owner may move; image.digest pins it (image.repository, image.tag).")},
		{path: "imagePullPolicy", derive: when(map[string]string{
			"IfNotPresent": "Only an image that the node does not have is pulled (image.pullPolicy).",
			"Always":       "The registry is asked at every start, and a tag that has moved is followed (image.pullPolicy).",
			"Never":        "The image must be on the node already (image.pullPolicy).",
		})},
		{path: "securityContext", text: "What the restricted Pod Security Standard asks of a container, and a little more."},
		{path: "securityContext.allowPrivilegeEscalation", text: "A program that carries root's rights, such as sudo, does not get them."},
		{path: "securityContext.readOnlyRootFilesystem", text: "true lets the container write to its volumes alone: nothing in the image can be changed (securityContext.readOnlyRootFilesystem)."},
		{path: "securityContext.capabilities", text: "Single rights of root."},
		{path: "securityContext.capabilities.drop...", text: "The server needs none of them."},
		{path: "terminationMessagePolicy", text: "When it fails, the pod's status keeps the end of the log: kubectl describe pod shows the cause."},
	}
}

// fromUser is what the chart's user adds to a container. It stands first, as it wins over what the chart sets.
func fromUser() []entry {
	return []entry{
		{path: "env[*]...", derive: func(f field) string {
			list := "extraEnv"
			if f.path[len(f.path)-3] == "download" {
				list = "extraDownloadEnv"
			}
			if f.hasKey(list, f.last()) {
				return "From " + list + "."
			}
			return ""
		}},
		{path: "volumeMounts[*]...", derive: func(f field) string {
			if f.hasKey("extraVolumeMounts", f.last()) {
				return "From extraVolumeMounts."
			}
			return ""
		}},
		{path: "env", text: "Environment variables; one of the same name in extraEnv (extraDownloadEnv for the download) takes the place of the chart's."},
		{path: "volumeMounts", text: "Where the pod's volumes appear."},
		{path: "volumeMounts[/cache]...", text: "Weights, adapters and compiled kernels."},
		{path: "volumeMounts[/home/vllm]...", text: "HOME."},
		{path: "volumeMounts[/tmp]...", text: "Temporary files."},
		{path: "volumeMounts[/dev/shm]...", text: "Memory that vLLM's processes share."},
		{path: "volumeMounts[/etc/summarizer]...", text: "The chart's files: the download's program and plan, and the chat template where there is one."},
	}
}

func download() []entry {
	return []entry{
		{path: "name", text: "Fetches model and adapters, once for each revision. It is the only container that sees the token, and it fails with a sentence that says why."},
		{path: "command...", text: "Its program and its plan, both from the ConfigMap of this release."},
		{path: "resources...", text: "As for the server, without the GPU. A pod reserves the larger of the two, so that this costs nothing."},
	}
}

func server() []entry {
	const probe = "vLLM's own answer to whether its engine lives; it is an error only when the engine has died."
	return []entry{
		{path: "name", text: "The model server. The image starts vllm serve, so there is no command here."},
		{path: "args", text: "Arguments of vllm serve. What is not here is at vLLM's default."},
		{path: "ports", text: "Says what is open; it opens nothing."},
		{path: "ports[http]...", text: "The name http stands for this port in the probes, the Service and the NetworkPolicy."},
		{path: "startupProbe", text: "Until it succeeds once the other probes wait: a model that loads is not dead."},
		{path: "startupProbe.httpGet...", text: probe},
		{path: "startupProbe.periodSeconds", text: "Seconds between two looks (probes.startup.periodSeconds): how late a ready model may be noticed."},
		{path: "startupProbe.timeoutSeconds", text: "Seconds until a look counts as failed (probes.startup.timeoutSeconds)."},
		{path: "startupProbe.failureThreshold", derive: func(f field) string {
			if f.set("probes.startup.budgetSeconds") {
				return "So many looks make up probes.startup.budgetSeconds; then the container is started anew."
			}
			perGiB := "20"
			if !f.set("model.download") {
				perGiB = "20 (40 where vLLM fetches it itself)"
			}
			return "So many looks make up the time to load: 300 s, and " + perGiB + " s for each GiB of weights (model.weightsGiB). Then the container is started anew."
		}},
		{path: "readinessProbe", text: "While it fails, no requests come here through the Service."},
		{path: "readinessProbe.httpGet...", text: "The same question as the startup probe's."},
		{path: "readinessProbe.periodSeconds", text: "Seconds between two looks (probes.readiness.periodSeconds)."},
		{path: "readinessProbe.timeoutSeconds", text: "Seconds until a look counts as failed (probes.readiness.timeoutSeconds)."},
		{path: "readinessProbe.failureThreshold", text: "Failed looks in a row until the Service leaves the pod out (probes.readiness.failureThreshold)."},
		{path: "livenessProbe", text: "When it fails, the container is killed and started anew, with all the loading: slower to judge than readiness."},
		{path: "livenessProbe.httpGet...", text: "The same question as the startup probe's."},
		{path: "livenessProbe.periodSeconds", text: "Seconds between two looks (probes.liveness.periodSeconds)."},
		{path: "livenessProbe.timeoutSeconds", text: "A server busy with a long prompt answers late and is not dead (probes.liveness.timeoutSeconds)."},
		{path: "livenessProbe.failureThreshold", text: "Failed looks in a row until it is started anew (probes.liveness.failureThreshold)."},
		{path: "lifecycle", text: "What happens before the server is told to end."},
		{path: "lifecycle.preStop", text: "Other parts of the cluster learn of a pod's end a moment late and still send requests: until they know, it goes on serving."},
		{path: "lifecycle.preStop.sleep", text: "Kubernetes waits by itself; no program in the image is needed."},
		{path: "lifecycle.preStop.sleep.seconds", text: "From shutdown.preStopSeconds, for a worker with shutdown.drainSeconds added: it stays until its leader has answered. terminationGracePeriodSeconds includes it."},
		{path: "lifecycle.preStop.exec...", text: "Kubernetes before 1.30 cannot wait by itself: a program does, for shutdown.preStopSeconds, and in a worker shutdown.drainSeconds more."},
	}
}

func resources() []entry {
	return []entry{
		{path: "", text: "What the scheduler reserves on a node, and what the container may use at most."},
		{path: "requests", text: "Reserved: a node without this much free is not taken."},
		{path: "requests[*]", derive: func(f field) string {
			if f.hasKey("resources.requests", f.last()) {
				return "From resources.requests."
			}
			return ""
		}},
		{path: "requests.cpu", text: "One core for the API, one for the engine, two for each GPU."},
		{path: "requests.memory", text: "6 GiB of processes, the weights on their way to the GPU (model.weightsGiB), and /dev/shm."},
		{path: "requests[ephemeral-storage]", derive: either("cache.persistence.enabled",
			"2 GiB of the node's disk for logs, /tmp and HOME; the cache is on its own volume.",
			"Of the node's disk: the cache volume, and 2 GiB for logs, /tmp and HOME.")},
		{path: "limits", derive: func(f field) string {
			if f.hasKey("resources.limits", "cpu") {
				return "The most that it may use."
			}
			return "The most that it may use. CPU is left open: what the node has free shortens the start."
		}},
		{path: "limits[*]", derive: func(f field) string {
			if f.hasKey("resources.limits", f.last()) {
				return "From resources.limits."
			}
			return ""
		}},
		{path: "limits.memory", text: "As reserved, so that the node cannot run out of it. Above it the container is killed (OOMKilled)."},
		{path: "limits[ephemeral-storage]", text: "As reserved. Above it the pod is evicted."},
		{path: "*[nvidia.com/mig-*]", text: "One part of a GPU, with memory that nobody else can use (gpu.sharing.partition)."},
		{path: "*[*]", derive: accelerator},
	}
}

// accelerator explains the request and the limit of what gpu.resourceName names, nvidia.com/gpu when it is empty.
func accelerator(f field) string {
	resource := f.chart("gpu.resourceName")
	if resource == "" {
		resource = "nvidia.com/gpu"
	}
	switch {
	case f.last() != resource:
		return ""
	case f.path[len(f.path)-2] == "requests":
		return "The same as the limit: Kubernetes allows no other request of a GPU."
	case shared(f):
		return "One share of a GPU (gpu.sharing): a container gets no second one."
	}
	return "GPUs for this container alone (gpu.count), by the name under which the node offers them (gpu.resourceName)."
}

func testContainer() []entry {
	return []entry{
		{path: "name", text: "Asks the server for its health, its models and one answer of each."},
		{path: "image", derive: either("tests.image", "From tests.image.", "The server's, which has python3. A node without it pulls 10 GB and more first; tests.image can name a smaller one.")},
		{path: "command...", text: "The program, here as text so that no file needs to be mounted."},
		{path: "args...", text: "The Service's address, and the names that must answer: the model's and each adapter's."},
		{path: "env...", text: "Python cannot write beside its own files; the API key, where extraEnv has one, is needed to be let in."},
		{path: "resources...", text: "A small program that waits for answers."},
	}
}
