package release

import (
	"fmt"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// What Helm writes on every object of a release, and reads to tell whose it is.
const (
	managedByLabel      = "app.kubernetes.io/managed-by"
	managedByHelm       = "Helm"
	nameAnnotation      = "meta.helm.sh/release-name"
	namespaceAnnotation = "meta.helm.sh/release-namespace"
)

// own writes the release's marks on an object, as Helm does when it applies it.
func own(object metav1.Object, name, namespace string) {
	object.SetLabels(with(object.GetLabels(), managedByLabel, managedByHelm))
	annotations := with(object.GetAnnotations(), nameAnnotation, name)
	object.SetAnnotations(with(annotations, namespaceAnnotation, namespace))
}

func with(m map[string]string, key, value string) map[string]string {
	if m == nil {
		m = map[string]string{}
	}
	m[key] = value
	return m
}

// foreignOwner says to whom an object in the cluster belongs, "" when to the release.
func foreignOwner(object metav1.Object, name, namespace string) string {
	annotations := object.GetAnnotations()
	releaseName, releaseNamespace := annotations[nameAnnotation], annotations[namespaceAnnotation]
	switch {
	case releaseName == "" || object.GetLabels()[managedByLabel] != managedByHelm:
		return "not made by a release"
	case releaseName != name || releaseNamespace != namespace:
		return fmt.Sprintf("part of release %s in namespace %s", releaseName, releaseNamespace)
	}
	return ""
}
