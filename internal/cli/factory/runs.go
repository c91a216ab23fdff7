package factory

import (
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/kubernetes"

	"github.com/kubectl-summarizer/kubectl-summarizer/internal/runs"
)

// Runs returns an observer of the training runs in the namespace. Clients that are nil are built; a test has its own.
func (f *Factory) Runs(client kubernetes.Interface, dynamics dynamic.Interface) (*runs.Observer, error) {
	namespace, err := f.Namespace()
	if err != nil {
		return nil, err
	}
	if client == nil {
		if client, err = f.Clientset(); err != nil {
			return nil, err
		}
	}
	if dynamics == nil {
		if dynamics, err = f.Dynamic(); err != nil {
			return nil, err
		}
	}
	return &runs.Observer{Client: client, Dynamic: dynamics, Namespace: namespace, Target: f.Target()}, nil
}
