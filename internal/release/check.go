package release

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/rest"

	"github.com/kubectl-summarizer/kubectl-summarizer/internal/cluster"
	"github.com/kubectl-summarizer/kubectl-summarizer/internal/product"
	"github.com/kubectl-summarizer/kubectl-summarizer/pkg/render"
)

// Refusal is one object that the cluster would not take.
type Refusal struct {
	// Object is its kind and name, as kubectl writes them: "deployment.apps/x".
	Object string
	// Reason is the cluster's own sentence.
	Reason string
	// Next is what to do about it, "" when Reason says it all.
	Next string
}

// Verdict is what the cluster says of a release before anything is changed.
type Verdict struct {
	Refusals []Refusal
	// Warnings are sentences that the API server sends along with its consent.
	Warnings []string
}

// Check asks the cluster to do everything that Apply would do, as a dry run, so that
// rights, admission policies, quota and immutable fields answer first. Every field is
// checked strictly. The pods of a workload are asked for too: quota and Pod Security refuse
// those, not the workload. The error says that the question could not be asked.
func (c *Client) Check(ctx context.Context, s Spec) (*Verdict, error) {
	objects, err := s.Rendered.Objects()
	if err != nil {
		return nil, err
	}
	k, err := c.newChecker(ctx, s)
	if err != nil {
		return nil, err
	}
	var wait sync.WaitGroup
	refusals := make([][]Refusal, len(objects)+1)
	for i, object := range objects {
		wait.Go(func() { refusals[i] = k.object(ctx, object, objects) })
	}
	wait.Go(func() { refusals[len(objects)] = k.record(ctx) })
	wait.Wait()
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	if k.lost != nil {
		return nil, k.lost
	}
	verdict := &Verdict{Warnings: k.warnings}
	for _, found := range refusals {
		verdict.Refusals = append(verdict.Refusals, found...)
	}
	return verdict, nil
}

// checker asks the API server about one release. Its methods may run at once.
type checker struct {
	dynamic   dynamic.Interface
	mapper    meta.RESTMapper
	release   string
	namespace string
	of        *Client
	// applied is what the last deployed revision applied, by kind and name.
	applied map[string]*unstructured.Unstructured

	// mapping guards mapper, which fetches its table when first asked.
	mapping  sync.Mutex
	mu       sync.Mutex
	warnings []string
	// lost is an error that is no answer: the cluster could not be reached.
	lost error
}

func (c *Client) newChecker(ctx context.Context, s Spec) (*checker, error) {
	k := &checker{release: s.Name, namespace: c.namespace, of: c}
	config, err := c.getter.ToRESTConfig()
	if err != nil {
		return nil, err
	}
	config = rest.CopyConfig(config)
	config.WarningHandler = k
	if k.dynamic, err = dynamic.NewForConfig(config); err != nil {
		return nil, err
	}
	if k.mapper, err = c.getter.ToRESTMapper(); err != nil {
		return nil, err
	}
	k.applied, err = c.applied(ctx, s.Name)
	return k, err
}

// HandleWarningHeader keeps each warning of the API server once.
func (k *checker) HandleWarningHeader(code int, _, text string) {
	k.mu.Lock()
	defer k.mu.Unlock()
	for _, known := range k.warnings {
		if known == text {
			return
		}
	}
	if code == 299 && text != "" {
		k.warnings = append(k.warnings, text)
	}
}

// object asks whether the object would be created or changed, and its pods taken.
func (k *checker) object(ctx context.Context, object *unstructured.Unstructured, all []*unstructured.Unstructured) []Refusal {
	object = object.DeepCopy()
	own(object, k.release, k.namespace)
	client, err := k.client(ctx, object)
	if meta.IsNoMatchError(err) {
		return []Refusal{{Object: objectName(object), Reason: fmt.Sprintf("the cluster knows no %s of %s", object.GetKind(), object.GetAPIVersion()),
			Next: "install what brings it, or turn it off in the values"}}
	}
	if err != nil {
		return k.answer(objectName(object), err)
	}
	live, err := client.Get(ctx, object.GetName(), metav1.GetOptions{})
	switch {
	case apierrors.IsNotFound(err):
		_, err = client.Create(ctx, object, metav1.CreateOptions{
			DryRun: []string{metav1.DryRunAll}, FieldManager: product.FieldManager, FieldValidation: metav1.FieldValidationStrict,
		})
		live = nil
	case err != nil:
	default:
		if owner := foreignOwner(live, k.release, k.namespace); owner != "" {
			return []Refusal{k.taken(object, owner)}
		}
		err = k.patch(ctx, client, live, object)
	}
	if found := k.answer(objectName(object), err); len(found) > 0 {
		if next := k.nextForClaim(live, err); next != "" {
			found[0].Next = next
		}
		return found // its pods would be refused for the same reason
	}
	return k.pod(ctx, object, live != nil, all)
}

func (k *checker) taken(object *unstructured.Unstructured, owner string) Refusal {
	name := objectName(object)
	return Refusal{Object: name, Reason: "it is there already and " + owner,
		Next: "choose another release name, or remove it, or hand it over:\n" + k.of.handOver(name, k.release)}
}

// record asks whether Helm's record of the release may be written. Without that right
// Helm would stop after it has begun.
func (k *checker) record(ctx context.Context) []Refusal {
	if !recordsAreSecrets() {
		return nil
	}
	secret := &unstructured.Unstructured{Object: map[string]any{
		"apiVersion": "v1", "kind": "Secret", "type": "helm.sh/release.v1",
		"metadata": map[string]any{"name": "sh.helm.release.v1." + k.release + ".check", "namespace": k.namespace},
	}}
	_, err := k.dynamic.Resource(corev1.SchemeGroupVersion.WithResource("secrets")).Namespace(k.namespace).
		Create(ctx, secret, metav1.CreateOptions{DryRun: []string{metav1.DryRunAll}, FieldManager: product.FieldManager})
	return k.answer("the release's record (a Secret)", err)
}

// answer makes a refusal of what the API server said. Anything else it said nothing at all.
func (k *checker) answer(object string, err error) []Refusal {
	if err == nil {
		return nil
	}
	var status apierrors.APIStatus
	if !errors.As(err, &status) || apierrors.IsUnauthorized(err) || apierrors.IsServerTimeout(err) || apierrors.IsTooManyRequests(err) {
		k.mu.Lock()
		defer k.mu.Unlock()
		if k.lost == nil {
			k.lost = err
		}
		return nil
	}
	return []Refusal{{Object: object, Reason: strings.TrimSpace(status.Status().Message), Next: k.nextFor(err)}}
}

func (k *checker) nextFor(err error) string {
	return cluster.NextForRefusal(err, k.namespace, k.of.Target)
}

func (k *checker) client(ctx context.Context, object *unstructured.Unstructured) (dynamic.ResourceInterface, error) {
	gvk := object.GroupVersionKind()
	mapping, err := until(ctx, func() (*meta.RESTMapping, error) {
		k.mapping.Lock()
		defer k.mapping.Unlock()
		return k.mapper.RESTMapping(gvk.GroupKind(), gvk.Version)
	})
	if err != nil {
		return nil, err
	}
	client := k.dynamic.Resource(mapping.Resource)
	if mapping.Scope.Name() != meta.RESTScopeNameNamespace {
		return client, nil
	}
	namespace := object.GetNamespace()
	if namespace == "" {
		namespace = k.namespace
	}
	return client.Namespace(namespace), nil
}

// objectName writes kind and name as kubectl prints them.
func objectName(object *unstructured.Unstructured) string {
	return strings.ToLower(object.GroupVersionKind().GroupKind().String()) + "/" + object.GetName()
}

// applied returns what the last deployed revision applied; nothing for a new release.
func (c *Client) applied(ctx context.Context, name string) (map[string]*unstructured.Unstructured, error) {
	history, err := c.History(ctx, name)
	if err != nil && !isNotFound(err) {
		return nil, err
	}
	for _, info := range history {
		if info.Status != "deployed" {
			continue
		}
		objects, err := render.ParseManifests(info.Manifest)
		if err != nil {
			return nil, err
		}
		byName := make(map[string]*unstructured.Unstructured, len(objects))
		for _, o := range objects {
			byName[objectName(o)] = o
		}
		return byName, nil
	}
	return nil, nil
}
