package train

import (
	"context"
	"fmt"
	"slices"
	"strings"

	authorizationv1 "k8s.io/api/authorization/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/kubectl-summarizer/kubectl-summarizer/internal/failure"
	"github.com/kubectl-summarizer/kubectl-summarizer/pkg/train"
)

// localQueues are Kueue's.
var localQueues = schema.GroupVersionResource{Group: "kueue.x-k8s.io", Version: "v1beta1", Resource: "localqueues"}

// defaultClass marks the cluster's default StorageClass.
const defaultClass = "storageclass.kubernetes.io/is-default-class"

// needs asks for the objects that the run refers to and does not make itself: a pod that lacks
// one would wait for ever.
func (o *options) needs(ctx context.Context, options *train.Options) ([]*failure.Error, error) {
	var found []*failure.Error
	for _, ask := range []func(context.Context, *train.Options) (*failure.Error, error){o.storage, o.claims, o.variables, o.account, o.queue, o.logs} {
		refused, err := ask(ctx, options)
		if err != nil {
			return nil, err
		}
		if refused != nil {
			found = append(found, refused)
		}
	}
	return found, nil
}

func refuse(next, format string, args ...any) *failure.Error {
	return &failure.Error{Kind: failure.Refused, Err: fmt.Errorf(format, args...), Next: next}
}

// storage checks that a volume can be made.
func (o *options) storage(ctx context.Context, options *train.Options) (*failure.Error, error) {
	if options.ExistingClaim != "" {
		return nil, nil
	}
	classes, err := o.client.StorageV1().StorageClasses().List(ctx, metav1.ListOptions{})
	if apierrors.IsForbidden(err) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	var names []string
	for i := range classes.Items {
		class := &classes.Items[i]
		if class.Name == options.StorageClass || options.StorageClass == "" && class.Annotations[defaultClass] == "true" {
			return nil, nil
		}
		names = append(names, "--storage-class "+class.Name)
	}
	next := "use a volume that is there: --claim NAME"
	if len(names) > 0 {
		next = strings.Join(names, "\n") + "\nor " + next
	}
	if options.StorageClass == "" {
		return refuse(next, "the cluster has no default StorageClass, so that no volume would be made"), nil
	}
	return refuse(next, "there is no StorageClass %q", options.StorageClass), nil
}

// claims checks the volumes that are named.
func (o *options) claims(ctx context.Context, options *train.Options) (*failure.Error, error) {
	named := []string{options.ExistingClaim}
	if claim, _, err := train.ParseDataClaim(options.DataClaim); err == nil {
		named = append(named, claim)
	}
	for _, name := range named {
		if name == "" {
			continue
		}
		_, err := o.client.CoreV1().PersistentVolumeClaims(o.namespace).Get(ctx, name, metav1.GetOptions{})
		if apierrors.IsNotFound(err) {
			return refuse("see which there are: kubectl get pvc -n "+o.namespace+o.f.Target(), "there is no PersistentVolumeClaim %q in namespace %s", name, o.namespace), nil
		}
		if err != nil && !apierrors.IsForbidden(err) {
			return nil, err
		}
	}
	return nil, nil
}

// variables checks the sources of --env-from.
func (o *options) variables(ctx context.Context, options *train.Options) (*failure.Error, error) {
	for _, from := range options.EnvFrom {
		var kind, name string
		var err error
		if from.SecretRef != nil {
			kind, name = "Secret", from.SecretRef.Name
			_, err = o.client.CoreV1().Secrets(o.namespace).Get(ctx, name, metav1.GetOptions{})
		} else {
			kind, name = "ConfigMap", from.ConfigMapRef.Name
			_, err = o.client.CoreV1().ConfigMaps(o.namespace).Get(ctx, name, metav1.GetOptions{})
		}
		if apierrors.IsNotFound(err) {
			return refuse("", "--env-from: there is no %s %q in namespace %s", kind, name, o.namespace), nil
		}
		if err != nil && !apierrors.IsForbidden(err) {
			return nil, err
		}
	}
	return nil, nil
}

func (o *options) account(ctx context.Context, options *train.Options) (*failure.Error, error) {
	if options.ServiceAccount == "" {
		return nil, nil
	}
	_, err := o.client.CoreV1().ServiceAccounts(o.namespace).Get(ctx, options.ServiceAccount, metav1.GetOptions{})
	if apierrors.IsNotFound(err) {
		return refuse(fmt.Sprintf("kubectl create serviceaccount %s -n %s%s", options.ServiceAccount, o.namespace, o.f.Target()),
			"there is no ServiceAccount %q in namespace %s", options.ServiceAccount, o.namespace), nil
	}
	if apierrors.IsForbidden(err) {
		return nil, nil
	}
	return nil, err
}

// queue checks that Kueue is there and has the queue: otherwise the run would wait for ever.
func (o *options) queue(ctx context.Context, options *train.Options) (*failure.Error, error) {
	if options.Queue == "" {
		return nil, nil
	}
	list, err := o.dynamic.Resource(localQueues).Namespace(o.namespace).List(ctx, metav1.ListOptions{})
	switch {
	case apierrors.IsForbidden(err):
		return nil, nil
	case apierrors.IsNotFound(err):
		return refuse("leave out --queue, or install Kueue: https://kueue.sigs.k8s.io", "the cluster has no queues: Kueue is not installed"), nil
	case err != nil:
		return nil, err
	}
	var names []string
	for i := range list.Items {
		names = append(names, list.Items[i].GetName())
	}
	if slices.Contains(names, options.Queue) {
		return nil, nil
	}
	next := "ask whoever runs the cluster for a LocalQueue in namespace " + o.namespace
	if len(names) > 0 {
		next = "there is: --queue " + strings.Join(names, ", --queue ")
	}
	return refuse(next, "there is no LocalQueue %q in namespace %s", options.Queue, o.namespace), nil
}

// logs warns whoever will see less of the run than there is.
func (o *options) logs(ctx context.Context, _ *train.Options) (*failure.Error, error) {
	review, err := o.client.AuthorizationV1().SelfSubjectAccessReviews().Create(ctx, &authorizationv1.SelfSubjectAccessReview{
		Spec: authorizationv1.SelfSubjectAccessReviewSpec{ResourceAttributes: &authorizationv1.ResourceAttributes{
			Namespace: o.namespace, Verb: "get", Resource: "pods", Subresource: "log",
		}},
	}, metav1.CreateOptions{})
	if err != nil && !apierrors.IsForbidden(err) {
		return nil, err
	}
	if err == nil && !review.Status.Allowed && !o.flags.detach {
		o.warnOnce("you may not read logs in namespace " + o.namespace + ": the progress comes from the run's record, which is up to 10 seconds old")
	}
	return nil, nil
}
