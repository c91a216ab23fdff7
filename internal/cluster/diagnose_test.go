package cluster

import (
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

func TestDiagnose(t *testing.T) {
	waiting := func(reason, message string) corev1.ContainerState {
		return corev1.ContainerState{Waiting: &corev1.ContainerStateWaiting{Reason: reason, Message: message}}
	}
	running := corev1.ContainerState{Running: &corev1.ContainerStateRunning{}}
	exited := func(code int32, reason, message string) corev1.ContainerState {
		return corev1.ContainerState{Terminated: terminated(code, reason, message)}
	}
	tests := map[string]struct {
		pod     func(*corev1.Pod)
		events  []corev1.Event
		phase   Phase
		reason  string
		message string
		next    string
		final   bool
	}{
		"no node is free": {
			pod:   unscheduled("0/1 nodes are available: 1 Insufficient nvidia.com/gpu."),
			phase: Unscheduled, reason: "Unschedulable", message: "Insufficient nvidia.com/gpu", next: "every GPU is taken",
		},
		"the autoscaler's refusal outweighs the scheduler's": {
			pod:    unscheduled("0/1 nodes are available: 1 Insufficient nvidia.com/gpu."),
			events: []corev1.Event{event("FailedScheduling", "0/1"), event("FailedScaleUp", "Node scale up in zones us-central1-a failed: GCE quota exceeded")},
			phase:  Unscheduled, reason: "FailedScaleUp", message: "GCE quota exceeded", next: "ask for more GPU quota",
		},
		"a node is being added": {
			pod:    unscheduled("0/1 nodes are available: 1 Insufficient nvidia.com/gpu."),
			events: []corev1.Event{event("TriggeredScaleUp", "pod triggered scale-up: [{pool 0->1 (max: 4)}]")},
			phase:  Unscheduled, message: "a node is being added",
		},
		"pulling": {
			pod:    containers(waiting("PodInitializing", ""), nil),
			events: []corev1.Event{event("Scheduled", ""), event("Pulling", `Pulling image "vllm/vllm-openai:v0.32.0"`)},
			phase:  Pulling, message: "vllm/vllm-openai:v0.32.0",
		},
		"a volume does not come": {
			pod:    containers(waiting("PodInitializing", ""), nil),
			events: []corev1.Event{event("FailedMount", `MountVolume.SetUp failed for volume "cache"`)},
			phase:  Preparing, reason: "FailedMount", message: "cache",
		},
		"downloading":                {pod: containers(waiting("PodInitializing", ""), &running), phase: Downloading},
		"between the two":            {pod: containers(waiting("PodInitializing", ""), done0()), phase: Loading},
		"loading":                    {pod: containers(running, done0()), phase: Loading},
		"an image that is not there": {pod: containers(waiting("ImagePullBackOff", "Back-off"), nil), events: []corev1.Event{event("Failed", `Failed to pull image "x:y": not found`), event("Failed", "Error: ErrImagePull"), event("Failed", `Failed to pull image "x:y": not found`), event("Failed", "Error: ErrImagePull")}, phase: Failing, reason: "ImagePullBackOff", message: "cannot be pulled: not found", next: "--image", final: true},
		"one failed pull may be a hiccup": {
			pod:    containers(waiting("ErrImagePull", "connection reset"), nil),
			events: []corev1.Event{event("Failed", `Failed to pull image "x:y": connection reset`), event("Failed", "Error: ErrImagePull")}, phase: Failing, reason: "ErrImagePull", message: "connection reset",
		},
		"a Secret without the key": {
			pod:   containers(waiting("CreateContainerConfigError", `couldn't find key hf_api_token in Secret default/hf-secret`), nil),
			phase: Failing, reason: "CreateContainerConfigError", message: "couldn't find key", final: true,
		},
		"a slow node mends itself": {
			pod:   containers(waiting("CreateContainerError", "context deadline exceeded"), nil),
			phase: Failing, reason: "CreateContainerError",
		},
		"a server that ends well has failed too": {
			pod:   crashed(waiting("CrashLoopBackOff", ""), 2, *exited(0, "Completed", "").Terminated),
			phase: Failing, reason: "exit code 0", final: true,
		},
		"no access to the model is final at once": {
			pod:   containers(waiting("PodInitializing", ""), ptr(exited(exitPermanent, "Error", "download failed: a/b: 403 gated"))),
			phase: Failing, message: "403 gated", final: true,
		},
		"a broken download is tried again": {
			pod:   containers(waiting("PodInitializing", ""), ptr(exited(1, "Error", "download failed: connection reset"))),
			phase: Failing, message: "connection reset",
		},
		"an unknown flag is final at once": {
			pod:   containers(exited(exitUsage, "Error", ""), done0()),
			phase: Failing, reason: "exit code 2", final: true,
		},
		"an unknown flag, started again": {
			pod:   crashed(running, 1, *exited(exitUsage, "Error", "").Terminated),
			phase: Failing, reason: "exit code 2", final: true,
		},
		"the first crash is not final": {
			pod:   containers(exited(1, "Error", ""), done0()),
			phase: Failing, reason: "exit code 1",
		},
		"a crash loop": {
			pod:   crashed(waiting("CrashLoopBackOff", "back-off"), 3, *exited(1, "Error", "").Terminated),
			phase: Failing, reason: "exit code 1", next: "kubectl logs", final: true,
		},
		"out of memory": {
			pod:   crashed(waiting("CrashLoopBackOff", ""), 2, *exited(137, "OOMKilled", "").Terminated),
			phase: Failing, reason: "OOMKilled", final: true,
		},
		"killed by its startup probe": {
			pod:    crashed(waiting("CrashLoopBackOff", ""), 2, *exited(130, "Error", "").Terminated),
			events: []corev1.Event{event("Killing", "Container vllm failed startup probe, will be restarted")},
			phase:  Failing, reason: "StartupProbeFailed", message: "still starting", next: "probes.startup", final: true,
		},
		"starting again after a crash": {
			pod:   crashed(running, 1, *exited(1, "Error", "").Terminated),
			phase: Loading, reason: "Restarted", message: "start 2, after: exit code 1",
		},
		"evicted": {
			pod:   ended("Evicted", "The node was low on resource: ephemeral-storage. "),
			phase: Failing, reason: "Evicted", message: "ephemeral-storage", next: "resources.requests.ephemeral-storage",
		},
		"more in the cache than its volume may hold": {
			pod:   ended("Evicted", `Usage of EmptyDir volume "cache" exceeds the limit "18Gi". `),
			phase: Failing, reason: "Evicted", next: "model.weightsGiB",
		},
		"refused by its node": {
			pod:   ended("UnexpectedAdmissionError", "Pod was rejected: Allocate failed due to no healthy devices present"),
			phase: Failing, reason: "UnexpectedAdmissionError", next: "kubectl describe node node-1",
		},
		"its node was shut down": {
			pod:   ended("Terminated", "Pod was terminated in response to imminent node shutdown."),
			phase: Failing, reason: "Terminated",
		},
		"one label is missing on all nodes": {
			pod: unscheduled("0/1 nodes are available: 1 node(s) didn't match Pod's node affinity/selector."), phase: Unscheduled, next: "kubectl get nodes -L",
		},
		"a claim that does not bind": {
			pod: unscheduled("pod has unbound immediate PersistentVolumeClaims"), phase: Unscheduled, next: "kubectl get pvc",
		},
		"a registry that is busy is asked again": {
			pod:    containers(waiting("ImagePullBackOff", "Back-off"), nil),
			events: pulls(4, "unexpected status from HEAD request: 429 Too Many Requests - toomanyrequests: You have reached your unauthenticated pull rate limit"),
			phase:  Failing, message: "429", next: "imagePullSecrets",
		},
		"a registry that stays busy": {
			pod: containers(waiting("ImagePullBackOff", "Back-off"), nil), events: pulls(5, "429 Too Many Requests"), phase: Failing, next: "limits", final: true,
		},
		"a network that breaks": {
			pod: containers(waiting("ImagePullBackOff", "Back-off"), nil), events: pulls(4, "dial tcp 1.2.3.4:443: i/o timeout"), phase: Failing, next: "reach the registry",
		},
		"a pull that breaks off": {
			pod: containers(waiting("ImagePullBackOff", "Back-off"), nil), events: pulls(4, "failed to copy: httpReadSeeker: unexpected EOF"), phase: Failing, next: "reach the registry",
		},
		"an image that may not be had": {
			pod: containers(waiting("ImagePullBackOff", "Back-off"), nil), events: pulls(2, "pull access denied, repository does not exist or may require authorization"), phase: Failing, next: "imagePullSecrets", final: true,
		},
		"another image's failures do not count": {
			pod:    containers(waiting("ErrImagePull", "not found"), nil),
			events: append([]corev1.Event{event("Failed", `Failed to pull image "mesh:v1": not found`)}, pulls(1, "not found")...),
			phase:  Failing, message: "not found",
		},
		"no name of an image": {pod: containers(waiting("InvalidImageName", "couldn't parse"), nil), phase: Failing, final: true},
		"a service mesh's init container fails": {
			pod:   injected(waiting("CrashLoopBackOff", "back-off"), 1, terminated(255, "Error", "")),
			phase: Failing, reason: "exit code 255", message: "the init container mesh-init failed", next: "-c mesh-init --previous",
		},
		"and goes on to fail": {
			pod:   injected(waiting("CrashLoopBackOff", "back-off"), 2, terminated(255, "Error", "iptables: no such table")),
			phase: Failing, message: "the init container mesh-init failed: iptables: no such table", final: true,
		},
		"its image cannot be pulled": {
			pod:   injected(waiting("ImagePullBackOff", "denied"), 0, nil),
			phase: Failing, message: "the init container mesh-init: the image mesh:v1 cannot be pulled: denied", next: "kubectl describe pod",
		},
		"it is at work": {
			pod: injected(running, 0, nil), phase: Preparing, message: "the init container mesh-init is at work",
		},
		"a sidecar that runs is passed over": {
			pod: func(p *corev1.Pod) {
				injected(running, 0, nil)(p)
				p.Spec.InitContainers[0].RestartPolicy = ptr(corev1.ContainerRestartPolicyAlways)
				p.Status.ContainerStatuses[0].State = running
			},
			phase: Loading,
		},
		"the server is ready, a container beside it is not": {
			pod: func(p *corev1.Pod) {
				containers(running, done0())(p)
				p.Status.ContainerStatuses[0].Ready = true
				p.Status.ContainerStatuses = append(p.Status.ContainerStatuses, corev1.ContainerStatus{
					Name: "mesh-proxy", RestartCount: 1, State: waiting("CrashLoopBackOff", ""), LastTerminationState: corev1.ContainerState{Terminated: terminated(1, "Error", "")},
				})
			},
			phase: Failing, message: "the container mesh-proxy failed",
		},
		"ready": {
			pod: func(p *corev1.Pod) {
				p.Status.Conditions = append(p.Status.Conditions, corev1.PodCondition{Type: corev1.PodReady, Status: corev1.ConditionTrue})
			},
			phase: Ready,
		},
		"going": {pod: func(p *corev1.Pod) { p.DeletionTimestamp = &metav1.Time{Time: time.Unix(1, 0)} }, phase: Stopping},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			pod := &corev1.Pod{
				ObjectMeta: metav1.ObjectMeta{Name: "server-0", Namespace: "default"},
				Spec:       corev1.PodSpec{NodeName: "node-1", Containers: []corev1.Container{{Name: ServerContainer, Image: "x:y"}}, InitContainers: []corev1.Container{{Name: DownloadContainer, Image: "x:y"}}},
				Status:     corev1.PodStatus{Phase: corev1.PodPending, Conditions: []corev1.PodCondition{{Type: corev1.PodScheduled, Status: corev1.ConditionTrue}}},
			}
			tt.pod(pod)
			got := diagnose(pod, tt.events, there)
			aimed(t, got.Next)
			if got.Phase != tt.phase || got.Final != tt.final {
				t.Errorf("phase %s final %v, want %s %v", got.Phase, got.Final, tt.phase, tt.final)
			}
			for what, pair := range map[string][2]string{"reason": {got.Reason, tt.reason}, "message": {got.Message, tt.message}, "next": {got.Next, tt.next}} {
				if !strings.Contains(pair[0], pair[1]) {
					t.Errorf("%s = %q, want it to contain %q", what, pair[0], pair[1])
				}
			}
		})
	}
}

func TestReadLog(t *testing.T) {
	tests := map[string]struct {
		phase   Phase
		log     string
		message string
		next    string
	}{
		"the context does not fit": {
			phase:   Failing,
			log:     "(EngineCore pid=71) ERROR 11-23 10:00:00 [core.py:1] ValueError: To serve at least one request with the model's max seq len (32768), (4.00 GiB KV cache is needed, which is larger than the available KV cache memory (3.61 GiB). Based on the available memory, the estimated maximum model length is 29568.\n(APIServer pid=1) RuntimeError: Engine core initialization failed.\n",
			message: "estimated maximum model length is 29568", next: "--max-model-len",
		},
		"an unknown flag":   {phase: Failing, log: "usage: vllm serve\nvllm: error: unrecognized arguments: --bogus-flag 3\n", message: "unrecognized arguments: --bogus-flag 3", next: "engine.extraArgs"},
		"no GPU in sight":   {phase: Failing, log: "RuntimeError: Failed to infer device type\n", message: "vLLM sees no GPU", next: "kubectl describe node n1" + there},
		"an unknown crash":  {phase: Failing, log: "a\nKeyError: 'x'\nbye\n", message: "KeyError: 'x'"},
		"loading progress":  {phase: Loading, log: "INFO 11-23 10:00:00 [weight_utils.py:1] Loading weights\n\rLoading safetensors checkpoint shards:   0% Completed\rLoading safetensors checkpoint shards:  50% Completed\n", message: "Loading safetensors checkpoint shards:  50% Completed"},
		"download progress": {phase: Downloading, log: "download: 1.2 of 14.5 GiB (8 %)\n", message: "1.2 of 14.5 GiB (8 %)"},
		"an empty log":      {phase: Failing, log: "\n\n"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			p := Pod{Phase: tt.phase, Node: "n1", target: there}
			p.readLog(tt.log)
			aimed(t, p.Next)
			if !strings.Contains(p.Message, tt.message) || tt.message == "" && p.Message != "" {
				t.Errorf("message = %q, want it to contain %q", p.Message, tt.message)
			}
			if !strings.Contains(p.Next, tt.next) {
				t.Errorf("next = %q, want it to contain %q", p.Next, tt.next)
			}
		})
	}
}

// What another program logs is shown with its name, and not taken for a message of vLLM.
func TestReadTheLogOfAnotherContainer(t *testing.T) {
	const log = "starting\niptables Error: No space left on device\nbye\n"
	for message, want := range map[string]string{
		"the init container mesh-init failed":                "the init container mesh-init failed: iptables Error: No space left on device",
		"the init container mesh-init failed: it said it so": "the init container mesh-init failed: it said it so",
	} {
		p := Pod{Phase: Failing, foreign: "the init container mesh-init", Message: message, Next: "kubectl logs"}
		p.readLog(log)
		if p.Message != want || p.Next != "kubectl logs" || len(p.Log) != 3 {
			t.Errorf("message %q, next %q, log %q", p.Message, p.Next, p.Log)
		}
	}
}

func FuzzReadLog(f *testing.F) {
	f.Add("(EngineCore pid=71) INFO 11-23 [a] b\r\nc\r\x00")
	f.Fuzz(func(_ *testing.T, log string) {
		for _, phase := range []Phase{Failing, Loading, Downloading} {
			p := Pod{Phase: phase}
			p.readLog(log)
		}
	})
}

func TestFurthest(t *testing.T) {
	view := View{Pods: []Pod{
		{Name: "ready", Phase: Ready, Current: true}, {Name: "loading", Phase: Loading, Current: true},
		{Name: "old", Phase: Failing}, {Name: "going", Phase: Stopping, Current: true},
	}}
	if got := view.Furthest(); got.Name != "loading" {
		t.Errorf("Furthest() = %s, want loading", got.Name)
	}
	view.Pods = append(view.Pods, Pod{Name: "evicted", Phase: Failing, Current: true, Over: true})
	if got := view.Furthest(); got.Name != "loading" {
		t.Errorf("Furthest() = %s, want loading: an evicted pod is replaced", got.Name)
	}
	view.Pods[0].Phase = Failing
	if got := view.Furthest(); got.Name != "ready" {
		t.Errorf("Furthest() = %s, want the failing one", got.Name)
	}
}

// there is what Target is in these tests.
const there = " --context there --kubeconfig file"

// aimed asserts that every command of a hint, which ends its line, reaches the same cluster.
func aimed(t *testing.T, next string) {
	t.Helper()
	for line := range strings.Lines(next) {
		if line = strings.TrimSpace(line); strings.Contains(line, "kubectl ") && !strings.HasSuffix(line, there) {
			t.Errorf("%q may mean another cluster", line)
		}
	}
}

func event(reason, message string) corev1.Event {
	return corev1.Event{Reason: reason, Message: message}
}

func ptr[T any](v T) *T { return &v }

func done0() *corev1.ContainerState {
	return &corev1.ContainerState{Terminated: &corev1.ContainerStateTerminated{}}
}

func unscheduled(message string) func(*corev1.Pod) {
	return func(p *corev1.Pod) {
		p.Spec.NodeName = ""
		p.Status.Conditions = []corev1.PodCondition{{Type: corev1.PodScheduled, Status: corev1.ConditionFalse, Reason: "Unschedulable", Message: message}}
	}
}

// containers sets the server's state, and the download's unless it has none yet.
func containers(server corev1.ContainerState, download *corev1.ContainerState) func(*corev1.Pod) {
	return func(p *corev1.Pod) {
		p.Status.ContainerStatuses = []corev1.ContainerStatus{{Name: ServerContainer, State: server}}
		if download != nil {
			p.Status.InitContainerStatuses = []corev1.ContainerStatus{{Name: DownloadContainer, State: *download}}
		}
	}
}

func crashed(now corev1.ContainerState, restarts int32, before corev1.ContainerStateTerminated) func(*corev1.Pod) {
	return func(p *corev1.Pod) {
		containers(now, done0())(p)
		p.Status.ContainerStatuses[0].RestartCount = restarts
		p.Status.ContainerStatuses[0].LastTerminationState = corev1.ContainerState{Terminated: &before}
	}
}

// ended is a pod that its node evicted, or did not take.
func ended(reason, message string) func(*corev1.Pod) {
	return func(p *corev1.Pod) {
		p.Status.Phase, p.Status.Reason, p.Status.Message = corev1.PodFailed, reason, message
	}
}

func terminated(code int32, reason, message string) *corev1.ContainerStateTerminated {
	return &corev1.ContainerStateTerminated{ExitCode: code, Reason: reason, Message: message}
}

// pulls are the events of n failed pulls of the server's image.
func pulls(n int32, cause string) []corev1.Event {
	e := event("Failed", `Failed to pull image "x:y": `+cause)
	e.Count = n
	return []corev1.Event{e}
}

// injected is a pod to which a service mesh has added an init container.
func injected(now corev1.ContainerState, restarts int32, before *corev1.ContainerStateTerminated) func(*corev1.Pod) {
	return func(p *corev1.Pod) {
		waits := corev1.ContainerState{Waiting: &corev1.ContainerStateWaiting{Reason: "PodInitializing"}}
		p.Spec.InitContainers = append([]corev1.Container{{Name: "mesh-init", Image: "mesh:v1"}}, p.Spec.InitContainers...)
		p.Status.ContainerStatuses = []corev1.ContainerStatus{{Name: ServerContainer, State: waits}}
		p.Status.InitContainerStatuses = []corev1.ContainerStatus{
			{Name: "mesh-init", State: now, RestartCount: restarts, LastTerminationState: corev1.ContainerState{Terminated: before}},
			{Name: DownloadContainer, State: waits},
		}
	}
}
