package cluster

import (
	"fmt"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/kubectl/pkg/util/podutils"
)

// crashesUntilFinal is how often the server may crash until an installation gives up on it:
// twice shows that the crash was no accident.
const crashesUntilFinal = 2

// failuresUntilFinal is how often a container may fail to be created: the kubelet's own
// time limits mend themselves at the second or third try.
const failuresUntilFinal = 3

// exitPermanent is the download container's exit code for a failure that no retry mends
// (no such model, no access); the chart's script documents it.
const exitPermanent = 3

// exitUsage is how vLLM ends when it does not know a flag.
const exitUsage = 2

func permanent(container string, t *corev1.ContainerStateTerminated) bool {
	return container == DownloadContainer && t.ExitCode == exitPermanent ||
		container == ServerContainer && t.ExitCode == exitUsage
}

func isReady(pod *corev1.Pod) bool { return podutils.IsPodReady(pod) }

func scheduled(pod *corev1.Pod) bool {
	for _, c := range pod.Status.Conditions {
		if c.Type == corev1.PodScheduled {
			return c.Status == corev1.ConditionTrue
		}
	}
	return pod.Spec.NodeName != ""
}

func statusOf(statuses []corev1.ContainerStatus, name string) *corev1.ContainerStatus {
	for i := range statuses {
		if statuses[i].Name == name {
			return &statuses[i]
		}
	}
	return nil
}

func done(c *corev1.ContainerStatus) bool {
	return c.State.Terminated != nil && c.State.Terminated.ExitCode == 0
}

// failed says whether the end of a container was a failure; a server has no good end.
func failed(c *corev1.ContainerStatus, t *corev1.ContainerStateTerminated) bool {
	return t.ExitCode != 0 || c.Name == ServerContainer
}

func inBackOff(c *corev1.ContainerStatus) bool {
	return c.State.Waiting != nil && c.State.Waiting.Reason == "CrashLoopBackOff"
}

// firstTerminated returns how the container ended, now or last time.
func firstTerminated(c *corev1.ContainerStatus) *corev1.ContainerStateTerminated {
	if c.State.Terminated != nil {
		return c.State.Terminated
	}
	return c.LastTerminationState.Terminated
}

func exitReason(t *corev1.ContainerStateTerminated) string {
	switch {
	case t == nil:
		return ""
	case t.Reason == "" || t.Reason == "Error" || t.Reason == "Completed":
		return fmt.Sprintf("exit code %d", t.ExitCode)
	}
	return fmt.Sprintf("%s (exit code %d)", t.Reason, t.ExitCode)
}

// isSidecar says whether an init container goes on running beside the server.
func isSidecar(pod *corev1.Pod, name string) bool {
	return slices.ContainsFunc(pod.Spec.InitContainers, func(c corev1.Container) bool {
		return c.Name == name && c.RestartPolicy != nil && *c.RestartPolicy == corev1.ContainerRestartPolicyAlways
	})
}

// foreign names a container that is not the chart's, for messages; "" for one of its own.
func foreign(pod *corev1.Pod, name string) string {
	switch {
	case name == ServerContainer, name == DownloadContainer:
		return ""
	case slices.ContainsFunc(pod.Spec.InitContainers, func(c corev1.Container) bool { return c.Name == name }):
		return "the init container " + name
	}
	return "the container " + name
}

// gpus counts the whole GPUs, shares or partitions that the server asks for.
func gpus(pod *corev1.Pod) int64 {
	var n int64
	for _, c := range pod.Spec.Containers {
		for name, quantity := range c.Resources.Limits {
			if strings.HasPrefix(string(name), "nvidia.com/") {
				n += quantity.Value()
			}
		}
	}
	return n
}

func imageOf(pod *corev1.Pod, container string) string {
	for _, c := range append(append([]corev1.Container{}, pod.Spec.InitContainers...), pod.Spec.Containers...) {
		if c.Name == container {
			return c.Image
		}
	}
	return ""
}

// last returns the newest event with one of the reasons, or nil.
func last(events []corev1.Event, reasons ...string) *corev1.Event {
	for i := len(events) - 1; i >= 0; i-- {
		for _, reason := range reasons {
			if events[i].Reason == reason {
				return &events[i]
			}
		}
	}
	return nil
}

// count returns how often an event with the reason, and the text in its message, was seen.
func count(events []corev1.Event, reason, text string) int32 {
	var n int32
	for _, e := range events {
		if e.Reason == reason && strings.Contains(e.Message, text) {
			n += max(e.Count, 1)
		}
	}
	return n
}
