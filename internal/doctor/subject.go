package doctor

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/kubernetes"

	"github.com/kubectl-summarizer/kubectl-summarizer/internal/cluster"
	"github.com/kubectl-summarizer/kubectl-summarizer/internal/hub"
	"github.com/kubectl-summarizer/kubectl-summarizer/internal/wandb"
)

// SecretKey is a key of a Secret.
type SecretKey struct{ Name, Key string }

// Subject is what is looked at, and the clients to look with.
type Subject struct {
	// Client and Dynamic are nil without a cluster; NoCluster says then why there is none.
	Client    kubernetes.Interface
	Dynamic   dynamic.Interface
	NoCluster string
	Namespace string
	// Target holds the flags that chose this cluster (" --context X"), "" when none did.
	Target string

	Hub   *hub.Client
	WandB *wandb.Client
	// HTTP asks whether servers can be reached.
	HTTP *http.Client

	// Model is what would be served; Accelerator and Platform are the chart's values.
	Model, Accelerator, Platform string
	// Sharing and Clients are what the release is told of sharing a GPU: none, time-sharing, mps or mig.
	Sharing string
	Clients int
	// Image is the server's, as REPOSITORY:TAG.
	Image string
	// Objects are what install would apply, Template is that of the server's pods.
	Objects  []*unstructured.Unstructured
	Template *corev1.PodTemplateSpec

	// HFSecret holds the Hugging Face token; HFSecretGiven says that somebody named it.
	HFSecret      SecretKey
	HFSecretGiven bool
	// WandBSecret is nil when none was named.
	WandBSecret *SecretKey
	// HFToken and WandBKey are the environment's, for where no Secret can be read.
	HFToken, WandBKey string
	// PublishRepo is ORG/NAME on the Hub, "" when nothing is to be published.
	PublishRepo string

	nodes     memo[[]corev1.Node]
	namespace memo[*corev1.Namespace]
	groups    memo[*metav1.APIGroupList]
	hfValue   memo[secretValue]
	account   memo[*hub.Account]

	mu      sync.Mutex
	secrets []string
}

// memo keeps what several checks ask for.
type memo[T any] struct {
	once  sync.Once
	value T
	err   error
}

func (m *memo[T]) get(ask func() (T, error)) (T, error) {
	m.once.Do(func() { m.value, m.err = ask() })
	return m.value, m.err
}

func (s *Subject) listNodes(ctx context.Context) ([]corev1.Node, error) {
	return s.nodes.get(func() ([]corev1.Node, error) {
		list, err := s.Client.CoreV1().Nodes().List(ctx, metav1.ListOptions{})
		if err != nil {
			return nil, err
		}
		return list.Items, nil
	})
}

func (s *Subject) getNamespace(ctx context.Context) (*corev1.Namespace, error) {
	return s.namespace.get(func() (*corev1.Namespace, error) {
		return s.Client.CoreV1().Namespaces().Get(ctx, s.Namespace, metav1.GetOptions{})
	})
}

// group returns what the cluster says of an API group, nil when it does not serve it.
func (s *Subject) group(name string) (*metav1.APIGroup, error) {
	list, err := s.groups.get(func() (*metav1.APIGroupList, error) { return s.Client.Discovery().ServerGroups() })
	if err != nil {
		return nil, err
	}
	for i := range list.Groups {
		if list.Groups[i].Name == name {
			return &list.Groups[i], nil
		}
	}
	return nil, nil
}

// serves says whether the cluster serves a resource of a group in any version.
func (s *Subject) serves(name, resource string) (bool, error) {
	group, err := s.group(name)
	if err != nil || group == nil {
		return false, err
	}
	for _, v := range group.Versions {
		found, err := s.Client.Discovery().ServerResourcesForGroupVersion(v.GroupVersion)
		if err != nil {
			return false, err
		}
		for _, r := range found.APIResources {
			if r.Name == resource {
				return true, nil
			}
		}
	}
	return false, nil
}

// unknown is the finding for a question that the cluster did not answer.
func (s *Subject) unknown(what string, err error) Finding {
	switch {
	case apierrors.IsForbidden(err):
		return skip("you may not %s", what)
	case errors.Is(err, context.DeadlineExceeded):
		return skip("cannot %s: no answer in time", what)
	}
	return skip("cannot %s: %v", what, cluster.ExplainFor(s.Target, err))
}

// in are the flags that lead a command to the namespace.
func (s *Subject) in() string { return " -n " + s.Namespace + s.Target }

// keep remembers a token, which must not be in anything that is printed.
func (s *Subject) keep(token string) {
	if token = strings.TrimSpace(token); token != "" {
		s.mu.Lock()
		s.secrets = append(s.secrets, token)
		s.mu.Unlock()
	}
}

// redact takes the tokens out of a finding: what others said may repeat them.
func (s *Subject) redact(f *Finding) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, token := range append([]string{s.HFToken, s.WandBKey}, s.secrets...) {
		if token = strings.TrimSpace(token); token == "" {
			continue
		}
		for _, text := range []*string{&f.Detail, &f.Fix} {
			*text = strings.ReplaceAll(*text, token, "[token]")
		}
		for i := range f.Items {
			f.Items[i].Detail = strings.ReplaceAll(f.Items[i].Detail, token, "[token]")
		}
	}
}

// names writes the first few of a list, and how many more there are.
func names(list []string) string {
	const most = 3
	if len(list) <= most {
		return strings.Join(list, ", ")
	}
	return fmt.Sprintf("%s and %d more", strings.Join(list[:most], ", "), len(list)-most)
}
