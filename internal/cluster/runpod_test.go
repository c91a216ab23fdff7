package cluster

import (
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/kubectl-summarizer/kubectl-summarizer/pkg/train"
)

// runPod is a pod of a run whose program is in this state.
func runPod(phase corev1.PodPhase, state corev1.ContainerState, change func(*corev1.Pod)) *corev1.Pod {
	p := &corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{Name: "p", Namespace: "ns"},
		Spec:       corev1.PodSpec{NodeName: "n", Containers: []corev1.Container{{Name: train.ContainerName, Image: "vllm/vllm-openai:v0.32.0"}}},
		Status: corev1.PodStatus{
			Phase:             phase,
			ContainerStatuses: []corev1.ContainerStatus{{Name: train.ContainerName, State: state}},
			Conditions:        []corev1.PodCondition{{Type: corev1.PodScheduled, Status: corev1.ConditionTrue}},
		},
	}
	if change != nil {
		change(p)
	}
	return p
}

func exited(code int32, reason, message string) corev1.ContainerState {
	return corev1.ContainerState{Terminated: &corev1.ContainerStateTerminated{ExitCode: code, Reason: reason, Message: message}}
}

func TestRunPod(t *testing.T) {
	running := corev1.ContainerState{Running: &corev1.ContainerStateRunning{}}
	waits := func(reason, message string) corev1.ContainerState {
		return corev1.ContainerState{Waiting: &corev1.ContainerStateWaiting{Reason: reason, Message: message}}
	}
	event := func(reason, message string, count int32) corev1.Event {
		return corev1.Event{Reason: reason, Message: message, Count: count}
	}
	unscheduled := func(message string) func(*corev1.Pod) {
		return func(p *corev1.Pod) {
			p.Spec.NodeName = ""
			p.Status.Conditions = []corev1.PodCondition{{Type: corev1.PodScheduled, Status: corev1.ConditionFalse, Reason: "Unschedulable", Message: message}}
		}
	}
	for name, test := range map[string]struct {
		pod         *corev1.Pod
		events      []corev1.Event
		phase       Phase
		reason      string
		says, next  string
		final, over bool
	}{
		"at work":     {pod: runPod(corev1.PodRunning, running, nil), phase: Running},
		"done":        {pod: runPod(corev1.PodSucceeded, exited(0, "Completed", ""), nil), phase: Ended},
		"just now":    {pod: runPod(corev1.PodRunning, exited(0, "Completed", ""), nil), phase: Ended},
		"just failed": {pod: runPod(corev1.PodRunning, exited(1, "Error", ""), nil), phase: Stopping},
		"going": {pod: runPod(corev1.PodRunning, running, func(p *corev1.Pod) {
			p.DeletionTimestamp = &metav1.Time{Time: began}
		}), phase: Stopping},
		"failed": {pod: runPod(corev1.PodFailed, exited(3, "Error", "no access\n"), nil), phase: Failing, reason: "exit code 3", says: "no access", over: true},
		"out of memory": {pod: runPod(corev1.PodFailed, exited(137, "OOMKilled", ""), nil), phase: Failing, reason: "OOMKilled (exit code 137)",
			next: "which is not the GPU's: --memory NGi", over: true},
		"evicted": {pod: runPod(corev1.PodFailed, corev1.ContainerState{}, func(p *corev1.Pod) {
			p.Status.Reason, p.Status.Message = "Evicted", "The node was low on resource: memory."
		}), phase: Failing, reason: "Evicted", says: "low on resource", next: "--memory NGi", over: true},
		"refused by its node": {pod: runPod(corev1.PodFailed, corev1.ContainerState{}, func(p *corev1.Pod) {
			p.Status.Reason, p.Status.Message = "UnexpectedAdmissionError", "no devices"
		}), phase: Failing, reason: "UnexpectedAdmissionError", next: "kubectl describe pod -n ns p --context c", over: true},
		"no GPU":   {pod: runPod(corev1.PodPending, corev1.ContainerState{}, unscheduled("0/3 nodes: 3 Insufficient nvidia.com/gpu")), phase: Unscheduled, reason: "Unschedulable", says: "Insufficient", next: "every GPU is taken"},
		"no label": {pod: runPod(corev1.PodPending, corev1.ContainerState{}, unscheduled("didn't match Pod's node affinity/selector")), phase: Unscheduled, reason: "Unschedulable", next: "--gpu-accelerator NAME, --platform custom"},
		"no quota": {pod: runPod(corev1.PodPending, corev1.ContainerState{}, unscheduled("Insufficient nvidia.com/gpu")), events: []corev1.Event{event("FailedScaleUp", "GCE quota exceeded", 1)},
			phase: Unscheduled, reason: "FailedScaleUp", says: "quota", next: "use another accelerator: --gpu-accelerator"},
		"a volume elsewhere": {pod: runPod(corev1.PodPending, corev1.ContainerState{}, unscheduled("node(s) had volume node affinity conflict")), phase: Unscheduled, reason: "Unschedulable", next: "kubectl get pvc -n ns --context c"},
		"pulling":            {pod: runPod(corev1.PodPending, waits("ContainerCreating", ""), nil), events: []corev1.Event{event("Pulling", `Pulling image "i"`, 1)}, phase: Pulling, says: `"i"`},
		"a volume that does not come": {pod: runPod(corev1.PodPending, waits("ContainerCreating", ""), nil), events: []corev1.Event{event("FailedAttachVolume", "Multi-Attach error", 1)},
			phase: Preparing, reason: "FailedAttachVolume", says: "Multi-Attach"},
		"no such image": {pod: runPod(corev1.PodPending, waits("ImagePullBackOff", "Back-off"), nil), events: []corev1.Event{event("Failed", `Failed to pull image "vllm/vllm-openai:v0.32.0": not found`, 2)},
			phase: Failing, reason: "ImagePullBackOff", says: "the image vllm/vllm-openai:v0.32.0 cannot be pulled: not found", next: "--image-pull-secret SECRET", final: true},
		"a Secret that is not": {pod: runPod(corev1.PodPending, waits("CreateContainerConfigError", `secret "hf" not found`), nil), phase: Failing, reason: "CreateContainerConfigError", says: `secret "hf"`, final: true},
		"a TrainJob's container": {pod: runPod(corev1.PodRunning, corev1.ContainerState{}, func(p *corev1.Pod) {
			p.Spec.Containers[0].Name = "node"
			p.Status.ContainerStatuses = []corev1.ContainerStatus{{Name: "node", State: running}}
		}), phase: Running},
	} {
		p := RunPod(test.pod, test.events, " --context c")
		if p.Phase != test.phase || p.Reason != test.reason || p.Final != test.final || p.Over != test.over ||
			!strings.Contains(p.Message, test.says) || !strings.Contains(p.Next, test.next) || strings.Contains(p.Message, "the container trainer") {
			t.Errorf("%s: %+v", name, p)
		}
	}
}

func TestDisruption(t *testing.T) {
	target := func(status corev1.ConditionStatus) func(*corev1.Pod) {
		return func(p *corev1.Pod) {
			p.Status.Conditions = append(p.Status.Conditions, corev1.PodCondition{Type: corev1.DisruptionTarget, Status: status, Reason: "PreemptionByScheduler", Message: "m"})
		}
	}
	for name, test := range map[string]struct {
		pod  *corev1.Pod
		want string
	}{
		"taken":              {runPod(corev1.PodFailed, exited(137, "Error", ""), target(corev1.ConditionTrue)), "PreemptionByScheduler: m"},
		"not taken":          {runPod(corev1.PodFailed, exited(137, "Error", ""), target(corev1.ConditionFalse)), ""},
		"a spot node's end":  {runPod(corev1.PodFailed, corev1.ContainerState{}, func(p *corev1.Pod) { p.Status.Reason = "Terminated" }), "Terminated"},
		"its own fault":      {runPod(corev1.PodFailed, exited(1, "Error", ""), nil), ""},
		"a pod that is well": {runPod(corev1.PodRunning, corev1.ContainerState{}, nil), ""},
	} {
		if got := Disruption(test.pod); got != test.want {
			t.Errorf("%s: %q, want %q", name, got, test.want)
		}
	}
}
