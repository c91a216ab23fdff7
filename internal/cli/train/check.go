package train

import (
	"context"
	"errors"
	"fmt"
	"strings"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/kubectl-summarizer/kubectl-summarizer/internal/failure"
	"github.com/kubectl-summarizer/kubectl-summarizer/internal/product"
	"github.com/kubectl-summarizer/kubectl-summarizer/internal/runs"
)

// refusals are what stands in the way, each once: two models meet the same missing node.
type refusals []*failure.Error

func (r *refusals) add(found ...*failure.Error) {
	for _, f := range found {
		known := false
		for _, other := range *r {
			known = known || other.Error() == f.Error()
		}
		if !known {
			*r = append(*r, f)
		}
	}
}

// check asks for everything that can be known before a GPU is paid for.
func (o *options) check(ctx context.Context, observer *runs.Observer, all []planned) error {
	if err := o.namespaceThere(ctx); err != nil {
		return err
	}
	var found refusals
	o.fit(all, &found)
	for _, p := range all {
		there, err := o.nameTaken(ctx, p.spec.Name)
		if err != nil {
			return err
		}
		if there != nil {
			found.add(there)
			continue // everything else of it is there too
		}
		for _, ask := range []func() ([]*failure.Error, error){
			func() ([]*failure.Error, error) { return observer.Needs(ctx, p.objects, o.warnOnce) },
			func() ([]*failure.Error, error) { return o.needs(ctx, &p.options) },
			func() ([]*failure.Error, error) { return observer.Trial(ctx, p.objects) },
		} {
			refused, err := ask()
			if err != nil {
				return err
			}
			found.add(refused...)
		}
	}
	return failure.Join(found)
}

// fit says of each run what it takes of its GPU.
func (o *options) fit(all []planned, found *refusals) {
	for i := range all {
		if all[i].options.Platform == "custom" && !o.flags.given("gpu-accelerator") {
			continue // nobody says which GPU it is
		}
		line, refused := fits(&all[i].spec, all[i].options.Accelerator)
		switch {
		case refused != nil:
			found.add(refused)
		case line != "":
			o.steps.Say("%s", line)
		}
	}
}

// namespaceThere refuses a namespace that is not. Whoever may not look at it is believed.
func (o *options) namespaceThere(ctx context.Context) error {
	_, err := o.client.CoreV1().Namespaces().Get(ctx, o.namespace, metav1.GetOptions{})
	if apierrors.IsNotFound(err) {
		return failure.Refusedf("kubectl create namespace "+o.namespace+o.f.Target(), "namespace %q does not exist", o.namespace)
	}
	if apierrors.IsForbidden(err) {
		return nil
	}
	return err
}

// nameTaken refuses the name of a run that is there already.
func (o *options) nameTaken(ctx context.Context, name string) (*failure.Error, error) {
	run, err := o.look(ctx, name)
	switch {
	case errors.Is(err, runs.ErrNotFound):
		return nil, nil
	case err != nil:
		return nil, err
	}
	next := "choose another name"
	if run.State == runs.Failed || run.State == runs.Stopped {
		next = fmt.Sprintf("go on with it: %s train --resume %s -n %s%s\nor ", product.Command, name, o.namespace, o.f.Target()) + next
	} else if !run.State.Over() {
		next = fmt.Sprintf("follow it: %s runs follow %s -n %s%s\nor ", product.Command, name, o.namespace, o.f.Target()) + next
	}
	return &failure.Error{Kind: failure.Refused, Err: fmt.Errorf("there is a run %s already, and it is %s", name, strings.ToLower(string(run.State))), Next: next}, nil
}

func (o *options) look(ctx context.Context, name string) (*runs.Run, error) {
	observer, err := o.observer()
	if err != nil {
		return nil, err
	}
	return observer.Look(ctx, name)
}

// warnOnce writes a warning that several runs or pods have in common.
func (o *options) warnOnce(message string) { o.sayOnce("warning: " + message) }

func (o *options) sayOnce(message string) {
	if o.said == nil {
		o.said = map[string]bool{}
	}
	if !o.said[message] {
		o.said[message] = true
		o.steps.Say("%s", message)
	}
}
