package train_test

import (
	"fmt"

	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
)

// strictly decodes an object into its type and refuses a field that the type does not have.
func strictly(object *unstructured.Unstructured) error {
	types := map[string]any{
		"v1 ServiceAccount":                        &corev1.ServiceAccount{},
		"v1 ConfigMap":                             &corev1.ConfigMap{},
		"v1 PersistentVolumeClaim":                 &corev1.PersistentVolumeClaim{},
		"rbac.authorization.k8s.io/v1 Role":        &rbacv1.Role{},
		"rbac.authorization.k8s.io/v1 RoleBinding": &rbacv1.RoleBinding{},
		"batch/v1 Job":                             &batchv1.Job{},
		"trainer.kubeflow.org/v1alpha1 TrainJob":   &kubeflowTrainJob{},
	}
	into, known := types[object.GetAPIVersion()+" "+object.GetKind()]
	if !known {
		return fmt.Errorf("no type for %s %s", object.GetAPIVersion(), object.GetKind())
	}
	return runtime.DefaultUnstructuredConverter.FromUnstructuredWithValidation(object.Object, into, true)
}

// kubeflowTrainJob has the fields of Kubeflow Trainer 2.3's type that a run uses.
type kubeflowTrainJob struct {
	metav1.TypeMeta   `json:",inline"`
	metav1.ObjectMeta `json:"metadata"`
	Spec              struct {
		RuntimeRef struct {
			Name     string `json:"name"`
			APIGroup string `json:"apiGroup"`
			Kind     string `json:"kind"`
		} `json:"runtimeRef"`
		Trainer struct {
			Image            string                      `json:"image"`
			Command          []string                    `json:"command"`
			Env              []corev1.EnvVar             `json:"env"`
			NumNodes         int32                       `json:"numNodes"`
			ResourcesPerNode corev1.ResourceRequirements `json:"resourcesPerNode"`
			NumProcPerNode   int32                       `json:"numProcPerNode"`
		} `json:"trainer"`
		RuntimePatches []struct {
			Manager             string `json:"manager"`
			TrainingRuntimeSpec struct {
				Template struct {
					Spec struct {
						ReplicatedJobs []struct {
							Name     string `json:"name"`
							Template struct {
								Spec struct {
									Template struct {
										Metadata metav1.ObjectMeta `json:"metadata"`
										Spec     kubeflowPodPatch  `json:"spec"`
									} `json:"template"`
								} `json:"spec"`
							} `json:"template"`
						} `json:"replicatedJobs"`
					} `json:"spec"`
				} `json:"template"`
			} `json:"trainingRuntimeSpec"`
		} `json:"runtimePatches"`
		Suspend               *bool `json:"suspend"`
		ActiveDeadlineSeconds int64 `json:"activeDeadlineSeconds"`
	} `json:"spec"`
}

type kubeflowPodPatch struct {
	ServiceAccountName *string         `json:"serviceAccountName"`
	Volumes            []corev1.Volume `json:"volumes"`
	Containers         []struct {
		Name            string                  `json:"name"`
		Env             []corev1.EnvVar         `json:"env"`
		VolumeMounts    []corev1.VolumeMount    `json:"volumeMounts"`
		SecurityContext *corev1.SecurityContext `json:"securityContext"`
	} `json:"containers"`
	ImagePullSecrets              []corev1.LocalObjectReference `json:"imagePullSecrets"`
	SecurityContext               *corev1.PodSecurityContext    `json:"securityContext"`
	NodeSelector                  map[string]string             `json:"nodeSelector"`
	Affinity                      *corev1.Affinity              `json:"affinity"`
	Tolerations                   []corev1.Toleration           `json:"tolerations"`
	SchedulingGates               []corev1.PodSchedulingGate    `json:"schedulingGates"`
	TerminationGracePeriodSeconds *int64                        `json:"terminationGracePeriodSeconds"`
}
