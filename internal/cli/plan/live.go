package plan

import (
	"context"
	"errors"
	"fmt"
	"io/fs"

	"github.com/kubectl-summarizer/kubectl-summarizer/internal/cluster"
	"github.com/kubectl-summarizer/kubectl-summarizer/internal/planning"
	"github.com/kubectl-summarizer/kubectl-summarizer/internal/ui"
	"github.com/kubectl-summarizer/kubectl-summarizer/pkg/render"
)

// look says on which nodes of the cluster the release could land. It goes to stderr where stdout holds the plan as data.
func (o *options) look(ctx context.Context, chart fs.FS, given map[string]any) error {
	rendered, err := render.Render(ctx, chart, render.Options{Release: o.release, Namespace: "default", Values: given, KubeVersion: render.DefaultKubeVersion})
	var refused *render.RefusedError
	switch {
	case errors.As(err, &refused): // as the plan has said
		return nil
	case err != nil:
		return err
	}
	template, err := planning.PodTemplate(rendered)
	if err != nil {
		return err
	}
	if _, err := o.f.Namespace(); err != nil {
		return err // of the kubeconfig, as every other verb has it
	}
	client, err := o.f.Clientset()
	if err != nil {
		return err
	}
	landings, resource, err := cluster.FindLandings(ctx, client, template)
	if err != nil {
		return cluster.ExplainFor(o.f.Target(), err)
	}
	w := o.f.Streams.Out
	if o.output != "table" {
		w = o.f.Streams.ErrOut
	}
	fmt.Fprintln(w)
	if len(landings) == 0 {
		fmt.Fprintf(w, "nodes        none has %s or the labels that the pods ask for: a node has to be added, see --commands\n", resource)
		return nil
	}
	rows := make([][]string, len(landings))
	able := 0
	for i, l := range landings {
		verdict := l.Why
		if verdict == "" {
			verdict, able = "could run here now", able+1
		}
		rows[i] = []string{l.Node, l.GPU, l.MemoryMiB, fmt.Sprintf("%d of %d", l.Used, l.Allocatable), verdict}
	}
	if err := ui.Table(w, []string{"NODE", "GPU", "MIB", "IN USE", "VERDICT"}, rows); err != nil {
		return err
	}
	if able == 0 {
		fmt.Fprintln(w, "\nno node could take it now")
	}
	return nil
}
