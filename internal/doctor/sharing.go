package doctor

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strconv"

	corev1 "k8s.io/api/core/v1"
)

// maxClients is how many may share a GPU on GKE; the fewest are 2.
const maxClients = 48

// share is how a node's GPUs are shared.
type share struct {
	strategy string // time-sharing, time-slicing, mps, mig, or "" when they are not
	clients  int
	// broken says what is wrong with the labels.
	broken string
}

func shareOf(n *corev1.Node) share {
	strategy, clients := n.Labels[gkeStrategy], n.Labels[gkeClients]
	switch {
	case strategy != "" && clients == "":
		return share{broken: fmt.Sprintf("%s without %s", gkeStrategy, gkeClients)}
	case strategy == "" && clients != "":
		return share{broken: fmt.Sprintf("%s without %s", gkeClients, gkeStrategy)}
	case strategy != "":
		n, err := strconv.Atoi(clients)
		if err != nil || n < 2 || n > maxClients {
			return share{broken: fmt.Sprintf("%s=%s: GKE takes 2 to %d", gkeClients, clients, maxClients)}
		}
		return share{strategy: strategy, clients: n}
	case n.Labels[gkePartition] != "":
		return share{strategy: "mig"}
	}
	if strategy = n.Labels[gfdStrategy]; strategy != "" && strategy != "none" {
		replicas, err := strconv.Atoi(n.Labels[gfdReplicas])
		if err != nil || replicas < 2 {
			replicas = 0 // it is not said
		}
		return share{strategy: strategy, clients: replicas}
	}
	return share{}
}

func (s *Subject) gpuSharing(ctx context.Context) Finding {
	nodes, err := s.listNodes(ctx)
	if err != nil {
		return s.unknown("list nodes", err)
	}
	gpus := gpuNodesOf(nodes)
	if len(gpus) == 0 {
		return skip("no node has a GPU yet")
	}
	var shares []share
	for _, n := range gpus {
		share := shareOf(n)
		if share.broken != "" {
			return fail("sharing is chosen when a node pool is made, and both labels then come by themselves: gcloud container node-pools create ... --accelerator type="+s.Accelerator+",count=1,gpu-driver-version=latest,gpu-sharing-strategy=time-sharing,max-shared-clients-per-gpu=2",
				"node %s has the label %s: a pod that asks for one alone matches no node, and Autopilot refuses it", n.Name, share.broken)
		}
		if share.strategy != "" && !slices.Contains(shares, share) {
			shares = append(shares, share)
		}
	}
	if len(shares) == 0 {
		return pass("no GPU is shared: each pod has its own")
	}
	slices.SortFunc(shares, func(a, b share) int {
		return cmp.Or(cmp.Compare(a.strategy, b.strategy), cmp.Compare(a.clients, b.clients))
	})
	first := shares[0]
	if i := slices.IndexFunc(shares, func(s share) bool { return s.strategy != "mig" }); i >= 0 {
		first = shares[i]
	}
	switch {
	case first.strategy != "mig" && s.Sharing == first.asked() && (first.clients == 0 || s.Clients == first.clients):
		return pass("%s, %s a GPU, and the release takes its share", first.strategy, clientsText(first.clients))
	case first.clients == 0 && first.strategy != "mig":
		return warn("install with: --sharing "+first.asked()+" --clients N, where N is what the device plugin's configuration says", "%s: the node does not say how many share a GPU", first.strategy)
	}
	switch first.strategy {
	case "mig":
		return pass("GPUs are partitioned (MIG): a pod has the memory of its partition")
	case "mps":
		return warn(shareFix("mps", first.clients)+"\nMPS on GKE needs hostIPC, which GKE Autopilot and the Pod Security levels baseline and restricted forbid", "MPS, %s a GPU: each sees the whole memory and may use its share; vLLM takes 92 %% of the whole unless told otherwise", clientsText(first.clients))
	}
	return warn(shareFix("time-sharing", first.clients)+"\ntrain on a GPU that is not shared",
		"%s, %s a GPU: nothing keeps pods out of each other's memory, vLLM takes 92 %% of it unless told otherwise, and no metrics of single pods are there", first.strategy, clientsText(first.clients))
}

// asked is what a release is told for such a node: the device plugin calls time-sharing time-slicing.
func (s share) asked() string {
	if s.strategy == "time-slicing" {
		return "time-sharing"
	}
	return s.strategy
}

func clientsText(n int) string {
	return fmt.Sprintf("%d pods", n)
}

// shareFix is what makes each pod take its share of the memory alone.
func shareFix(strategy string, clients int) string {
	return fmt.Sprintf("install with: --sharing %s --clients %d", strategy, clients)
}
