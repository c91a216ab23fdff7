package planning

import (
	"errors"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"

	"github.com/kubectl-summarizer/kubectl-summarizer/pkg/render"
)

// PodTemplate returns the template of the model server's pods: the Deployment's, or the leaders' of a LeaderWorkerSet.
func PodTemplate(rendered render.Result) (*corev1.PodTemplateSpec, error) {
	objects, err := rendered.Objects()
	if err != nil {
		return nil, err
	}
	for _, path := range []struct {
		kind   string
		fields []string
	}{
		{"Deployment", []string{"spec", "template"}},
		{"LeaderWorkerSet", []string{"spec", "leaderWorkerTemplate", "leaderTemplate"}},
		{"LeaderWorkerSet", []string{"spec", "leaderWorkerTemplate", "workerTemplate"}},
	} {
		for _, object := range objects {
			found, ok, err := unstructured.NestedMap(object.Object, path.fields...)
			if object.GetKind() != path.kind || !ok || err != nil {
				continue
			}
			template := &corev1.PodTemplateSpec{}
			return template, runtime.DefaultUnstructuredConverter.FromUnstructured(found, template)
		}
	}
	return nil, errors.New("the chart rendered no Deployment")
}
