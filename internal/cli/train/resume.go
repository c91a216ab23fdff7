package train

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/pflag"

	"github.com/kubectl-summarizer/kubectl-summarizer/internal/failure"
	"github.com/kubectl-summarizer/kubectl-summarizer/internal/product"
	"github.com/kubectl-summarizer/kubectl-summarizer/internal/runs"
	"github.com/kubectl-summarizer/kubectl-summarizer/pkg/train"
)

// fixed are the flags that make another run, whose objects or files are others.
var fixed = []string{
	"model", "data", "data-revision", "filename",
	"volume-size", "storage-class", "access-mode", "claim", "engine", "service-account",
}

// learned are the flags that a checkpoint cannot take: before there is data to train on, they may still be corrected.
var learned = []string{"dialogue-column", "summary-column", "instruction", "rank", "alpha", "rslora", "seed", "effective-batch-size", "max-length"}

// neutral are the flags that change nothing of a run.
var neutral = []string{"resume", "detach", "timeout", "skip-checks", "dry-run", "output"}

// goOn goes on with a run from its last checkpoint, with what was given now over what it was
// told before.
func (o *options) goOn(ctx context.Context) error {
	if o.name == "" {
		return failure.New(failure.Usage, errors.New("name the run to go on with"), fmt.Sprintf("%s train --resume NAME; see: %s runs", product.Command, product.Command))
	}
	if err := o.unchanged(fixed); err != nil {
		return err
	}
	observer, err := o.observer()
	if err != nil {
		return err
	}
	run, err := observer.Look(ctx, o.name)
	switch {
	case errors.Is(err, runs.ErrNotFound):
		return observer.Missing(ctx, o.name)
	case err != nil:
		return err
	case run.State == runs.Succeeded:
		return failure.Refusedf("see what it came to: "+o.command("runs show"), "run %s is done", o.name)
	case !run.State.Over() && !run.Stuck:
		return failure.Refusedf("follow it: "+o.command("runs follow"), "run %s goes on already: it is %s", o.name, strings.ToLower(string(run.State)))
	}
	if run.Prepared != nil {
		if err := o.unchanged(learned); err != nil {
			return err
		}
	}
	p, err := o.again(ctx, observer, run)
	if err != nil {
		return err
	}
	if o.flags.dryRun == "client" {
		return o.print([]planned{p})
	}
	if !o.flags.skipChecks || o.flags.dryRun == "server" {
		if err := o.steps.During("checking with the cluster", func() error { return o.checkAgain(ctx, observer, p) }); err != nil {
			return err
		}
	}
	if o.flags.dryRun == "server" {
		o.printTrial([]planned{p})
		return nil
	}
	restart := func() error {
		return observer.Again(ctx, run, p.objects, func(what string) { o.sayOnce("waiting until " + what) })
	}
	if run.State == runs.Stopped && !o.changes() {
		restart = func() error { return observer.Start(ctx, run) }
	}
	if err := o.steps.During("starting it again", restart); err != nil {
		return err
	}
	fmt.Fprintf(o.f.Streams.Out, "run/%s resumed\n", o.name)
	return o.follow(ctx, observer, []string{o.name})
}

// unchanged refuses flags that cannot be given when a run goes on.
func (o *options) unchanged(flags []string) error {
	for _, name := range flags {
		if o.flags.given(name) {
			return failure.New(failure.Usage, fmt.Errorf("--%s cannot be changed when a run goes on: its checkpoints are of what it was", name), "start another run: leave out --resume")
		}
	}
	return nil
}

// checkAgain asks what may have changed since the run began.
func (o *options) checkAgain(ctx context.Context, observer *runs.Observer, p planned) error {
	var found refusals
	o.fit([]planned{p}, &found)
	refused, err := observer.Needs(ctx, p.objects, o.warnOnce)
	if err != nil {
		return err
	}
	found.add(refused...)
	return failure.Join(found)
}

// changes says whether anything of the run was given anew.
func (o *options) changes() bool {
	changed := false
	o.flags.set.Visit(func(f *pflag.Flag) {
		// Flags of every command say where the cluster is.
		if o.flags.own[f.Name] && !slices.Contains(neutral, f.Name) {
			changed = true
		}
	})
	return changed
}

// again is the run as its record has it, with what was given now.
func (o *options) again(ctx context.Context, observer *runs.Observer, run *runs.Run) (planned, error) {
	if run.Options == nil {
		return planned{}, failure.Refusedf("start it anew under another name", "the record of run %s does not say how its pods were made: it was not started by this program", o.name)
	}
	p := planned{spec: run.Spec, options: *run.Options}
	p.options.Namespace = o.namespace
	// Where it is in the cluster is worked out anew.
	p.spec.Cluster = nil
	if err := o.flags.overlay(&p.spec); err != nil {
		return p, err
	}
	if err := sameRun(&run.Spec, &p.spec, run.Prepared != nil); err != nil {
		return p, err
	}
	if err := o.flags.overOptions(&p.options, o.flags.given); err != nil {
		return p, err
	}
	var err error
	if p.options.LocalData, err = observer.LocalData(ctx, o.name); err != nil {
		return p, err
	}
	if p.objects, err = runs.Objects(p.spec, p.options); err != nil {
		return p, usageOf(err)
	}
	return p, nil
}

// sameRun refuses what --set changed of what makes another run, and once it is prepared what a checkpoint cannot take.
func sameRun(before, after *train.Spec, prepared bool) error {
	for field, same := range map[string]bool{
		"name": before.Name == after.Name, "model": before.Model.ID == after.Model.ID && before.Model.Revision == after.Model.Revision,
		"data.uri": before.Data.URI == after.Data.URI, "data.revision": before.Data.Revision == after.Data.Revision,
		"volume":                      before.Volume == after.Volume,
		"data":                        !prepared || before.Data == after.Data,
		"prompt":                      !prepared || before.Prompt == after.Prompt,
		"lora":                        !prepared || before.LoRA == after.LoRA,
		"training.seed":               !prepared || before.Training.Seed == after.Training.Seed,
		"training.effectiveBatchSize": !prepared || before.Training.EffectiveBatchSize == after.Training.EffectiveBatchSize,
		"training.maxLength":          !prepared || before.Training.MaxLength == after.Training.MaxLength,
	} {
		if !same {
			return failure.New(failure.Usage, fmt.Errorf("%s cannot be changed when a run goes on: its checkpoints are of what it was", field), "start another run: leave out --resume")
		}
	}
	return nil
}

func (o *options) command(verb string) string {
	return fmt.Sprintf("%s %s %s -n %s%s", product.Command, verb, o.name, o.namespace, o.f.Target())
}
