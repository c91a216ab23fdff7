package train

import (
	"path"
	"slices"

	corev1 "k8s.io/api/core/v1"
)

// userID is user and group of every container, as in the chart.
const userID = 2000

// stage is one step of a run as a pod.
type stage struct {
	component string
	// command is the program's stage and what follows run.yaml.
	command string
	args    []string
	env     []corev1.EnvVar
	mounts  []mount
	needs   requirements
	// grace is the seconds between SIGTERM and SIGKILL.
	grace int64
	// trains places the pod where the GPUs are.
	trains bool
	// alone makes a probe without the run's volume: an empty directory is in its place. Its program comes with its
	// orders, for the run's own may be an older one, which needs the volume.
	alone bool
}

func (p *plan) prepareStage() stage {
	return stage{
		component: ComponentPrepare,
		command:   "prepare",
		env:       append(p.hubEnv(), p.indexEnv()...),
		mounts:    p.dataMounts(),
		needs:     lightRequirements(),
		grace:     30,
	}
}

func (p *plan) trainStage() stage {
	asked, _ := p.grace()
	return stage{
		component: ComponentTrain,
		command:   "train",
		env:       p.trainEnv(),
		mounts:    []mount{sharedMemory(p.gpusPerNode())},
		needs:     p.trainRequirements(),
		grace:     asked,
		trains:    true,
	}
}

// commandLine starts the program from the archive in PYTHONPATH. Python is the container's first process, so that
// it gets SIGTERM itself.
func (s *stage) commandLine() []string {
	return append([]string{"python3", "-m", packageName, s.command, path.Join(specDir, KeySpec)}, s.args...)
}

// pod is the whole pod of a stage.
func (p *plan) pod(s stage) corev1.PodSpec {
	volumes, mounts := split(slices.Concat(p.runMounts(s), p.commonMounts(), s.mounts))
	spec := corev1.PodSpec{
		Containers: []corev1.Container{{
			Name:                     ContainerName,
			Image:                    p.options.Image,
			ImagePullPolicy:          p.options.ImagePullPolicy,
			Command:                  s.commandLine(),
			Env:                      append(p.commonEnv(), s.env...),
			Resources:                p.resources(s.needs),
			SecurityContext:          containerSecurity(),
			TerminationMessagePolicy: corev1.TerminationMessageFallbackToLogsOnError,
			VolumeMounts:             mounts,
		}},
		Volumes:                       volumes,
		RestartPolicy:                 corev1.RestartPolicyNever,
		ServiceAccountName:            p.serviceAccount(),
		AutomountServiceAccountToken:  new(false),
		EnableServiceLinks:            new(false),
		SecurityContext:               podSecurity(),
		TerminationGracePeriodSeconds: new(s.grace),
		PriorityClassName:             p.options.PriorityClass,
		ImagePullSecrets:              p.pullSecrets(),
		NodeSelector:                  p.topology(),
		Tolerations:                   p.options.Tolerations,
	}
	if s.trains {
		spec.NodeSelector, spec.Tolerations, spec.Affinity = p.nodeSelector(), p.tolerations(), p.affinity()
	}
	if s.component == ComponentTrain || s.component == ComponentPrepare {
		spec.Containers[0].EnvFrom = p.options.EnvFrom
	}
	return spec
}

func (p *plan) pullSecrets() []corev1.LocalObjectReference {
	var secrets []corev1.LocalObjectReference
	for _, name := range p.options.ImagePullSecrets {
		secrets = append(secrets, corev1.LocalObjectReference{Name: name})
	}
	return secrets
}

// podSecurity and containerSecurity pass the restricted Pod Security Standard.
func podSecurity() *corev1.PodSecurityContext {
	onRootMismatch := corev1.FSGroupChangeOnRootMismatch
	return &corev1.PodSecurityContext{
		RunAsNonRoot:        new(true),
		RunAsUser:           new(int64(userID)),
		RunAsGroup:          new(int64(userID)),
		FSGroup:             new(int64(userID)),
		FSGroupChangePolicy: &onRootMismatch,
		SeccompProfile:      &corev1.SeccompProfile{Type: corev1.SeccompProfileTypeRuntimeDefault},
	}
}

func containerSecurity() *corev1.SecurityContext {
	return &corev1.SecurityContext{
		AllowPrivilegeEscalation: new(false),
		ReadOnlyRootFilesystem:   new(true),
		Capabilities:             &corev1.Capabilities{Drop: []corev1.Capability{"ALL"}},
	}
}
