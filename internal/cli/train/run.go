package train

import (
	"context"
	"encoding/json"
	"fmt"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/yaml"

	"github.com/kubectl-summarizer/kubectl-summarizer/internal/product"
	"github.com/kubectl-summarizer/kubectl-summarizer/internal/runs"
	"github.com/kubectl-summarizer/kubectl-summarizer/internal/runview"
)

// start is the whole story: plan, checks, create, follow.
func (o *options) start(ctx context.Context) error {
	all, err := o.plan()
	if err != nil {
		return err
	}
	if o.flags.dryRun == "client" {
		return o.print(all)
	}
	observer, err := o.observer()
	if err != nil {
		return err
	}
	if !o.flags.skipChecks || o.flags.dryRun == "server" {
		if err := o.steps.During("checking with the cluster", func() error { return o.check(ctx, observer, all) }); err != nil {
			return err
		}
	}
	if o.flags.dryRun == "server" {
		o.printTrial(all)
		return nil
	}
	var objects []*unstructured.Unstructured
	for _, p := range all {
		objects = append(objects, p.objects...)
	}
	if err := o.steps.During("creating", func() error { return observer.Create(ctx, objects) }); err != nil {
		return err
	}
	var names []string
	for _, p := range all {
		names = append(names, p.spec.Name)
		fmt.Fprintf(o.f.Streams.Out, "run/%s created\n", p.spec.Name)
	}
	return o.follow(ctx, observer, names)
}

// follow shows the runs until they are over, unless it is not to.
func (o *options) follow(ctx context.Context, observer *runs.Observer, names []string) error {
	if o.flags.detach {
		for _, name := range names {
			o.steps.Say("follow it: %s runs follow %s -n %s%s", product.Command, name, o.namespace, o.f.Target())
		}
		return nil
	}
	follower := &runview.Follower{Observer: observer, Out: o.f.Streams.Out, ErrOut: o.f.Streams.ErrOut, Now: o.f.Now, Timeout: o.flags.timeout}
	return follower.Follow(ctx, names)
}

// print writes every object as it would be created.
func (o *options) print(all []planned) error {
	for _, p := range all {
		for _, object := range p.objects {
			var text []byte
			var err error
			switch o.flags.output {
			case "name":
				text = []byte(runs.ObjectName(object) + "\n")
			case "json":
				text, err = json.MarshalIndent(object.Object, "", "  ")
				text = append(text, '\n')
			default:
				text, err = yaml.Marshal(object.Object)
				text = append([]byte("---\n"), text...)
			}
			if err != nil {
				return err
			}
			if _, err := o.f.Streams.Out.Write(text); err != nil {
				return err
			}
		}
	}
	return nil
}

func (o *options) printTrial(all []planned) {
	for _, p := range all {
		for _, object := range p.objects {
			fmt.Fprintf(o.f.Streams.Out, "%s (server dry run)\n", runs.ObjectName(object))
		}
	}
	o.steps.Say("every check passed\nnothing was created")
}
