package train

import (
	"fmt"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
)

// Objects returns what a run is made of, in the order in which it is to be applied. The specification's cluster,
// and with data of the options its data.uri, are filled in. It returns an error with everything that cannot be.
//
// The preparation comes last: it may be done at once, when all is on the volume, and starts the training then.
func Objects(spec Spec, options Options) ([]*unstructured.Unstructured, error) {
	p, err := newPlan(spec, options)
	if err != nil {
		return nil, err
	}
	record, err := p.record()
	if err != nil {
		return nil, err
	}
	code, err := p.code()
	if err != nil {
		return nil, err
	}
	var objects []any
	if p.options.ServiceAccount == "" {
		objects = append(objects, p.account())
	}
	objects = append(objects, p.role(), p.roleBinding(), record, code)
	if len(p.options.LocalData) > 0 {
		objects = append(objects, p.localData())
	}
	if p.options.ExistingClaim == "" {
		objects = append(objects, p.volumeClaim())
	}
	if p.options.Engine == EngineTrainJob {
		objects = append(objects, p.kubeflowJob())
	} else {
		objects = append(objects, p.trainJob())
	}
	return toUnstructured(append(objects, p.prepareJob())...)
}

// toUnstructured turns typed objects into what is printed and applied: without the empty status and times that
// only the API server writes.
func toUnstructured(objects ...any) ([]*unstructured.Unstructured, error) {
	var all []*unstructured.Unstructured
	for _, object := range objects {
		content, err := runtime.DefaultUnstructuredConverter.ToUnstructured(object)
		if err != nil {
			return nil, fmt.Errorf("%T cannot be written: %w", object, err)
		}
		delete(content, "status")
		all = append(all, &unstructured.Unstructured{Object: content})
	}
	return all, nil
}
