package doctor

import (
	"context"
	"fmt"
	"strconv"
	"strings"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/util/version"
)

// cuda13 is the first driver that runs CUDA 13, and so vLLM's images since v0.20.
const cuda13 = 580

const (
	firstCUDA13 = "0.20.0"
	// gkeDefault580 is the first GKE whose default driver is R580; until then it was R535, and
	// "latest" was R580 from gkeLatest580 on.
	gkeDefault580 = "1.34.0"
	gkeLatest580  = "1.31.0"
)

// compatibility makes vLLM use the newer CUDA that its image brings, on datacenter GPUs.
const compatibility = `--set-json 'extraEnv=[{"name":"VLLM_ENABLE_CUDA_COMPATIBILITY","value":"1"}]'`

func (s *Subject) gpuDriver(ctx context.Context) Finding {
	tag := s.tag()
	if v, err := version.ParseGeneric(tag); err == nil && v.LessThan(version.MustParseGeneric(firstCUDA13)) {
		return pass("vLLM %s needs no driver of CUDA 13", tag)
	}
	vllm := strings.TrimSpace("vLLM " + tag)
	nodes, err := s.listNodes(ctx)
	if err != nil {
		return s.unknown("list nodes", err)
	}
	gpus := gpuNodesOf(nodes)
	if len(gpus) == 0 {
		return skip("no node has a GPU yet: %s needs driver R%d or newer", vllm, cuda13)
	}
	var old, unsaid []*corev1.Node
	seen := ""
	for _, n := range gpus {
		major, how := driverOf(n)
		switch {
		case major == 0:
			unsaid = append(unsaid, n)
		case major < cuda13:
			old = append(old, n)
			seen = how
		case seen == "":
			seen = how
		}
	}
	fix := "install with: " + compatibility
	if onGKE(nodes) {
		fix = "make a node pool with the newest driver: " + s.newNodes(nodes) + "\nor " + fix
	} else {
		fix = "upgrade the driver, with the GPU operator: " + strings.Replace(operator, "helm install", "helm upgrade --install", 1) + "\nor " + fix
	}
	switch {
	case len(old) == len(gpus):
		return fail(fix, "%s on %s: %s needs R%d or newer", seen, names(nodeNames(old)), vllm, cuda13)
	case len(old) > 0:
		return warn(fix, "%s on %s: %s needs R%d or newer, and pods may land there", seen, names(nodeNames(old)), vllm, cuda13)
	case len(unsaid) == len(gpus):
		return skip("no label says which driver the nodes have: %s needs R%d or newer. A pod's nvidia-smi tells", vllm, cuda13)
	}
	return pass("%s", seen)
}

// tag is the image's, which is vLLM's version; "" when a digest alone names the image.
func (s *Subject) tag() string {
	image, _, _ := strings.Cut(s.Image, "@")
	_, tag, _ := strings.Cut(image[strings.LastIndex(image, "/")+1:], ":")
	return tag
}

// driverOf returns the major version of a node's driver, and the words for it; 0 when no label says.
func driverOf(n *corev1.Node) (int, string) {
	for _, label := range []string{gfdDriver, gfdDriverOld} {
		if major, err := strconv.Atoi(n.Labels[label]); err == nil {
			return major, fmt.Sprintf("driver R%d", major)
		}
	}
	kind := n.Labels[gkeDriver]
	gke, err := version.ParseGeneric(n.Status.NodeInfo.KubeletVersion)
	if err != nil {
		return 0, ""
	}
	minor := fmt.Sprintf("GKE %d.%d", gke.Major(), gke.Minor())
	switch {
	case kind == "latest" && gke.AtLeast(version.MustParseGeneric(gkeLatest580)), kind == "default" && gke.AtLeast(version.MustParseGeneric(gkeDefault580)):
		return cuda13, fmt.Sprintf("%s's driver %q, which is R%d or newer", minor, kind, cuda13)
	case kind == "default":
		return 535, fmt.Sprintf("%s's driver %q, which is R535", minor, kind)
	}
	return 0, ""
}
