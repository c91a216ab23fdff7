package train

import (
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/kubectl-summarizer/kubectl-summarizer/internal/failure"
	"github.com/kubectl-summarizer/kubectl-summarizer/internal/runs"
	"github.com/kubectl-summarizer/kubectl-summarizer/pkg/train"
)

// planned is one run that is to be created.
type planned struct {
	spec    train.Spec
	options train.Options
	objects []*unstructured.Unstructured
}

// plan works out the runs: one for each model.
func (o *options) plan() ([]planned, error) {
	base, err := o.flags.base(o.f.Streams.In)
	if err != nil {
		return nil, err
	}
	options, err := o.flags.options()
	if err != nil {
		return nil, err
	}
	options.Namespace = o.namespace
	if err := o.data(&base, &options); err != nil {
		return nil, err
	}
	if err := o.flags.overlay(&base); err != nil {
		return nil, err
	}
	models := o.flags.models
	if len(models) == 0 {
		models = []string{base.Model.ID}
	}
	name := o.name
	if name == "" && len(models) == 1 {
		name = base.Name
	}
	from := base.Data.URI
	if o.flags.given("data") {
		from = o.flags.data
	}
	names, group, err := runNames(name, dataName(from), o.stamp(), models)
	if err != nil {
		return nil, err
	}
	if len(models) > 1 {
		options.Group = group
	}
	var all []planned
	for i, model := range models {
		p := planned{spec: base, options: options}
		p.spec.Name = names[i]
		if len(o.flags.models) > 0 {
			id, revision, _ := strings.Cut(model, "@")
			p.spec.Model.ID = id
			if p.spec.Model.Revision = revision; revision == "" {
				p.spec.Model.Revision = "main"
			}
		}
		weights(&p.spec, &p.options)
		if p.objects, err = runs.Objects(p.spec, p.options); err != nil {
			return nil, usageOf(err)
		}
		all = append(all, p)
	}
	return all, nil
}

// data fills in where the data come from.
func (o *options) data(spec *train.Spec, options *train.Options) error {
	if !o.flags.given("data") {
		return nil
	}
	found, err := readSource(o.flags.data)
	if err != nil {
		return err
	}
	if found.uri != "" {
		spec.Data.URI = found.uri
	}
	options.LocalData, options.DataClaim = found.files, found.claim
	if o.flags.given("data-revision") && found.uri == "" {
		return failure.Usagef("--data-revision is for data on the Hub, and %s is not there", o.flags.data)
	}
	return nil
}
