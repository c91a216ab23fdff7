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

	admissionv1 "k8s.io/api/admissionregistration/v1"
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

// policy denies what does not fulfil a rule on pods, in this namespace alone.
func (s *site) policy(name, rule string) {
	s.t.Helper()
	policies := s.kube.AdmissionregistrationV1().ValidatingAdmissionPolicies()
	bindings := s.kube.AdmissionregistrationV1().ValidatingAdmissionPolicyBindings()
	meta := metav1.ObjectMeta{Name: name + "." + s.namespace}
	_, err := policies.Create(s.t.Context(), &admissionv1.ValidatingAdmissionPolicy{ObjectMeta: meta, Spec: admissionv1.ValidatingAdmissionPolicySpec{
		MatchConstraints: &admissionv1.MatchResources{ResourceRules: []admissionv1.NamedRuleWithOperations{{RuleWithOperations: admissionv1.RuleWithOperations{
			Operations: []admissionv1.OperationType{admissionv1.Create},
			Rule:       admissionv1.Rule{APIGroups: []string{""}, APIVersions: []string{"v1"}, Resources: []string{"pods"}},
		}}}},
		Validations: []admissionv1.Validation{{Expression: rule}},
	}}, metav1.CreateOptions{})
	if err != nil {
		s.t.Fatal(err)
	}
	_, err = bindings.Create(s.t.Context(), &admissionv1.ValidatingAdmissionPolicyBinding{ObjectMeta: meta, Spec: admissionv1.ValidatingAdmissionPolicyBindingSpec{
		PolicyName: meta.Name, ValidationActions: []admissionv1.ValidationAction{admissionv1.Deny},
		MatchResources: &admissionv1.MatchResources{NamespaceSelector: &metav1.LabelSelector{MatchLabels: map[string]string{corev1.LabelMetadataName: s.namespace}}},
	}}, metav1.CreateOptions{})
	if err != nil {
		s.t.Fatal(err)
	}
	s.t.Cleanup(func() {
		for _, err := range []error{
			bindings.Delete(context.Background(), meta.Name, metav1.DeleteOptions{}),
			policies.Delete(context.Background(), meta.Name, metav1.DeleteOptions{}),
		} {
			if err != nil {
				s.t.Error(err)
			}
		}
	})
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

// bind gives a claim a volume.
func (s *site) bind(name string) {
	s.t.Helper()
	claim, err := s.kube.CoreV1().PersistentVolumeClaims(s.namespace).Get(s.t.Context(), name, metav1.GetOptions{})
	if err != nil {
		s.t.Fatal(err)
	}
	volume := &corev1.PersistentVolume{ObjectMeta: metav1.ObjectMeta{Name: s.namespace}, Spec: corev1.PersistentVolumeSpec{
		Capacity: claim.Spec.Resources.Requests, AccessModes: claim.Spec.AccessModes,
		PersistentVolumeSource:        corev1.PersistentVolumeSource{HostPath: &corev1.HostPathVolumeSource{Path: "/nowhere"}},
		PersistentVolumeReclaimPolicy: corev1.PersistentVolumeReclaimRetain,
		// With its UID the controller turns to the claim at once.
		ClaimRef: &corev1.ObjectReference{Namespace: s.namespace, Name: name, UID: claim.UID},
	}}
	if class := claim.Spec.StorageClassName; class != nil {
		volume.Spec.StorageClassName = *class
	}
	if _, err := s.kube.CoreV1().PersistentVolumes().Create(s.t.Context(), volume, metav1.CreateOptions{}); err != nil {
		s.t.Fatal(err)
	}
	s.t.Cleanup(func() {
		if err := s.kube.CoreV1().PersistentVolumes().Delete(context.Background(), volume.Name, metav1.DeleteOptions{}); err != nil {
			s.t.Error(err)
		}
	})
	s.eventually(func() string {
		claim, err := s.kube.CoreV1().PersistentVolumeClaims(s.namespace).Get(s.t.Context(), name, metav1.GetOptions{})
		return fmt.Sprint(claim.Status.Phase, err)
	}, string(corev1.ClaimBound))
}
