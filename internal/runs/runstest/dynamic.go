package runstest

import (
	"sync"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/dynamic/fake"
	"k8s.io/client-go/kubernetes/scheme"
	clienttesting "k8s.io/client-go/testing"
)

// Dynamic is a fake dynamic client that knows dry runs, and refuses what it is told to.
type Dynamic struct {
	*fake.FakeDynamicClient

	mu sync.Mutex
	// Tried and Made are what was created as a trial and in earnest, by kind and name.
	Tried, Made []string
	// Refuse returns the answer to a creation, nil to take it.
	Refuse func(object *unstructured.Unstructured, trial bool) error
}

// lists are the kinds that may be listed when there are none of them.
var lists = map[schema.GroupVersionResource]string{
	{Group: "trainer.kubeflow.org", Version: "v1alpha1", Resource: "trainjobs"}: "TrainJobList",
	{Group: "kueue.x-k8s.io", Version: "v1beta1", Resource: "localqueues"}:      "LocalQueueList",
	{Group: "kueue.x-k8s.io", Version: "v1beta1", Resource: "workloads"}:        "WorkloadList",
}

// NewDynamic returns a client with these objects.
func NewDynamic(objects ...runtime.Object) *Dynamic {
	d := &Dynamic{FakeDynamicClient: fake.NewSimpleDynamicClientWithCustomListKinds(scheme.Scheme, lists, objects...)}
	d.PrependReactor("create", "*", d.create)
	return d
}

func (d *Dynamic) create(action clienttesting.Action) (bool, runtime.Object, error) {
	create, ok := action.(clienttesting.CreateActionImpl)
	object, isOne := create.GetObject().(*unstructured.Unstructured)
	if !ok || !isOne {
		return false, nil, nil
	}
	trial := len(create.CreateOptions.DryRun) > 0
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.Refuse != nil {
		if err := d.Refuse(object, trial); err != nil {
			return true, nil, err
		}
	}
	name := object.GetKind() + "/" + object.GetName() + object.GetGenerateName()
	if trial {
		d.Tried = append(d.Tried, name)
		if _, err := d.Tracker().Get(action.GetResource(), action.GetNamespace(), object.GetName()); err == nil && object.GetName() != "" {
			return true, nil, apierrors.NewAlreadyExists(action.GetResource().GroupResource(), object.GetName())
		}
		return true, object, nil
	}
	d.Made = append(d.Made, name)
	return false, nil, nil
}
