package train

import (
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// Kubeflow Trainer's API.
const (
	trainJobGroup   = "trainer.kubeflow.org"
	trainJobVersion = "v1alpha1"
	// trainerNode is the name of the replicated job and of its container in the runtime torch-distributed.
	trainerNode = "node"
)

// The parts of a TrainJob that are written here, after Kubeflow Trainer 2.3's types: its module would bring the
// whole of controller-runtime.
type (
	trainJob struct {
		metav1.TypeMeta   `json:",inline"`
		metav1.ObjectMeta `json:"metadata"`
		Spec              trainJobSpec `json:"spec"`
	}
	trainJobSpec struct {
		RuntimeRef            runtimeRef     `json:"runtimeRef"`
		Trainer               trainerSpec    `json:"trainer"`
		RuntimePatches        []runtimePatch `json:"runtimePatches"`
		Suspend               bool           `json:"suspend"`
		ActiveDeadlineSeconds *int64         `json:"activeDeadlineSeconds,omitempty"`
	}
	runtimeRef struct {
		APIGroup string `json:"apiGroup"`
		Kind     string `json:"kind"`
		Name     string `json:"name"`
	}
	trainerSpec struct {
		Image            string                      `json:"image"`
		Command          []string                    `json:"command"`
		Env              []corev1.EnvVar             `json:"env"`
		NumNodes         int32                       `json:"numNodes"`
		NumProcPerNode   int32                       `json:"numProcPerNode"`
		ResourcesPerNode corev1.ResourceRequirements `json:"resourcesPerNode"`
	}
	runtimePatch struct {
		Manager             string         `json:"manager"`
		TrainingRuntimeSpec map[string]any `json:"trainingRuntimeSpec"`
	}
	podTemplatePatch struct {
		Metadata *metav1.ObjectMeta `json:"metadata,omitempty"`
		Spec     podSpecPatch       `json:"spec"`
	}
	podSpecPatch struct {
		ServiceAccountName            string                        `json:"serviceAccountName"`
		Volumes                       []corev1.Volume               `json:"volumes"`
		Containers                    []containerPatch              `json:"containers"`
		ImagePullSecrets              []corev1.LocalObjectReference `json:"imagePullSecrets,omitempty"`
		SecurityContext               *corev1.PodSecurityContext    `json:"securityContext"`
		NodeSelector                  map[string]string             `json:"nodeSelector,omitempty"`
		Tolerations                   []corev1.Toleration           `json:"tolerations,omitempty"`
		Affinity                      *corev1.Affinity              `json:"affinity,omitempty"`
		TerminationGracePeriodSeconds *int64                        `json:"terminationGracePeriodSeconds"`
	}
	containerPatch struct {
		Name            string                  `json:"name"`
		VolumeMounts    []corev1.VolumeMount    `json:"volumeMounts"`
		SecurityContext *corev1.SecurityContext `json:"securityContext"`
	}
)

// kubeflowJob is the training as a TrainJob, for several nodes. What a TrainJob cannot say stays as the runtime
// has it: it knows no failure policy, so that a refusal is tried again as often as the runtime's Jobs allow.
func (p *plan) kubeflowJob() *trainJob {
	pod := p.pod(p.trainStage())
	container := pod.Containers[0]
	meta := p.meta(ObjectName(p.spec.Name), ComponentTrain)
	meta.Annotations = p.trainAnnotations()
	return &trainJob{
		TypeMeta:   metav1.TypeMeta{APIVersion: trainJobGroup + "/" + trainJobVersion, Kind: "TrainJob"},
		ObjectMeta: meta,
		Spec: trainJobSpec{
			RuntimeRef: runtimeRef{APIGroup: trainJobGroup, Kind: "ClusterTrainingRuntime", Name: p.options.Runtime},
			Trainer: trainerSpec{
				Image:    container.Image,
				Command:  container.Command,
				Env:      container.Env,
				NumNodes: int32(p.options.Nodes), //nolint:gosec // checked to divide the number of GPUs
				// Left open, the runtime would start a process for each CPU of a node without GPU.
				NumProcPerNode:   int32(max(p.gpusPerNode(), 1)), //nolint:gosec // far below 2^31
				ResourcesPerNode: container.Resources,
			},
			RuntimePatches: []runtimePatch{{
				Manager: "kubectl-summarizer/train",
				TrainingRuntimeSpec: podPatch(podTemplatePatch{
					Metadata: &metav1.ObjectMeta{Labels: p.labels(ComponentTrain)},
					Spec: podSpecPatch{
						ServiceAccountName: pod.ServiceAccountName,
						Volumes:            pod.Volumes,
						Containers: []containerPatch{{
							Name: trainerNode, VolumeMounts: container.VolumeMounts, SecurityContext: container.SecurityContext,
						}},
						ImagePullSecrets:              pod.ImagePullSecrets,
						SecurityContext:               pod.SecurityContext,
						NodeSelector:                  pod.NodeSelector,
						Tolerations:                   pod.Tolerations,
						Affinity:                      pod.Affinity,
						TerminationGracePeriodSeconds: pod.TerminationGracePeriodSeconds,
					},
				}),
			}},
			Suspend:               true,
			ActiveDeadlineSeconds: p.options.ActiveDeadlineSeconds,
		},
	}
}

// podPatch wraps a patch of the pods in the JobSet and the Job around them.
func podPatch(pod podTemplatePatch) map[string]any {
	job := map[string]any{"name": trainerNode, "template": map[string]any{"spec": map[string]any{"template": pod}}}
	return map[string]any{"template": map[string]any{"spec": map[string]any{"replicatedJobs": []any{job}}}}
}
