package cluster

import (
	"fmt"
	"strings"

	corev1 "k8s.io/api/core/v1"

	"github.com/kubectl-summarizer/kubectl-summarizer/pkg/train"
)

// Phases of a training run's pod that a server's has not.
const (
	Running Phase = "Running" // the program is at work
	Ended   Phase = "Ended"   // it has done its part
)

// RunPod tells from a pod of a training run and its events, oldest first, how far it is and
// what is wrong. Target holds the flags for the commands in its hints.
func RunPod(pod *corev1.Pod, events []corev1.Event, target string) Pod {
	p := Pod{Name: pod.Name, Node: pod.Spec.NodeName, GPUs: gpus(pod), Created: pod.CreationTimestamp.Time, target: target}
	program := programOf(pod)
	if program != nil {
		p.Restarts = program.RestartCount
	}
	switch {
	case pod.Status.Phase == corev1.PodSucceeded:
		p.Phase = Ended
	case pod.Status.Phase == corev1.PodFailed:
		runPodFailed(&p, pod, program)
	case pod.DeletionTimestamp != nil:
		p.Phase = Stopping
	case !scheduled(pod):
		diagnoseUnscheduled(&p, pod, events)
		p.Next = nextForUnscheduledRun(p.Message, pod, target)
	case program != nil && program.State.Running != nil:
		p.Phase = Running
	case program != nil && program.State.Terminated != nil:
		// The pod's own phase follows within a moment.
		if p.Phase = Stopping; program.State.Terminated.ExitCode == 0 {
			p.Phase = Ended
		}
	case program != nil && runPodStuck(&p, pod, program, events):
	default:
		diagnosePreparing(&p, events)
	}
	return p
}

// ProgramContainer names the container of the training program: a TrainJob's runtime has a name
// of its own for it.
func ProgramContainer(pod *corev1.Pod) string {
	for _, c := range pod.Spec.Containers {
		if c.Name == train.ContainerName {
			return c.Name
		}
	}
	return pod.Spec.Containers[0].Name
}

func programOf(pod *corev1.Pod) *corev1.ContainerStatus {
	if len(pod.Spec.Containers) == 0 {
		return nil
	}
	return statusOf(pod.Status.ContainerStatuses, ProgramContainer(pod))
}

// Disruption says why a pod was taken away by the cluster, and "" when it was not: then what
// its program ended with counts.
func Disruption(pod *corev1.Pod) string {
	for _, c := range pod.Status.Conditions {
		if c.Type == corev1.DisruptionTarget && c.Status == corev1.ConditionTrue {
			return strings.TrimPrefix(c.Reason+": "+c.Message, ": ")
		}
	}
	if pod.Status.Phase == corev1.PodFailed && passingEnds[pod.Status.Reason] {
		return strings.TrimSuffix(pod.Status.Reason+": "+pod.Status.Message, ": ")
	}
	return ""
}

// Termination returns how the training program's container ended, or nil.
func Termination(pod *corev1.Pod) *corev1.ContainerStateTerminated {
	program := programOf(pod)
	if program == nil {
		return nil
	}
	return program.State.Terminated
}

func runPodFailed(p *Pod, pod *corev1.Pod, program *corev1.ContainerStatus) {
	p.Phase, p.Over = Failing, true
	p.Reason, p.Message = pod.Status.Reason, strings.TrimSpace(pod.Status.Message)
	if program != nil && program.State.Terminated != nil && p.Reason == "" {
		p.Reason, p.Message = exitReason(program.State.Terminated), strings.TrimSpace(program.State.Terminated.Message)
	}
	p.LastExit = p.Reason
	p.Next = nextForFailedRun(pod, program, p.target)
}

func runPodStuck(p *Pod, pod *corev1.Pod, program *corev1.ContainerStatus, events []corev1.Event) bool {
	w := program.State.Waiting
	if w == nil {
		return false
	}
	switch w.Reason {
	case "ErrImagePull", "ImagePullBackOff", "InvalidImageName", "ErrImageNeverPull", "RegistryUnavailable":
		pullFailure(p, pod, program, events, "--image-pull-secret SECRET")
		return true
	case "CreateContainerConfigError", "CreateContainerError", "RunContainerError":
		p.Phase, p.Reason, p.Message = Failing, w.Reason, w.Message
		// What names an object that is missing stays so; a slow node mends itself.
		p.Final = strings.Contains(w.Message, "not found") || strings.Contains(w.Message, "couldn't find key") ||
			count(events, "Failed", "") > failuresUntilFinal
		p.Next = fmt.Sprintf("kubectl describe pod -n %s %s%s", pod.Namespace, pod.Name, p.target)
		return true
	}
	return false
}

func nextForUnscheduledRun(message string, pod *corev1.Pod, target string) string {
	switch lower := strings.ToLower(message); {
	case strings.Contains(lower, "quota"):
		return "ask for more GPU quota in this region, or use another accelerator: --gpu-accelerator"
	case strings.Contains(lower, "insufficient nvidia.com"):
		return "every GPU is taken. See by what: kubectl get pods -A -o wide" + target
	case strings.Contains(lower, "node affinity/selector"):
		return "no node has the labels asked for. See: kubectl get nodes -L cloud.google.com/gke-accelerator" + target +
			"\nor choose others: --gpu-accelerator NAME, --platform custom"
	case strings.Contains(lower, "persistentvolumeclaim"), strings.Contains(lower, "volume node affinity"):
		return "see: kubectl get pvc -n " + pod.Namespace + target
	case strings.Contains(lower, "insufficient memory"), strings.Contains(lower, "insufficient cpu"):
		return "ask for less: --cpu N, --memory NGi"
	}
	return ""
}

func nextForFailedRun(pod *corev1.Pod, program *corev1.ContainerStatus, target string) string {
	see := fmt.Sprintf("see: kubectl describe pod -n %s %s%s", pod.Namespace, pod.Name, target)
	if pod.Status.Reason == evicted && strings.Contains(pod.Status.Message, "memory") {
		return "ask for more memory: --memory NGi\n" + see
	}
	if program != nil && program.State.Terminated != nil && program.State.Terminated.Reason == "OOMKilled" {
		return "the container had too little memory, which is not the GPU's: --memory NGi"
	}
	if pod.Status.Reason != "" && !passingEnds[pod.Status.Reason] {
		return see
	}
	return ""
}
