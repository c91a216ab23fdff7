package train

import (
	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// AnnotationCode on the code's ConfigMap is the digest that results carry.
const AnnotationCode = "kubectl-summarizer/code-sha256"

func (p *plan) account() *corev1.ServiceAccount {
	return &corev1.ServiceAccount{
		TypeMeta:                     metav1.TypeMeta{APIVersion: "v1", Kind: "ServiceAccount"},
		ObjectMeta:                   p.meta(ObjectName(p.spec.Name), ComponentAccess),
		AutomountServiceAccountToken: new(false),
	}
}

// role allows the run to write its own record and to start its own training, and nothing else.
func (p *plan) role() *rbacv1.Role {
	own, verbs := []string{ObjectName(p.spec.Name)}, []string{"get", "patch"}
	training := rbacv1.PolicyRule{APIGroups: []string{"batch"}, Resources: []string{"jobs"}, ResourceNames: own, Verbs: verbs}
	if p.options.Engine == EngineTrainJob {
		training.APIGroups, training.Resources = []string{trainJobGroup}, []string{"trainjobs"}
	}
	return &rbacv1.Role{
		TypeMeta:   metav1.TypeMeta{APIVersion: rbacv1.SchemeGroupVersion.String(), Kind: "Role"},
		ObjectMeta: p.meta(ObjectName(p.spec.Name), ComponentAccess),
		Rules: []rbacv1.PolicyRule{
			{APIGroups: []string{""}, Resources: []string{"configmaps"}, ResourceNames: own, Verbs: verbs},
			training,
		},
	}
}

func (p *plan) roleBinding() *rbacv1.RoleBinding {
	return &rbacv1.RoleBinding{
		TypeMeta:   metav1.TypeMeta{APIVersion: rbacv1.SchemeGroupVersion.String(), Kind: "RoleBinding"},
		ObjectMeta: p.meta(ObjectName(p.spec.Name), ComponentAccess),
		RoleRef:    rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "Role", Name: ObjectName(p.spec.Name)},
		Subjects:   []rbacv1.Subject{{Kind: rbacv1.ServiceAccountKind, Name: p.serviceAccount(), Namespace: p.options.Namespace}},
	}
}

// record holds the specification; the program adds the other keys.
func (p *plan) record() (*corev1.ConfigMap, error) {
	spec, err := p.spec.YAML()
	if err != nil {
		return nil, err
	}
	record := p.configMap(ObjectName(p.spec.Name), ComponentRecord)
	record.Data = map[string]string{KeySpec: string(spec)}
	return record, nil
}

// code is immutable: a run that goes on must go on with the program that it began with.
func (p *plan) code() (*corev1.ConfigMap, error) {
	archive, digest, err := Code()
	if err != nil {
		return nil, err
	}
	code := p.configMap(CodeName(p.spec.Name), ComponentCode)
	code.Annotations = map[string]string{AnnotationCode: digest}
	code.BinaryData = map[string][]byte{codeFile: archive}
	code.Immutable = new(true)
	return code, nil
}

func (p *plan) localData() *corev1.ConfigMap {
	data := p.configMap(DataName(p.spec.Name), ComponentData)
	data.BinaryData = map[string][]byte{localFile: p.options.LocalData}
	data.Immutable = new(true)
	return data
}

func (p *plan) configMap(name, component string) *corev1.ConfigMap {
	return &corev1.ConfigMap{
		TypeMeta:   metav1.TypeMeta{APIVersion: "v1", Kind: "ConfigMap"},
		ObjectMeta: p.meta(name, component),
	}
}

func (p *plan) volumeClaim() *corev1.PersistentVolumeClaim {
	claim := &corev1.PersistentVolumeClaim{
		TypeMeta:   metav1.TypeMeta{APIVersion: "v1", Kind: "PersistentVolumeClaim"},
		ObjectMeta: p.meta(ObjectName(p.spec.Name), ComponentVolume),
		Spec: corev1.PersistentVolumeClaimSpec{
			AccessModes: []corev1.PersistentVolumeAccessMode{p.options.AccessMode},
			Resources:   corev1.VolumeResourceRequirements{Requests: corev1.ResourceList{corev1.ResourceStorage: p.volumeSize()}},
		},
	}
	if p.options.StorageClass != "" {
		claim.Spec.StorageClassName = new(p.options.StorageClass)
	}
	return claim
}
