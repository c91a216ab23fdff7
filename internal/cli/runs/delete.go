package runs

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/spf13/cobra"
	"golang.org/x/term"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/kubectl-summarizer/kubectl-summarizer/internal/cli/factory"
	"github.com/kubectl-summarizer/kubectl-summarizer/internal/failure"
	"github.com/kubectl-summarizer/kubectl-summarizer/internal/product"
	"github.com/kubectl-summarizer/kubectl-summarizer/internal/runs"
	"github.com/kubectl-summarizer/kubectl-summarizer/pkg/train"
)

const longDelete = `Delete a run with everything that it has: Jobs, record, and the volume with its
checkpoints, its adapter and the downloaded model.

The volume is asked about on a terminal, and needs --yes elsewhere; --keep-volume keeps
it, and what it costs. What is published on the Hub stays there.`

type deleteOptions struct {
	keepVolume, yes bool
	dryRun          string
}

func newDelete(f *factory.Factory) *cobra.Command {
	o := &deleteOptions{}
	cmd := &cobra.Command{
		Use:   "delete NAME",
		Short: "Delete a run, with its volume unless that is to stay",
		Long:  longDelete,
		Args:  cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return with(f, func(observer *runs.Observer) error { return o.run(cmd.Context(), f, observer, args[0]) })
		},
	}
	cmd.Flags().BoolVar(&o.keepVolume, "keep-volume", false, "keep the volume")
	cmd.Flags().BoolVar(&o.yes, "yes", false, "delete the volume without asking")
	cmd.Flags().StringVar(&o.dryRun, "dry-run", "none", "none or client (say what would be deleted)")
	return cmd
}

func (o *deleteOptions) run(ctx context.Context, f *factory.Factory, observer *runs.Observer, name string) error {
	if err := failure.OneOf("--dry-run", o.dryRun, "none", "client"); err != nil {
		return err
	}
	objects, err := observer.Owned(ctx, name, o.keepVolume)
	if err != nil {
		return err
	}
	if len(objects) == 0 {
		return observer.Missing(ctx, name)
	}
	volume := volumeOf(objects)
	if err := unused(ctx, observer, name, volume); err != nil {
		return err
	}
	if o.dryRun == "client" {
		say(f.Streams.Out, objects, " (dry run)")
		return nil
	}
	if volume != "" && !o.yes {
		if err := ask(ctx, f, observer, name, "persistentvolumeclaim/"+volume); err != nil {
			return err
		}
	}
	gone, err := observer.Delete(ctx, objects)
	say(f.Streams.Out, gone, "")
	if err == nil && o.keepVolume {
		fmt.Fprintf(f.Streams.ErrOut, "the volume stays: kubectl get pvc -n %s train-%s%s\n", observer.Namespace, name, observer.Target)
	}
	return err
}

func say(w io.Writer, objects []*unstructured.Unstructured, suffix string) {
	for _, object := range objects {
		fmt.Fprintf(w, "%s deleted%s\n", runs.ObjectName(object), suffix)
	}
}

// volumeOf is the name of the claim among objects, "" for none.
func volumeOf(objects []*unstructured.Unstructured) string {
	for _, object := range objects {
		if object.GetKind() == "PersistentVolumeClaim" {
			return object.GetName()
		}
	}
	return ""
}

// unused refuses to delete a volume that a server has its adapter from: its next pod would not start.
func unused(ctx context.Context, observer *runs.Observer, name, volume string) error {
	if volume == "" {
		return nil
	}
	pod, err := observer.UserOf(ctx, volume)
	if err != nil || pod == nil {
		return err
	}
	what := "pod " + pod.Name
	if release := pod.Labels[train.LabelInstance]; release != "" {
		what = fmt.Sprintf("release %s (%s)", release, what)
	}
	return failure.Refusedf(fmt.Sprintf("serve it from the Hub: %s promote %s --from hub -n %s%s\nor keep the volume: --keep-volume", product.Command, name, observer.Namespace, observer.Target),
		"%s serves from the volume of run %s", what, name)
}

// ask has a person at a terminal confirm that the volume goes; elsewhere nobody can.
func ask(ctx context.Context, f *factory.Factory, observer *runs.Observer, name, volume string) error {
	what := "its checkpoints and its adapter"
	if run, err := observer.Look(ctx, name); err == nil && run.Result != nil && run.Published == nil && run.Merged == nil {
		what += ", which is not published,"
	}
	file, ok := f.Streams.In.(*os.File)
	if !ok || !term.IsTerminal(int(file.Fd())) {
		return failure.Refusedf("--yes deletes it, --keep-volume keeps it", "%s holds %s and would be deleted: nobody can be asked here", volume, strings.TrimSuffix(what, ","))
	}
	fmt.Fprintf(f.Streams.ErrOut, "%s holds %s and will be deleted. Go on? [y/N] ", volume, what)
	answer, err := bufio.NewReader(f.Streams.In).ReadString('\n')
	if err != nil && answer == "" {
		return err
	}
	switch strings.ToLower(strings.TrimSpace(answer)) {
	case "y", "yes":
		return nil
	}
	return failure.Refusedf("--keep-volume keeps the volume and deletes the rest", "nothing was deleted")
}
