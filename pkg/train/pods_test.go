package train_test

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"sigs.k8s.io/yaml"

	"github.com/kubectl-summarizer/kubectl-summarizer/pkg/train"
)

// podsOf returns the pods that objects make, by component.
func podsOf(t *testing.T, objects []*unstructured.Unstructured) map[string]corev1.PodSpec {
	t.Helper()
	pods := map[string]corev1.PodSpec{}
	for _, object := range objects {
		component := object.GetLabels()[train.LabelComponent]
		switch object.GetKind() {
		case "Job":
			pods[component] = jobOf(t, object).Spec.Template.Spec
		case "TrainJob":
			pods[component] = trainJobPod(t, object)
		}
	}
	return pods
}

func jobOf(t *testing.T, object *unstructured.Unstructured) batchv1.Job {
	t.Helper()
	var job batchv1.Job
	if err := runtime.DefaultUnstructuredConverter.FromUnstructured(object.Object, &job); err != nil {
		t.Fatal(err)
	}
	return job
}

// trainJobPod puts the parts of a TrainJob's pod together, as Kubeflow's controller does.
func trainJobPod(t *testing.T, object *unstructured.Unstructured) corev1.PodSpec {
	t.Helper()
	var job kubeflowTrainJob
	if err := runtime.DefaultUnstructuredConverter.FromUnstructured(object.Object, &job); err != nil {
		t.Fatal(err)
	}
	patch := job.Spec.RuntimePatches[0].TrainingRuntimeSpec.Template.Spec.ReplicatedJobs[0].Template.Spec.Template.Spec
	return corev1.PodSpec{
		SecurityContext: patch.SecurityContext, Volumes: patch.Volumes, Tolerations: patch.Tolerations,
		NodeSelector: patch.NodeSelector, TerminationGracePeriodSeconds: patch.TerminationGracePeriodSeconds,
		Containers: []corev1.Container{{
			Image: job.Spec.Trainer.Image, Command: job.Spec.Trainer.Command, Env: job.Spec.Trainer.Env,
			Resources: job.Spec.Trainer.ResourcesPerNode, VolumeMounts: patch.Containers[0].VolumeMounts,
			SecurityContext: patch.Containers[0].SecurityContext,
		}},
	}
}

// The rules of https://kubernetes.io/docs/concepts/security/pod-security-standards/#restricted for what a pod sets.
func TestPodsPassTheRestrictedStandard(t *testing.T) {
	for name := range variants {
		for component, pod := range podsOf(t, objectsOf(t, name)) {
			for _, breach := range breaches(pod) {
				t.Errorf("%s: the pod of %s %s", name, component, breach)
			}
		}
	}
}

func breaches(pod corev1.PodSpec) []string {
	var found []string
	breach := func(is bool, what string, args ...any) {
		if is {
			found = append(found, fmt.Sprintf(what, args...))
		}
	}
	breach(pod.HostNetwork || pod.HostPID || pod.HostIPC, "shares the host's namespaces")
	security := pod.SecurityContext
	breach(security == nil || security.RunAsNonRoot == nil || !*security.RunAsNonRoot, "may run as root")
	breach(security == nil || security.RunAsUser == nil || *security.RunAsUser == 0, "runs as root")
	breach(security == nil || security.SeccompProfile == nil || security.SeccompProfile.Type != corev1.SeccompProfileTypeRuntimeDefault, "has no seccomp profile")
	for _, volume := range pod.Volumes {
		source := volume.VolumeSource
		breach(source.ConfigMap == nil && source.EmptyDir == nil && source.PersistentVolumeClaim == nil && source.Projected == nil,
			"has the volume %s of a kind that is not allowed", volume.Name)
	}
	for _, c := range pod.Containers {
		breach(c.SecurityContext == nil, "has a container without security context")
		if c.SecurityContext == nil {
			continue
		}
		breach(c.SecurityContext.AllowPrivilegeEscalation == nil || *c.SecurityContext.AllowPrivilegeEscalation, "may escalate privileges")
		breach(c.SecurityContext.Capabilities == nil || !slices.Equal(c.SecurityContext.Capabilities.Drop, []corev1.Capability{"ALL"}), "keeps capabilities")
		breach(c.SecurityContext.Capabilities != nil && len(c.SecurityContext.Capabilities.Add) > 0, "adds capabilities")
		// Not of the standard, but of ours.
		breach(c.SecurityContext.ReadOnlyRootFilesystem == nil || !*c.SecurityContext.ReadOnlyRootFilesystem, "can write its root filesystem")
	}
	return found
}

// That the rules above find something.
func TestBreachesAreFound(t *testing.T) {
	pod := podsOf(t, objectsOf(t, "default"))[train.ComponentTrain]
	pod.HostIPC = true
	pod.Volumes = append(pod.Volumes, corev1.Volume{Name: "host", VolumeSource: corev1.VolumeSource{HostPath: &corev1.HostPathVolumeSource{Path: "/"}}})
	pod.Containers[0].SecurityContext.ReadOnlyRootFilesystem = new(false)
	if found := breaches(pod); len(found) != 3 {
		t.Errorf("found %q", found)
	}
}

// Who needs a secret has it, and nobody else.
func TestSecretsAreWhereTheyAreNeeded(t *testing.T) {
	allowed := map[string]string{
		train.ComponentPrepare: "HF_TOKEN", train.ComponentPublish: "HF_TOKEN", train.ComponentTrain: "WANDB_API_KEY", train.ComponentProbe: "",
	}
	for _, name := range []string{"default", "spot-queue", "trainjob", "publish", "probe"} {
		for component, pod := range podsOf(t, objectsOf(t, name)) {
			var secrets []string
			for _, v := range pod.Containers[0].Env {
				if v.ValueFrom != nil && v.ValueFrom.SecretKeyRef != nil {
					secrets = append(secrets, v.Name)
				}
			}
			if got := strings.Join(secrets, " "); got != allowed[component] {
				t.Errorf("%s: %s has the secrets %q, want %q", name, component, got, allowed[component])
			}
		}
	}
}

// Without the Hub's token the pod must not ask the Hub.
func TestOnlyPodsWithTheTokenAskTheHub(t *testing.T) {
	for name := range variants {
		for component, pod := range podsOf(t, objectsOf(t, name)) {
			offline := value(pod, "HF_HUB_OFFLINE") == "1"
			if asks := component == train.ComponentPrepare || component == train.ComponentPublish; asks == offline {
				t.Errorf("%s: %s is offline: %v", name, component, offline)
			}
			if offline && value(pod, "HF_ENDPOINT") != "" {
				t.Errorf("%s: %s is told of a Hub", name, component)
			}
		}
	}
}

func value(pod corev1.PodSpec, name string) string {
	for _, v := range pod.Containers[0].Env {
		if v.Name == name {
			return v.Value
		}
	}
	return ""
}

func TestOnlyTheTrainingHasGPUs(t *testing.T) {
	for name := range variants {
		for component, pod := range podsOf(t, objectsOf(t, name)) {
			gpus := pod.Containers[0].Resources.Limits["nvidia.com/gpu"]
			if want := component == train.ComponentTrain && name != "cpu-local"; want != (gpus.Value() > 0) {
				t.Errorf("%s: %s has %d GPUs", name, component, gpus.Value())
			}
		}
	}
}

// Every directory that a variable names can be written: the root filesystem cannot.
func TestWrittenDirectoriesAreVolumes(t *testing.T) {
	for name := range variants {
		for component, pod := range podsOf(t, objectsOf(t, name)) {
			for _, v := range []string{"HOME", "HF_HOME", "XDG_CACHE_HOME", "VLLM_CACHE_ROOT", "TRITON_CACHE_DIR", "TORCHINDUCTOR_CACHE_DIR"} {
				path := value(pod, v)
				if path != "" && !slices.ContainsFunc(pod.Containers[0].VolumeMounts, func(m corev1.VolumeMount) bool {
					return !m.ReadOnly && (path == m.MountPath || strings.HasPrefix(path, m.MountPath+"/"))
				}) {
					t.Errorf("%s: %s of %s, %s, cannot be written", name, v, component, path)
				}
			}
		}
	}
}

func TestImageIsTheCharts(t *testing.T) {
	data, err := os.ReadFile(filepath.Join("..", "..", "charts", "vllm-summarizer", "values.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	var values struct {
		Image struct{ Repository, Tag string }
	}
	if err := yaml.Unmarshal(data, &values); err != nil {
		t.Fatal(err)
	}
	if chart := values.Image.Repository + ":" + values.Image.Tag; chart != train.DefaultImage {
		t.Errorf("the chart serves with %s, and a run trains with %s", chart, train.DefaultImage)
	}
}
