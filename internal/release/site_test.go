package release_test

import (
	"context"
	"fmt"
	"io/fs"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/cli-runtime/pkg/genericclioptions"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"

	"github.com/kubectl-summarizer/kubectl-summarizer/charts"
	"github.com/kubectl-summarizer/kubectl-summarizer/internal/release"
	"github.com/kubectl-summarizer/kubectl-summarizer/pkg/render"
)

// site is a namespace of its own on a real API server, and a client for its releases.
type site struct {
	t         *testing.T
	namespace string
	getter    *genericclioptions.ConfigFlags
	kube      kubernetes.Interface
	releases  *release.Client
}

// flagsFor are kubectl's flags for a kubeconfig, and for somebody else when as is set.
func flagsFor(t *testing.T, kubeconfig, as string) *genericclioptions.ConfigFlags {
	t.Helper()
	cache := t.TempDir()
	flags := genericclioptions.NewConfigFlags(true)
	flags.KubeConfig, flags.CacheDir, flags.Impersonate = &kubeconfig, &cache, &as
	flags.WrapConfigFn = func(c *rest.Config) *rest.Config {
		c.QPS, c.Burst = 50, 100
		return c
	}
	return flags
}

// newSite uses the cluster of TEST_KUBECONFIG, whose user must be an administrator.
func newSite(t *testing.T) *site {
	t.Helper()
	path := os.Getenv("TEST_KUBECONFIG")
	if path == "" {
		t.Skip("TEST_KUBECONFIG names no cluster: TEST_KUBECONFIG=$(hack/localcluster.sh kubeconfig) go test ./internal/release")
	}
	getter := flagsFor(t, path, "")
	config, err := getter.ToRESTConfig()
	if err != nil {
		t.Fatal(err)
	}
	kube, err := kubernetes.NewForConfig(config)
	if err != nil {
		t.Fatal(err)
	}
	namespace, err := kube.CoreV1().Namespaces().Create(t.Context(),
		&corev1.Namespace{ObjectMeta: metav1.ObjectMeta{GenerateName: "release-test-"}}, metav1.CreateOptions{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := kube.CoreV1().Namespaces().Delete(context.Background(), namespace.Name, metav1.DeleteOptions{}); err != nil {
			t.Error(err)
		}
	})
	// The kubeconfig's own namespace is another one: objects must not land there.
	return &site{t: t, namespace: namespace.Name, getter: getter, kube: kube, releases: release.New(getter, namespace.Name, time.Now)}
}

func (s *site) spec(set ...string) release.Spec {
	s.t.Helper()
	chart, err := fs.Sub(charts.FS, charts.Name)
	if err != nil {
		s.t.Fatal(err)
	}
	values, err := render.MergeValues(render.Sources{Set: set})
	if err != nil {
		s.t.Fatal(err)
	}
	result, err := render.Render(s.t.Context(), chart, render.Options{Release: "one", Namespace: s.namespace, Values: values})
	if err != nil {
		s.t.Fatal(err)
	}
	return release.Spec{Name: "one", Chart: chart, Values: values, Rendered: result}
}

func (s *site) apply(set ...string) *release.Info {
	s.t.Helper()
	info, err := s.releases.Apply(s.t.Context(), s.spec(set...))
	if err != nil {
		s.t.Fatal(err)
	}
	return info
}

func (s *site) refusals(set ...string) string {
	s.t.Helper()
	verdict, err := s.releases.Check(s.t.Context(), s.spec(set...))
	if err != nil {
		s.t.Fatal(err)
	}
	var lines []string
	for _, r := range verdict.Refusals {
		lines = append(lines, r.Object+": "+r.Reason)
	}
	return strings.Join(lines, "\n")
}

// inNamespace asserts that objects are where the release is, not where the kubeconfig points.
func (s *site) inNamespace(what string) {
	s.t.Helper()
	list, err := s.kube.AppsV1().Deployments(s.namespace).List(s.t.Context(), metav1.ListOptions{})
	if err != nil || len(list.Items) != 1 {
		s.t.Fatalf("%s: %d in namespace %s, error %v", what, len(list.Items), s.namespace, err)
	}
	// The Deployment's controller manages its status, and an annotation.
	var managers []string
	for _, entry := range list.Items[0].ManagedFields {
		managers = append(managers, entry.Manager)
	}
	if !slices.Contains(managers, "kubectl-summarizer") {
		s.t.Errorf("the fields are managed by %v", managers)
	}
}

func (s *site) eventually(look func() string, want string) {
	s.t.Helper()
	var got string
	for range 50 {
		if got = look(); strings.Contains(got, want) {
			return
		}
		time.Sleep(200 * time.Millisecond)
	}
	s.t.Fatalf("never saw %q; last: %s", want, got)
}

func (s *site) label(key, value string) {
	s.t.Helper()
	patch := fmt.Sprintf(`{"metadata":{"labels":{%q:%q}}}`, key, value)
	if _, err := s.kube.CoreV1().Namespaces().Patch(s.t.Context(), s.namespace, types.MergePatchType, []byte(patch), metav1.PatchOptions{}); err != nil {
		s.t.Fatal(err)
	}
}

func (s *site) allowRecords(user string) {
	s.t.Helper()
	role := &rbacv1.Role{ObjectMeta: metav1.ObjectMeta{Name: "records"}, Rules: []rbacv1.PolicyRule{{
		APIGroups: []string{""}, Resources: []string{"secrets"}, Verbs: []string{"get", "list", "create"},
	}}}
	binding := &rbacv1.RoleBinding{ObjectMeta: role.ObjectMeta, RoleRef: rbacv1.RoleRef{Kind: "Role", Name: "records"},
		Subjects: []rbacv1.Subject{{Kind: "User", Name: user}}}
	if _, err := s.kube.RbacV1().Roles(s.namespace).Create(s.t.Context(), role, metav1.CreateOptions{}); err != nil {
		s.t.Fatal(err)
	}
	if _, err := s.kube.RbacV1().RoleBindings(s.namespace).Create(s.t.Context(), binding, metav1.CreateOptions{}); err != nil {
		s.t.Fatal(err)
	}
}

func quantities(name corev1.ResourceName, amount string) corev1.ResourceList {
	return corev1.ResourceList{name: resource.MustParse(amount)}
}
