package promote

import (
	"context"
	"fmt"
	"regexp"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/kubectl-summarizer/kubectl-summarizer/internal/failure"
	"github.com/kubectl-summarizer/kubectl-summarizer/internal/product"
	"github.com/kubectl-summarizer/kubectl-summarizer/internal/runs"
	"github.com/kubectl-summarizer/kubectl-summarizer/pkg/train"
)

func refuse(next, format string, args ...any) *failure.Error {
	return &failure.Error{Kind: failure.Refused, Err: fmt.Errorf(format, args...), Next: next}
}

const skip = "if you know better: --skip-checks"

// fit asks whether run and release belong together.
func (o *options) fit(ctx context.Context, run *runs.Run, now *served, a adapter) error {
	var found []*failure.Error
	for _, ask := range []func() *failure.Error{
		func() *failure.Error { return proved(run) },
		func() *failure.Error { return o.sameModel(run, now) },
		func() *failure.Error { return sameImage(run, now) },
		func() *failure.Error { return o.sideBySide(now) },
	} {
		if refused := ask(); refused != nil {
			found = append(found, refused)
		}
	}
	if a.claim != "" {
		refused, err := o.volume(ctx, now, a)
		if err != nil {
			return err
		}
		if refused != nil {
			found = append(found, refused)
		}
	}
	return failure.Join(found)
}

// proved refuses an adapter that was not seen to be served.
func proved(run *runs.Run) *failure.Error {
	e := run.Result.Evaluation
	switch {
	case e == nil:
		return refuse(skip, "run %s was not judged, so that nobody knows whether vLLM serves its adapter", run.Name)
	case !e.Served:
		return refuse(skip, "run %s was judged by %s: that vLLM serves its adapter, and that it answers otherwise than the model, was not seen", run.Name, e.Engine)
	}
	return nil
}

var commit = regexp.MustCompile(`^[0-9a-f]{40}$`)

// sameModel refuses a release of another model: the adapter would change weights that it does
// not know.
func (o *options) sameModel(run *runs.Run, now *served) *failure.Error {
	tuned, id := run.Result.Model, now.text("model", "id")
	if id != tuned.ID {
		return refuse(fmt.Sprintf("install a release of it: %s install NAME --model %s%s\nor name another: --release NAME", product.Command, tuned.ID, o.in()),
			"release %s serves %s, and run %s has tuned %s", o.release, id, run.Name, tuned.ID)
	}
	revision := now.text("model", "revision")
	switch {
	case revision == tuned.Revision || !commit.MatchString(tuned.Revision):
	case commit.MatchString(revision):
		return refuse(fmt.Sprintf("serve that commit: %s install %s --revision %s%s\n%s", product.Command, o.release, tuned.Revision, o.in(), skip),
			"release %s serves %s at commit %.12s, and run %s has tuned %.12s", o.release, id, revision, run.Name, tuned.Revision)
	default:
		o.steps.Warn(fmt.Sprintf("release %s serves %s at %q, which may move; it was tuned at commit %s", o.release, id, or(revision, "main"), tuned.Revision))
	}
	return nil
}

// sameImage refuses another vLLM than the one that judged. The registry may be a mirror.
func sameImage(run *runs.Run, now *served) *failure.Error {
	judged := versionOf(run.Image())
	serves := or(now.text("image", "digest"), now.text("image", "tag"))
	if judged == serves || judged == "" {
		return nil
	}
	return refuse(skip, "the release runs %s:%s, and the run was judged by %s: another vLLM may answer otherwise", now.text("image", "repository"), serves, run.Image())
}

// versionOf is the digest or the tag of an image.
func versionOf(image string) string {
	if _, digest, found := strings.Cut(image, "@"); found {
		return digest
	}
	name := image[strings.LastIndex(image, "/")+1:]
	_, tag, _ := strings.Cut(name, ":")
	return tag
}

// sideBySide refuses a comparison with what would be gone.
func (o *options) sideBySide(now *served) *failure.Error {
	names := now.adapters()
	switch {
	case o.canary == 0:
		return nil
	case slices.Contains(names, o.served):
		return refuse("give the new one another name: --name NAME", "%s is served already, and would be replaced: to be compared, both must be served", o.served)
	case o.against != "" && o.against != now.model() && !slices.Contains(names, o.against):
		return refuse("there is: --against "+strings.Join(append(names, now.model()), ", --against "), "release %s does not serve %q", o.release, o.against)
	}
	return nil
}

// rival is what a canary is compared with.
func (o *options) rival(now *served) string {
	if o.against != "" {
		return o.against
	}
	if names := now.adapters(); o.canary > 0 && len(names) == 1 {
		return names[0]
	}
	return now.model()
}

// volume refuses a volume that the servers cannot all have.
func (o *options) volume(ctx context.Context, now *served, a adapter) (*failure.Error, error) {
	claim, err := o.client.CoreV1().PersistentVolumeClaims(o.namespace).Get(ctx, a.claim, metav1.GetOptions{})
	switch {
	case apierrors.IsForbidden(err):
		return nil, nil
	case apierrors.IsNotFound(err):
		return refuse("serve it from the Hub: --from hub", "the volume of the run, PersistentVolumeClaim %s, is gone", a.claim), nil
	case err != nil:
		return nil, err
	}
	modes := claim.Spec.AccessModes
	shared := slices.Contains(modes, corev1.ReadWriteMany) || slices.Contains(modes, corev1.ReadOnlyMany)
	hub := fmt.Sprintf("publish it, and serve it from there: %s publish %s --repo ORG/NAME%s", product.Command, o.name, o.in())
	switch replicas := now.number("replicas"); {
	case shared:
		return nil, nil
	case o.canary > 0 && now.text("platform") == train.GKEAutopilot:
		return refuse(hub, "the canary reads its examples from the volume of the run, which the server will hold on a node with a GPU, and GKE Autopilot lets no pod without a GPU onto that node"), nil
	case replicas > 1:
		return refuse(hub, "release %s has %d replicas, and the volume of the run can be on one node only", o.release, replicas), nil
	case rolls(now):
		o.steps.Warn("the volume of the run can be on one node only: the new pod finds it only on the node of the old one, where there must be a GPU to spare")
	}
	return nil, nil
}

// rolls says whether a new pod starts while the old one serves.
func rolls(now *served) bool {
	surge := fmt.Sprint(now.at("strategy", "maxSurge"))
	return now.text("strategy", "type") == "RollingUpdate" && surge != "0" && surge != "0%"
}

// interruption warns when the release will not answer for a while.
func (o *options) interruption(now *served) {
	if rolls(now) || now.text("strategy", "type") == "RollingUpdate" && now.number("replicas") > 1 {
		return
	}
	o.steps.Warn(fmt.Sprintf("release %s does not answer while its model is loaded again; with a GPU to spare it would: %s install %s --set strategy.type=RollingUpdate,strategy.maxSurge=1%s",
		o.release, product.Command, o.release, o.in()))
}

func or(first, second string) string {
	if first != "" {
		return first
	}
	return second
}
