package runs

import (
	"fmt"
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/dynamic"

	"github.com/kubectl-summarizer/kubectl-summarizer/pkg/train"
)

// resources are the kinds that runs are made of. They are few and known: a REST mapper would
// ask the cluster for all that it has.
var resources = map[string]schema.GroupVersionResource{
	"ServiceAccount":        {Version: "v1", Resource: "serviceaccounts"},
	"ConfigMap":             {Version: "v1", Resource: "configmaps"},
	"PersistentVolumeClaim": {Version: "v1", Resource: "persistentvolumeclaims"},
	"Role":                  {Group: "rbac.authorization.k8s.io", Version: "v1", Resource: "roles"},
	"RoleBinding":           {Group: "rbac.authorization.k8s.io", Version: "v1", Resource: "rolebindings"},
	"Job":                   {Group: "batch", Version: "v1", Resource: "jobs"},
	"TrainJob":              TrainJobs,
}

// of returns the client for an object's kind.
func (o *Observer) of(object *unstructured.Unstructured) (dynamic.ResourceInterface, error) {
	resource, known := resources[object.GetKind()]
	if !known {
		return nil, fmt.Errorf("a run has no %s", object.GetKind())
	}
	return o.Dynamic.Resource(resource).Namespace(o.Namespace), nil
}

// ObjectName writes kind and name as kubectl prints them: "job.batch/train-cookies".
func ObjectName(object *unstructured.Unstructured) string {
	return strings.ToLower(object.GroupVersionKind().GroupKind().String()) + "/" + object.GetName()
}

// isWork says whether the object makes pods.
func isWork(object *unstructured.Unstructured) bool {
	return object.GetKind() == "Job" || object.GetKind() == "TrainJob"
}

// isRecord says whether the object is the record of the run.
func isRecord(object *unstructured.Unstructured, run string) bool {
	return object.GetKind() == "ConfigMap" && object.GetName() == train.ObjectName(run)
}

// Objects returns what a run is made of, with the options in its record.
func Objects(spec train.Spec, options train.Options) ([]*unstructured.Unstructured, error) {
	objects, err := train.Objects(spec, options)
	if err != nil {
		return nil, err
	}
	text, err := EncodeOptions(options)
	if err != nil {
		return nil, err
	}
	for _, object := range objects {
		if isRecord(object, spec.Name) {
			if err := unstructured.SetNestedField(object.Object, text, "data", KeyOptions); err != nil {
				return nil, err
			}
		}
	}
	return objects, nil
}
