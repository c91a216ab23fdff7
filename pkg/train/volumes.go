package train

import (
	"fmt"
	"path"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
)

// mount is a volume and where the container finds it.
type mount struct {
	volume   corev1.VolumeSource
	name     string
	path     string
	readOnly bool
}

// commonMounts are the volumes of every pod of a run, beside runMounts.
func (p *plan) commonMounts() []mount {
	return []mount{
		{name: "home", path: homeDir, volume: emptyDir()},
		{name: "tmp", path: "/tmp", volume: emptyDir()},
		// Only the specification: the rest of the record changes with every event.
		{name: "spec", path: specDir, readOnly: true, volume: configMapSource(ObjectName(p.spec.Name), KeySpec)},
		{name: "token", path: "/var/run/secrets/kubernetes.io/serviceaccount", readOnly: true, volume: tokenSource()},
	}
}

// runMounts are the run's volume and the program, or what a stage that is alone has in their places.
func (p *plan) runMounts(s stage) []mount {
	workspace, code := claimSource(p.claim(), false), CodeName(p.spec.Name)
	if s.alone {
		workspace, code = emptyDir(), ProbeName(p.spec.Name)
	}
	return []mount{
		{name: "workspace", path: p.spec.Volume, volume: workspace},
		{name: "code", path: codeDir, readOnly: true, volume: configMapSource(code, codeFile)},
	}
}

// dataMounts are where the preparation finds data that are not to be fetched.
func (p *plan) dataMounts() []mount {
	var mounts []mount
	// A run that goes on has its ConfigMap in the cluster, and the files are not given again.
	if p.spec.Data.URI == path.Join(localDir, localFile) {
		mounts = append(mounts, mount{name: "local-data", path: localDir, readOnly: true, volume: configMapSource(DataName(p.spec.Name), localFile)})
	}
	if claim, _, err := ParseDataClaim(p.options.DataClaim); err == nil {
		mounts = append(mounts, mount{name: "data", path: claimDir, readOnly: true, volume: claimSource(claim, true)})
	}
	return mounts
}

// sharedMemory is /dev/shm: the 64 MiB of a container end in a bus error of PyTorch's and NCCL's workers.
func sharedMemory(gpus int) mount {
	size := resource.MustParse(fmt.Sprintf("%dGi", sharedMemoryGiB(gpus)))
	return mount{name: "shm", path: "/dev/shm", volume: corev1.VolumeSource{
		EmptyDir: &corev1.EmptyDirVolumeSource{Medium: corev1.StorageMediumMemory, SizeLimit: &size},
	}}
}

// split takes mounts apart as Kubernetes has them.
func split(mounts []mount) (volumes []corev1.Volume, volumeMounts []corev1.VolumeMount) {
	for _, m := range mounts {
		volumes = append(volumes, corev1.Volume{Name: m.name, VolumeSource: m.volume})
		volumeMounts = append(volumeMounts, corev1.VolumeMount{Name: m.name, MountPath: m.path, ReadOnly: m.readOnly})
	}
	return volumes, volumeMounts
}

func emptyDir() corev1.VolumeSource {
	return corev1.VolumeSource{EmptyDir: &corev1.EmptyDirVolumeSource{}}
}

func claimSource(name string, readOnly bool) corev1.VolumeSource {
	return corev1.VolumeSource{PersistentVolumeClaim: &corev1.PersistentVolumeClaimVolumeSource{ClaimName: name, ReadOnly: readOnly}}
}

func configMapSource(name, key string) corev1.VolumeSource {
	return corev1.VolumeSource{ConfigMap: &corev1.ConfigMapVolumeSource{
		LocalObjectReference: corev1.LocalObjectReference{Name: name},
		Items:                []corev1.KeyToPath{{Key: key, Path: key}},
	}}
}

// tokenSource is what Kubernetes mounts by itself, asked for by name: the ServiceAccount may be one that others use
// too, whose token is not to be mounted where nobody reads it.
func tokenSource() corev1.VolumeSource {
	return corev1.VolumeSource{Projected: &corev1.ProjectedVolumeSource{Sources: []corev1.VolumeProjection{
		{ServiceAccountToken: &corev1.ServiceAccountTokenProjection{Path: "token", ExpirationSeconds: new(int64(3600))}},
		{ConfigMap: &corev1.ConfigMapProjection{
			LocalObjectReference: corev1.LocalObjectReference{Name: "kube-root-ca.crt"},
			Items:                []corev1.KeyToPath{{Key: "ca.crt", Path: "ca.crt"}},
		}},
		{DownwardAPI: &corev1.DownwardAPIProjection{Items: []corev1.DownwardAPIVolumeFile{
			{Path: "namespace", FieldRef: &corev1.ObjectFieldSelector{APIVersion: "v1", FieldPath: "metadata.namespace"}},
		}}},
	}}}
}
