package explain

func configMap() []entry {
	return []entry{
		{path: "kind", text: "Files for the pods: the program that downloads, what it is to fetch, and the chat template where there is one."},
		{path: "data", text: "Each key is the name of a file in /etc/summarizer."},
		{path: "data[download.json]", text: "What to fetch, and where to; what is there already is not fetched again."},
		{path: "data[chat-template.jinja]", text: "From model.chatTemplate."},
		{path: "data[download.py]", text: "The download's program; the other files beside it are parts of it."},
		{path: "data[download_*]", text: "A part of download.py."},
	}
}

func serviceAccount() []entry {
	return []entry{
		{path: "kind", text: "Who the pods are in the cluster. It has no rights: the server needs none (serviceAccount.create)."},
		{path: "metadata.name", text: "From serviceAccount.name, or as the release's other objects."},
		{path: "metadata.annotations...", text: "From serviceAccount.annotations: GKE's Workload Identity is one, with which vLLM reads a bucket."},
		{path: "automountServiceAccountToken", text: "No pod gets a token of this account unless it asks for one."},
	}
}

func networkPolicy() []entry {
	return []entry{
		{path: "kind", text: "Who may reach the pods. A key for the API protects only a part of vLLM's addresses (networkPolicy.enabled)."},
		{path: "spec.podSelector", text: "The pods that it protects."},
		{path: "spec.podSelector.matchLabels", text: "The same labels as in the Service's selector."},
		{path: "spec.podSelector.matchLabels[*]", derive: podLabel},
		{path: "spec.policyTypes...", derive: either("networkPolicy.egress.restrict",
			"Both directions: what is not listed below is refused (networkPolicy.egress.restrict).",
			"Incoming only: what is not listed below is refused. Outgoing is left open, for the download (networkPolicy.egress.restrict).")},
		{path: "spec.ingress...", derive: func(f field) string {
			switch {
			case f.set("networkPolicy.allowSameNamespace") && f.set("networkPolicy.ingressFrom"):
				return "Every pod of this namespace (networkPolicy.allowSameNamespace), and who is in networkPolicy.ingressFrom."
			case f.set("networkPolicy.allowSameNamespace"):
				return "Every pod of this namespace, and no other (networkPolicy.allowSameNamespace); networkPolicy.ingressFrom adds more."
			case f.set("networkPolicy.ingressFrom"):
				return "Who is in networkPolicy.ingressFrom, and the pod of helm test where there is one."
			case f.set("tests.enabled"):
				return "The pod of helm test, and nobody else: networkPolicy.ingressFrom is empty."
			}
			return "Nobody: networkPolicy.ingressFrom is empty."
		}},
		{path: "spec.egress...", text: "Names are looked up on port 53; what else is reached is in networkPolicy.egress.rules."},
	}
}

func disruptionBudget() []entry {
	return []entry{
		{path: "kind", text: "How many pods may be missing while nodes are drained, for upgrades and the like (podDisruptionBudget.enabled)."},
		{path: "spec.maxUnavailable", text: "From podDisruptionBudget.maxUnavailable."},
		{path: "spec.minAvailable", text: "Pods that stay, however many there are (podDisruptionBudget.minAvailable)."},
		{path: "spec.unhealthyPodEvictionPolicy", text: "Pods that do not serve may always go."},
		{path: "spec.selector", text: "The pods that are counted."},
		{path: "spec.selector.matchLabels", text: "The same labels as in the Service's selector."},
		{path: "spec.selector.matchLabels[*]", derive: podLabel},
	}
}

func claim() []entry {
	return []entry{
		{path: "kind", text: "A disk that outlives the pods, for weights and compiled kernels. It is paid for as long as it exists (cache.persistence)."},
		{path: "metadata.annotations", text: "For Helm."},
		{path: "metadata.annotations[helm.sh/resource-policy]", text: "Uninstalling leaves the disk, and what it costs; kubectl delete pvc removes it (cache.persistence.keep)."},
		{path: "spec.accessModes...", text: "Who may mount it at once: ReadWriteOnce is the pods of one node, ReadWriteMany any (cache.persistence.accessMode)."},
		{path: "spec.storageClassName", text: "Kind of disk, by the cluster's name for it (cache.persistence.storageClassName)."},
		{path: "spec.resources", text: "How large."},
		{path: "spec.resources.requests", text: "It may become larger later, never smaller."},
		{path: "spec.resources.requests.storage", derive: either("cache.persistence.size", "From cache.persistence.size.",
			"Twice the weights and 4 GiB, so that a new revision fits beside the one that is served (model.weightsGiB).")},
	}
}

func testPod() []entry {
	return []entry{
		{path: "kind", text: "The pod of helm test: made by that command and left there, for its log, until the next (tests.enabled)."},
		{path: "metadata.annotations", text: "For Helm, which makes this pod outside of installs."},
		{path: "metadata.annotations[helm.sh/hook]", text: "Made by helm test, not by an install."},
		{path: "metadata.annotations[helm.sh/hook-delete-policy]", text: "The pod of the last test is removed when the next one starts."},
		{path: "spec.restartPolicy", text: "A test that failed has failed; it is not tried again."},
	}
}
