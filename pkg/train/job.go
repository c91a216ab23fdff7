package train

import (
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// Exit codes of the training program, as FORMATS.md has them.
const (
	ExitRefused     = 3
	ExitMemory      = 5
	ExitDiverged    = 6
	ExitInterrupted = 75
	// exitKilled is SIGKILL's: the kernel's, for want of memory.
	exitKilled = 137
)

// job is a stage as a Job of one pod.
func (p *plan) job(name string, s stage) *batchv1.Job {
	return &batchv1.Job{
		TypeMeta:   metav1.TypeMeta{APIVersion: "batch/v1", Kind: "Job"},
		ObjectMeta: p.meta(name, s.component),
		Spec: batchv1.JobSpec{
			BackoffLimit:            p.options.BackoffLimit,
			TTLSecondsAfterFinished: p.options.TTLSeconds,
			PodFailurePolicy:        failurePolicy(),
			// Two pods must never write to one volume: the next attempt waits until the last one is gone.
			PodReplacementPolicy: new(batchv1.Failed),
			Template: corev1.PodTemplateSpec{
				ObjectMeta: metav1.ObjectMeta{Labels: p.labels(s.component)},
				Spec:       p.pod(s),
			},
		},
	}
}

// failurePolicy says which ends are worth another attempt. The first rule that holds is taken.
func failurePolicy() *batchv1.PodFailurePolicy {
	return &batchv1.PodFailurePolicy{Rules: []batchv1.PodFailurePolicyRule{
		// A node that was taken away or drained is no failure, whatever the exit code was: a pod that was killed
		// because its time was over has 137.
		{Action: batchv1.PodFailurePolicyActionIgnore, OnPodConditions: []batchv1.PodFailurePolicyOnPodConditionsPattern{
			{Type: corev1.DisruptionTarget, Status: corev1.ConditionTrue},
		}},
		onExit(batchv1.PodFailurePolicyActionIgnore, ExitInterrupted),
		// Unchanged, these would end the same way. The program ends with 75 before its time is over, so that 137
		// without a disruption is the container's memory limit.
		onExit(batchv1.PodFailurePolicyActionFailJob, ExitRefused, ExitMemory, ExitDiverged, exitKilled),
	}}
}

func onExit(action batchv1.PodFailurePolicyAction, codes ...int32) batchv1.PodFailurePolicyRule {
	return batchv1.PodFailurePolicyRule{Action: action, OnExitCodes: &batchv1.PodFailurePolicyOnExitCodesRequirement{
		ContainerName: new(ContainerName), Operator: batchv1.PodFailurePolicyOnExitCodesOpIn, Values: codes,
	}}
}

func (p *plan) prepareJob() *batchv1.Job { return p.job(PrepareName(p.spec.Name), p.prepareStage()) }

// trainJob is suspended until the preparation starts it: no GPU waits for a download, and nobody has to be there.
func (p *plan) trainJob() *batchv1.Job {
	job := p.job(ObjectName(p.spec.Name), p.trainStage())
	job.Annotations = p.trainAnnotations()
	job.Spec.Suspend = new(true)
	job.Spec.ActiveDeadlineSeconds = p.options.ActiveDeadlineSeconds
	return job
}

func (p *plan) trainAnnotations() map[string]string {
	if p.options.Queue == "" {
		return nil
	}
	return map[string]string{AnnotationQueue: p.options.Queue}
}
