package promote

import (
	"context"
	"fmt"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/kubectl-summarizer/kubectl-summarizer/internal/failure"
	"github.com/kubectl-summarizer/kubectl-summarizer/internal/runs"
	"github.com/kubectl-summarizer/kubectl-summarizer/internal/runview"
	"github.com/kubectl-summarizer/kubectl-summarizer/pkg/train"
)

// dialogues show that the adapter answers otherwise than the model: two chats, a support call and a meeting.
var dialogues = []string{
	"Amanda: I baked cookies. Do you want some?\nJerry: Sure!\nAmanda: I'll bring you some tomorrow :-)",
	"Priya: Are you still at the station?\nTom: Yes, the 18:05 is cancelled. The next one goes at 18:40.\nPriya: Then we start without you. I'll keep a plate warm.",
	"Agent: Good morning, how can I help?\nCustomer: My router restarts every few minutes since the update.\nAgent: I can set it back to the old version. That takes ten minutes, you will be offline.\nCustomer: Fine, go ahead.\nAgent: Done. If it happens again, call us and we'll send a new one.",
	"Lena: The printer's quote is 200 above the budget.\nOscar: What if we print 400 instead of 500?\nMira: Last year we had 120 left over.\nLena: So 400. Oscar, you order by Wednesday, please.",
}

// probe asks the release, from a pod in the cluster, whether it serves the adapter. A probe
// that cannot be made is a failure too: then nobody knows.
func (o *options) probe(ctx context.Context, p *promotion) error {
	if p.run.Options == nil {
		o.steps.Warn("the adapter was not probed: the record of the run does not say how its pods are made")
		return nil
	}
	url, err := o.address(p)
	if err != nil {
		return err
	}
	pods := *p.run.Options
	pods.Namespace = o.namespace
	orders := train.Probe{URL: url, Adapter: o.served, Base: p.rival, Examples: o.canary}
	if o.canary == 0 {
		orders.Dialogues = dialogues
	}
	objects, err := train.ProbeJob(p.run.Spec, pods, orders)
	if err != nil {
		return err
	}
	if o.canary > 0 {
		// Its examples are on the volume.
		if err := p.runs.Near(ctx, p.run, objects); err != nil {
			return err
		}
	}
	task := runs.Task{Run: o.name, Component: train.ComponentProbe, Job: train.ProbeName(o.name), Objects: objects}
	tasks := &runview.Tasks{Observer: p.runs, ErrOut: o.f.Streams.ErrOut, Now: o.f.Now}
	var found *train.Event
	err = tasks.Perform(ctx, task, func(e *train.Event) {
		if e.Event == "probe" {
			found = e
		}
	})
	if err != nil {
		if failure.KindOf(err) == failure.Interrupted {
			return err
		}
		return failure.New(failure.KindOf(err), fmt.Errorf("the probe of %s failed: %w", o.served, err), failure.NextOf(err))
	}
	if err := p.runs.Discard(ctx, task); err != nil {
		o.steps.Warn(err.Error())
	}
	return o.judge(found)
}

// judge says what the probe found (the event `probe` of FORMATS.md), and whether the adapter may
// stay.
func (o *options) judge(found *train.Event) error {
	if found == nil {
		if o.canary > 0 {
			return failure.Failedf("", "the probe ended well, but what it found cannot be read: you may not read its log")
		}
		o.steps.Say("probe: %s is served and answers otherwise than the model", o.served)
		return nil
	}
	o.steps.Say("probe: %d of %d answers of %s differ from those of %s", found.Different, found.Examples, found.Adapter, found.Base)
	if o.canary == 0 {
		return nil
	}
	d := found.Difference["rouge1"]
	text := fmt.Sprintf("ROUGE-1 on %d examples: %s %.1f, %s %.1f, difference %+.2f (%+.2f to %+.2f)", found.Examples,
		found.Adapter, 100*found.Scores["adapter"]["rouge1"], found.Base, 100*found.Scores["base"]["rouge1"], 100*d[0], 100*d[1], 100*d[2])
	if found.Verdict == train.Worse {
		return failure.New(failure.Unhealthy, fmt.Errorf("%s is worse than what is served now: %s", o.served, text), "")
	}
	o.steps.Say("canary: %s: %s", found.Verdict, text)
	return nil
}

// address is where pods of the cluster find the release.
func (o *options) address(p *promotion) (string, error) {
	objects, err := p.new.Rendered.Objects()
	if err != nil {
		return "", err
	}
	for _, object := range objects {
		if object.GetKind() != "Service" {
			continue
		}
		ports, _, err := unstructured.NestedSlice(object.Object, "spec", "ports")
		if err != nil || len(ports) == 0 {
			continue
		}
		if port, ok := ports[0].(map[string]any); ok {
			return fmt.Sprintf("http://%s.%s:%v", object.GetName(), o.namespace, port["port"]), nil
		}
	}
	return "", failure.Failedf("", "release %s has no Service that could be asked", o.release)
}
