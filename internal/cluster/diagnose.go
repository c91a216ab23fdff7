package cluster

import (
	"fmt"
	"strings"

	corev1 "k8s.io/api/core/v1"
)

// diagnose tells from a pod and its events how far it is and what is wrong. Events must be
// of this pod, oldest first; target is what Observer.Target says.
func diagnose(pod *corev1.Pod, events []corev1.Event, target string) Pod {
	p := Pod{
		Name:    pod.Name,
		Node:    pod.Spec.NodeName,
		GPUs:    gpus(pod),
		Created: pod.CreationTimestamp.Time,
		target:  target,
	}
	server := statusOf(pod.Status.ContainerStatuses, ServerContainer)
	if server != nil {
		p.Restarts = server.RestartCount
		p.LastExit = exitReason(server.LastTerminationState.Terminated)
	}
	switch {
	case pod.DeletionTimestamp != nil:
		p.Phase = Stopping
	case pod.Status.Phase == corev1.PodFailed:
		p.Over = true
		p.Phase, p.Reason, p.Message = Failing, pod.Status.Reason, strings.TrimSpace(pod.Status.Message)
		p.Next = nextForEnded(pod, target)
	case !scheduled(pod):
		diagnoseUnscheduled(&p, pod, events)
	case isReady(pod):
		p.Phase = Ready
	default:
		diagnoseContainers(&p, pod, server, events)
	}
	return p
}

func diagnoseUnscheduled(p *Pod, pod *corev1.Pod, events []corev1.Event) {
	p.Phase = Unscheduled
	for _, c := range pod.Status.Conditions {
		if c.Type == corev1.PodScheduled {
			p.Reason, p.Message = c.Reason, c.Message
		}
	}
	// The autoscaler's refusal (quota, stock-out) says more than the scheduler's.
	switch e := last(events, "FailedScaleUp", "NotTriggerScaleUp", "TriggeredScaleUp"); {
	case e == nil:
	case e.Reason == "TriggeredScaleUp":
		p.Reason, p.Message = e.Reason, "a node is being added: "+e.Message
	default:
		p.Reason, p.Message = e.Reason, e.Message
	}
	p.Next = nextForUnscheduled(p.Message, pod.Namespace, p.target)
}

func nextForUnscheduled(message, namespace, target string) string {
	switch lower := strings.ToLower(message); {
	case strings.Contains(lower, "quota"):
		return "ask for more GPU quota in this region, or use another accelerator: --accelerator"
	case strings.Contains(lower, "insufficient nvidia.com"):
		return "every GPU is taken. See by what: kubectl get pods -A -o wide" + target
	case strings.Contains(lower, "node affinity/selector"):
		return "no node has the labels asked for. See: kubectl get nodes -L cloud.google.com/gke-accelerator" + target + "\nor choose others: --accelerator NAME, --platform custom"
	case strings.Contains(lower, "persistentvolumeclaim"):
		return "see: kubectl get pvc -n " + namespace + target
	}
	return ""
}

func diagnoseContainers(p *Pod, pod *corev1.Pod, server *corev1.ContainerStatus, events []corev1.Event) {
	switch {
	case server != nil && server.State.Running != nil:
		if server.Ready && diagnoseOthers(p, pod, events) {
			return
		}
		p.Phase, p.wantsLog = Loading, &logRequest{container: ServerContainer, lines: 20}
		if server.RestartCount > 0 {
			diagnoseRestarted(p, server, events)
		}
		return
	case diagnoseInit(p, pod, events):
		return
	case server != nil && diagnoseStuck(p, pod, server, events):
		return
	case downloaded(pod):
		// The image is there: what is left of the preparation takes a moment.
		p.Phase = Loading
		return
	}
	running := p.Message
	if diagnosePreparing(p, events); p.Message == "" {
		p.Message = running
	}
}

// downloaded says whether the model's download has ended well.
func downloaded(pod *corev1.Pod) bool {
	c := statusOf(pod.Status.InitContainerStatuses, DownloadContainer)
	return c != nil && done(c)
}

// diagnoseInit fills p when a container that runs before the server is at work or has failed,
// and says whether that is so. Others than the chart's own come from outside, such as a
// service mesh: of one that runs it only leaves a message.
func diagnoseInit(p *Pod, pod *corev1.Pod, events []corev1.Event) bool {
	for i := range pod.Status.InitContainerStatuses {
		c := &pod.Status.InitContainerStatuses[i]
		switch {
		case done(c):
		case c.State.Running != nil && c.Name == DownloadContainer:
			p.Phase, p.wantsLog = Downloading, &logRequest{container: DownloadContainer, lines: 3}
			return true
		case c.State.Running != nil && !isSidecar(pod, c.Name):
			p.Message = "the init container " + c.Name + " is at work"
		case diagnoseStuck(p, pod, c, events):
			return true
		}
	}
	return false
}

// diagnoseOthers fills p when the server is ready but a container beside it is not, and says
// whether that is so.
func diagnoseOthers(p *Pod, pod *corev1.Pod, events []corev1.Event) bool {
	for _, statuses := range [][]corev1.ContainerStatus{pod.Status.InitContainerStatuses, pod.Status.ContainerStatuses} {
		for i := range statuses {
			if c := &statuses[i]; c.Name != ServerContainer && !done(c) && diagnoseStuck(p, pod, c, events) {
				return true
			}
		}
	}
	return false
}

// diagnoseStuck fills p when the container failed or cannot be created, and says whether
// that is so.
func diagnoseStuck(p *Pod, pod *corev1.Pod, c *corev1.ContainerStatus, events []corev1.Event) bool {
	other := foreign(pod, c.Name)
	if t := firstTerminated(c); t != nil && failed(c, t) && (c.State.Terminated != nil || inBackOff(c)) {
		p.Phase, p.Reason = Failing, exitReason(t)
		p.Message = strings.TrimSpace(t.Message)
		p.wantsLog = &logRequest{container: c.Name, previous: c.State.Terminated == nil, lines: 50}
		p.Final = c.RestartCount >= crashesUntilFinal || permanent(c.Name, t)
		p.Next = fmt.Sprintf("kubectl logs -n %s %s -c %s --previous%s", pod.Namespace, pod.Name, c.Name, p.target)
		if other != "" {
			p.foreign, p.Message = other, strings.TrimSuffix(other+" failed: "+p.Message, ": ")
			return true
		}
		diagnoseProbeKill(p, t, events)
		return true
	}
	w := c.State.Waiting
	if w == nil {
		return false
	}
	switch w.Reason {
	case "ErrImagePull", "ImagePullBackOff", "InvalidImageName", "ErrImageNeverPull", "RegistryUnavailable":
		diagnosePull(p, pod, c, events)
		return true
	case "CreateContainerConfigError", "CreateContainerError", "RunContainerError":
		p.Phase, p.Reason, p.Message = Failing, w.Reason, w.Message
		// What names an object that is missing stays so; a slow node mends itself.
		p.Final = strings.Contains(w.Message, "not found") || strings.Contains(w.Message, "couldn't find key") ||
			count(events, "Failed", "") > failuresUntilFinal
		if other != "" {
			p.Message = other + ": " + p.Message
		}
		p.Next = fmt.Sprintf("kubectl describe pod -n %s %s%s", pod.Namespace, pod.Name, p.target)
		return true
	}
	return false
}

// diagnoseRestarted keeps the reason of the last crash in sight while the server starts again.
func diagnoseRestarted(p *Pod, server *corev1.ContainerStatus, events []corev1.Event) {
	t := server.LastTerminationState.Terminated
	if t == nil {
		return
	}
	p.Reason = "Restarted"
	p.Message = fmt.Sprintf("start %d, after: %s", server.RestartCount+1, exitReason(t))
	if server.RestartCount >= crashesUntilFinal || permanent(server.Name, t) {
		p.Phase, p.Final = Failing, true
		p.Reason = exitReason(t)
		p.Message = strings.TrimSpace(t.Message)
		p.wantsLog = &logRequest{container: server.Name, previous: true, lines: 50}
		diagnoseProbeKill(p, t, events)
	}
}

// diagnoseProbeKill recognizes a server that was not broken but slow: the kubelet ended it.
func diagnoseProbeKill(p *Pod, t *corev1.ContainerStateTerminated, events []corev1.Event) {
	if t.Reason == "OOMKilled" {
		return
	}
	// The event decides, not the exit code: vLLM ends with one of its own while it starts.
	if e := last(events, "Killing"); e != nil && strings.Contains(e.Message, "startup probe") {
		p.Reason = "StartupProbeFailed"
		p.Message = "the server was still starting when its time was up: " + e.Message
		p.Next = "give it longer: --set probes.startup.budgetSeconds=SECONDS"
	}
}

func diagnosePreparing(p *Pod, events []corev1.Event) {
	p.Phase = Preparing
	for i := len(events) - 1; i >= 0; i-- {
		switch e := events[i]; e.Reason {
		case "FailedMount", "FailedAttachVolume", "FailedCreatePodSandBox":
			p.Reason, p.Message = e.Reason, e.Message
			return
		case "Pulling":
			p.Phase, p.Message = Pulling, strings.TrimPrefix(e.Message, "Pulling image ")
			return
		case "Pulled", "Started", "Created":
			return
		}
	}
}
