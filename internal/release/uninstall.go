package release

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"helm.sh/helm/v3/pkg/action"
	"helm.sh/helm/v3/pkg/kube"
	"helm.sh/helm/v3/pkg/release"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/client-go/kubernetes"

	"github.com/kubectl-summarizer/kubectl-summarizer/charts"
	"github.com/kubectl-summarizer/kubectl-summarizer/internal/failure"
	"github.com/kubectl-summarizer/kubectl-summarizer/pkg/render"
)

// Removal is what an uninstall removes and what it leaves.
type Removal struct {
	// Objects are the removed ones, as kubectl writes them: "deployment.apps/x".
	Objects []string
	Kept    []Kept
}

// Kept is something of a release that outlives it.
type Kept struct {
	// Object is its kind and name, as kubectl writes them.
	Object string
	// Why says what it is good for, or what it costs.
	Why string
	// Remove is the command that removes it.
	Remove string
}

// Uninstall removes a release of this program's chart, and says what stays. It returns
// ErrNotFound when there is none. It asks nothing and does not wait for pods to end. A
// Removal that comes with an error is of a release that is gone: only what stays is not known.
func (c *Client) Uninstall(ctx context.Context, client kubernetes.Interface, name string, notify func(string)) (*Removal, error) {
	var failed []error
	// Helm's error says only that something failed; what and why goes to its log.
	cfg, err := c.configure(func(format string, args ...any) {
		if strings.HasPrefix(format, "uninstall: Failed to delete release") && len(args) == 1 {
			if errs, ok := args[0].([]error); ok {
				failed = errs
			}
		}
	})
	if err != nil {
		return nil, err
	}
	history, err := c.removable(ctx, cfg, name, notify)
	if err != nil {
		return nil, err
	}
	newest := history[0]
	objects, leftovers, err := c.removed(ctx, cfg, history)
	if err != nil {
		return nil, err
	}
	_, err = finish(ctx, func() (any, error) { return nil, c.deleteBefore(cfg, newest, leftovers) })
	if err != nil {
		return nil, c.givenUp(name, "removed", err)
	}
	uninstall := action.NewUninstall(cfg)
	uninstall.Timeout = applyLimit
	uninstall.DeletionPropagation = "background"
	_, err = finish(ctx, func() (*release.UninstallReleaseResponse, error) { return uninstall.Run(name) })
	var left *leftError
	switch {
	case errors.As(err, &left):
		return nil, c.givenUp(name, "removed", err)
	case err != nil:
		return nil, fmt.Errorf("release %s could not be removed whole: %w", name, errors.Join(append(failed, err)...))
	}
	removal := &Removal{Objects: objectNames(objects)}
	// The release is gone: what it leaves is told even to whoever pressed Ctrl-C meanwhile.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), listLimit)
	defer cancel()
	if removal.Kept, err = c.kept(ctx, client, newest, removal.Objects); err != nil {
		return removal, fmt.Errorf("release %s is removed, but not all that stays is known: %w", name, err)
	}
	return removal, nil
}

// listLimit bounds the listing of what an uninstall leaves.
const listLimit = 10 * time.Second

// PlanUninstall says what Uninstall would remove and leave, and changes nothing. With ask
// the cluster is asked whether each may be removed.
func (c *Client) PlanUninstall(ctx context.Context, client kubernetes.Interface, name string, ask bool) (*Removal, []Refusal, error) {
	cfg, err := c.configure(silent)
	if err != nil {
		return nil, nil, err
	}
	history, err := records(ctx, cfg, name)
	if err != nil {
		return nil, nil, err
	}
	if err := sameChart(history[0]); err != nil {
		return nil, nil, err
	}
	objects, _, err := c.removed(ctx, cfg, history)
	if err != nil {
		return nil, nil, err
	}
	removal := &Removal{Objects: objectNames(objects)}
	var refusals []Refusal
	if ask {
		if refusals, err = c.mayDelete(ctx, name, objects); err != nil {
			return nil, nil, err
		}
	}
	removal.Kept, err = c.kept(ctx, client, history[0], removal.Objects)
	return removal, refusals, err
}

// removable returns the release's records once nobody works on it.
func (c *Client) removable(ctx context.Context, cfg *action.Configuration, name string, notify func(string)) ([]*release.Release, error) {
	history, err := records(ctx, cfg, name)
	if err != nil {
		return nil, err
	}
	if err := sameChart(history[0]); err != nil {
		return nil, err
	}
	// An uninstall that was cut short goes on where it was.
	if history[0].Info.Status == release.StatusUninstalling {
		return history, nil
	}
	history, err = c.settled(ctx, cfg, Spec{Name: name, Notify: notify})
	switch {
	case err != nil:
		return nil, err
	case len(history) == 0:
		return nil, ErrNotFound
	}
	return history, nil
}

// sameChart keeps a slip of the fingers from removing somebody's database.
func sameChart(r *release.Release) error {
	if found := infoOf(r).Chart; found != charts.Name {
		return failure.Refusedf("use helm for it, or choose another release name",
			"release %s in namespace %s is of the chart %s, not %s", r.Name, r.Namespace, found, charts.Name)
	}
	return nil
}

// removed returns the objects of a release that go with it; the leftovers among them are
// what Helm would forget.
func (c *Client) removed(ctx context.Context, cfg *action.Configuration, history []*release.Release) ([]*unstructured.Unstructured, kube.ResourceList, error) {
	objects, err := removedObjects(history[0])
	if err != nil {
		return nil, nil, err
	}
	leftovers, err := until(ctx, func() (kube.ResourceList, error) { return c.leftovers(cfg, history) })
	if err != nil {
		return nil, nil, fmt.Errorf("what an unfinished install of %s left cannot be looked at: %w", history[0].Name, err)
	}
	for _, info := range leftovers {
		if object, ok := info.Object.(*unstructured.Unstructured); ok {
			objects = append(objects, object)
		}
	}
	return objects, leftovers, nil
}

func objectNames(objects []*unstructured.Unstructured) []string {
	var names []string
	for _, o := range objects {
		names = append(names, objectName(o))
	}
	return names
}

// removedObjects are those of the manifest without a policy to keep them.
func removedObjects(r *release.Release) ([]*unstructured.Unstructured, error) {
	objects, err := render.ParseManifests([]byte(r.Manifest))
	if err != nil {
		return nil, fmt.Errorf("the record of release %s cannot be read: %w", r.Name, err)
	}
	var removed []*unstructured.Unstructured
	for _, o := range objects {
		if o.GetAnnotations()[kube.ResourcePolicyAnno] != kube.KeepPolicy {
			removed = append(removed, o)
		}
	}
	return removed, nil
}

// deleteBefore deletes what Helm's uninstall forgets.
func (c *Client) deleteBefore(cfg *action.Configuration, r *release.Release, leftovers kube.ResourceList) error {
	for _, info := range leftovers {
		if err := c.deleteOwned(cfg, r.Name, info); err != nil {
			return fmt.Errorf("%s %s, which an unfinished install left, cannot be removed: %w", info.Mapping.GroupVersionKind.Kind, info.Name, err)
		}
	}
	return c.deleteHooks(cfg, r)
}

// deleteHooks deletes what `helm test` left behind: Helm forgets those objects.
func (c *Client) deleteHooks(cfg *action.Configuration, r *release.Release) error {
	for _, hook := range r.Hooks {
		objects, err := built(cfg, hook.Manifest)
		if err != nil {
			return err
		}
		if _, errs := cfg.KubeClient.Delete(objects); len(errs) > 0 {
			return fmt.Errorf("%s %s of helm test cannot be removed: %w", hook.Kind, hook.Name, errors.Join(errs...))
		}
	}
	return nil
}

// mayDelete asks for every deletion as a dry run.
func (c *Client) mayDelete(ctx context.Context, name string, objects []*unstructured.Unstructured) ([]Refusal, error) {
	k, err := c.newChecker(ctx, Spec{Name: name})
	if err != nil {
		return nil, err
	}
	var refusals []Refusal
	for _, o := range objects {
		client, err := k.client(ctx, o)
		if err == nil {
			err = client.Delete(ctx, o.GetName(), metav1.DeleteOptions{DryRun: []string{metav1.DryRunAll}})
		}
		if !isGone(err) {
			refusals = append(refusals, k.answer(objectName(o), err)...)
		}
	}
	return refusals, k.lost
}
