package cluster

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"

	"github.com/kubectl-summarizer/kubectl-summarizer/internal/failure"
)

// Preflight asks the cluster, before anything is changed, whether pods can run.
type Preflight struct {
	Client    kubernetes.Interface
	Namespace string
	// Target holds the flags that chose this cluster (" --context X"), "" when none did: they
	// are put on every command that a hint tells users to type.
	Target string
	// Warn takes what may go wrong but need not.
	Warn func(string)
	// RequireToken refuses a missing Hugging Face token even where the pod would start without
	// it: whoever names its Secret means it.
	RequireToken bool
	// Hints are the flags of the command that makes the pods; those of install when it is zero.
	Hints Hints
}

// Hints are what a command calls its pods and the flags by which they can be made to fit.
type Hints struct {
	// Pods are such as "the server's pod".
	Pods string
	// Accelerator is the flag that chooses a GPU, Smaller are those that ask for less CPU and memory.
	Accelerator, Smaller string
}

func (p *Preflight) hints() Hints {
	if p.Hints == (Hints{}) {
		return Hints{Pods: "the server's pod", Accelerator: "--accelerator", Smaller: "--set resources.requests.cpu=N,resources.requests.memory=NGi"}
	}
	return p.Hints
}

// CheckPods runs every check on a pod template and returns the refusals; the error says that the cluster could not be
// asked.
func (p *Preflight) CheckPods(ctx context.Context, template *corev1.PodTemplateSpec) ([]*failure.Error, error) {
	var refusals []*failure.Error
	for _, check := range []func(context.Context, *corev1.PodTemplateSpec) error{p.secrets, p.nodes} {
		err := check(ctx, template)
		var refused *failure.Error
		switch {
		case err == nil:
		case errors.As(err, &refused):
			refusals = append(refusals, refused)
		default:
			return nil, err
		}
	}
	return refusals, nil
}

// tokenEnv is the variable that holds the Hugging Face token in the chart's pods.
const tokenEnv = "HF_TOKEN"

// secretRef is a Secret's key that a pod's environment refers to.
type secretRef struct {
	env, name, key string
	optional       bool
}

// secrets checks that every Secret key that the pod's environment refers to is there.
func (p *Preflight) secrets(ctx context.Context, template *corev1.PodTemplateSpec) error {
	for _, ref := range secretRefs(template) {
		if p.RequireToken && ref.env == tokenEnv {
			ref.optional = false
		}
		secret, err := p.Client.CoreV1().Secrets(p.Namespace).Get(ctx, ref.name, metav1.GetOptions{})
		switch {
		case apierrors.IsForbidden(err):
			// Not being allowed to read Secrets is good practice, not a reason to refuse.
			continue
		case apierrors.IsNotFound(err) && ref.optional && ref.env == tokenEnv:
			p.Warn(fmt.Sprintf("the Secret %s does not exist: only models that need no token can be fetched. To make it:\n  %s", ref.name, p.create(ref)))
		case apierrors.IsNotFound(err) && ref.optional:
		case apierrors.IsNotFound(err):
			return failure.Refusedf(p.create(ref), "the Secret %q does not exist in namespace %s", ref.name, p.Namespace)
		case err != nil:
			return err
		default:
			if _, found := secret.Data[ref.key]; !found {
				next := "see: kubectl describe secret -n " + p.Namespace + " " + ref.name + p.Target
				if ref.env == tokenEnv {
					next = "name the right key: --hf-secret " + ref.name + ":KEY"
				}
				return failure.Refusedf(next, "the Secret %q has no key %q; it has: %s", ref.name, ref.key, keys(secret))
			}
		}
	}
	return nil
}

// create is the command that makes the Secret; a value is never an argument, which every
// user of the machine can read.
func (p *Preflight) create(ref secretRef) string {
	if ref.env == tokenEnv {
		return fmt.Sprintf("printenv HF_TOKEN | tr -d '\\n' | kubectl create secret generic -n %s %s --from-file=%s=/dev/stdin%s", p.Namespace, ref.name, ref.key, p.Target)
	}
	return fmt.Sprintf("kubectl create secret generic -n %s %s --from-file=%s=FILE%s", p.Namespace, ref.name, ref.key, p.Target)
}

func secretRefs(template *corev1.PodTemplateSpec) []secretRef {
	var refs []secretRef
	for _, c := range slices.Concat(template.Spec.InitContainers, template.Spec.Containers) {
		for _, env := range c.Env {
			if env.ValueFrom == nil || env.ValueFrom.SecretKeyRef == nil {
				continue
			}
			from := env.ValueFrom.SecretKeyRef
			ref := secretRef{env: env.Name, name: from.Name, key: from.Key, optional: from.Optional != nil && *from.Optional}
			if !slices.Contains(refs, ref) {
				refs = append(refs, ref)
			}
		}
	}
	return refs
}

func keys(secret *corev1.Secret) string {
	var names []string
	for key := range secret.Data {
		names = append(names, key)
	}
	slices.Sort(names)
	if len(names) == 0 {
		return "nothing"
	}
	return strings.Join(names, ", ")
}
