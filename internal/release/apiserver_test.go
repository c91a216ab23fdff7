package release_test

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/kubectl-summarizer/kubectl-summarizer/internal/failure"
	"github.com/kubectl-summarizer/kubectl-summarizer/internal/release"
)

func TestInstallUpgradeUninstall(t *testing.T) {
	s := newSite(t)
	if found := s.refusals(); found != "" {
		t.Fatalf("the cluster refuses the default chart:\n%s", found)
	}
	first := s.apply()
	if first.Revision != 1 || first.Status != "deployed" {
		t.Fatalf("revision %d is %s", first.Revision, first.Status)
	}
	// Persistence turns the cache from an emptyDir into a claim, and another strategy drops
	// fields: what a naive dry run would refuse.
	changes := []string{"cache.persistence.enabled=true", "strategy.type=RollingUpdate"}
	if found := s.refusals(changes...); found != "" {
		t.Fatalf("the cluster refuses an upgrade:\n%s", found)
	}
	second := s.apply(changes...)
	if second.Revision != 2 || string(second.Manifest) != string(s.spec(changes...).Rendered.Manifests) {
		t.Fatalf("revision %d, or its manifest is not what was rendered", second.Revision)
	}
	if found := s.refusals("strategy.type=Recreate"); found != "" {
		t.Fatalf("the cluster refuses the way back:\n%s", found)
	}
	s.inNamespace("Deployment and claim")

	removal, err := s.releases.Uninstall(t.Context(), s.kube, "one", nil)
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(strings.Join(removal.Objects, " "), "deployment.apps/one-vllm-summarizer") {
		t.Errorf("removed: %v", removal.Objects)
	}
	if len(removal.Kept) != 1 || !strings.HasPrefix(removal.Kept[0].Object, "persistentvolumeclaim/one-") || !strings.Contains(removal.Kept[0].Remove, "-n "+s.namespace) {
		t.Errorf("kept: %+v", removal.Kept)
	}
	if _, err := s.releases.Get(t.Context(), "one"); !errors.Is(err, release.ErrNotFound) {
		t.Errorf("after the uninstall: %v", err)
	}
	// The claim that stayed is taken up again.
	if found := s.refusals(changes...); found != "" {
		t.Fatalf("installing again over the volume that stayed is refused:\n%s", found)
	}
	if again := s.apply(changes...); again.Revision != 1 {
		t.Errorf("installed again as revision %d", again.Revision)
	}
}

func TestNothingIsChangedByAsking(t *testing.T) {
	s := newSite(t)
	s.refusals()
	list, err := s.kube.CoreV1().Services(s.namespace).List(t.Context(), metav1.ListOptions{})
	if err != nil || len(list.Items) != 0 {
		t.Errorf("after Check there are %d services, error %v", len(list.Items), err)
	}
}

func TestAForeignObjectIsNotTakenOver(t *testing.T) {
	s := newSite(t)
	_, err := s.kube.CoreV1().Services(s.namespace).Create(t.Context(), &corev1.Service{
		ObjectMeta: metav1.ObjectMeta{Name: "one-vllm-summarizer"},
		Spec:       corev1.ServiceSpec{Ports: []corev1.ServicePort{{Port: 80}}},
	}, metav1.CreateOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if found := s.refusals(); !strings.Contains(found, "service/one-vllm-summarizer: it is there already and not made by a release") {
		t.Errorf("refusals: %s", found)
	}
	_, err = s.releases.Apply(t.Context(), s.spec())
	if failure.KindOf(err) != failure.Refused || !strings.Contains(failure.NextOf(err), "kubectl annotate") {
		t.Errorf("apply: %v; next: %s", err, failure.NextOf(err))
	}
	if _, err := s.releases.Get(t.Context(), "one"); !errors.Is(err, release.ErrNotFound) {
		t.Errorf("a refused install left a record: %v", err)
	}
}

func TestQuotaAnswersForThePods(t *testing.T) {
	s := newSite(t)
	pods := metav1.ObjectMeta{Name: "none"}
	_, err := s.kube.CoreV1().ResourceQuotas(s.namespace).Create(t.Context(), &corev1.ResourceQuota{ObjectMeta: pods,
		Spec: corev1.ResourceQuotaSpec{Hard: quantities("requests.nvidia.com/gpu", "0")}}, metav1.CreateOptions{})
	if err != nil {
		t.Fatal(err)
	}
	s.eventually(func() string { return s.refusals() }, "exceeded quota")
}

func TestTheTokensSecretIsNamedAsKept(t *testing.T) {
	s := newSite(t)
	const canary = "hf_canaryCanaryCanaryCanaryCanary01"
	_, err := s.kube.CoreV1().Secrets(s.namespace).Create(t.Context(), &corev1.Secret{
		ObjectMeta: metav1.ObjectMeta{Name: "hf-secret"}, StringData: map[string]string{"hf_api_token": canary},
	}, metav1.CreateOptions{})
	if err != nil {
		t.Fatal(err)
	}
	info := s.apply()
	if strings.Contains(fmt.Sprint(info.Values, string(info.Manifest)), canary) {
		t.Error("the release's record holds the token")
	}
	removal, refusals, err := s.releases.PlanUninstall(t.Context(), s.kube, "one", true)
	if err != nil || len(refusals) > 0 {
		t.Fatalf("plan: %v %v", refusals, err)
	}
	if len(removal.Kept) != 1 || removal.Kept[0].Object != "secret/hf-secret" {
		t.Errorf("kept: %+v", removal.Kept)
	}
}

func TestPodSecurityAnswersForThePods(t *testing.T) {
	s := newSite(t)
	s.label("pod-security.kubernetes.io/enforce", "restricted")
	if found := s.refusals(); found != "" {
		t.Fatalf("the default chart does not pass the restricted standard:\n%s", found)
	}
	s.eventually(func() string {
		return s.refusals("extraVolumes[0].name=host", "extraVolumes[0].hostPath.path=/")
	}, "the pods of deployment.apps/one-vllm-summarizer: ")
}

// A user who may do nothing hears of every right that is missing, at once.
func TestMissingRightsAreListed(t *testing.T) {
	s := newSite(t)
	powerless := release.New(flagsFor(t, *s.getter.KubeConfig, "nobody-in-particular"), s.namespace, time.Now)
	_, err := powerless.Check(t.Context(), s.spec())
	if err == nil || !strings.Contains(err.Error(), "secrets is forbidden") {
		t.Errorf("without the right to read records: %v", err)
	}
	s.allowRecords("nobody-in-particular")
	s.eventually(func() string {
		verdict, err := powerless.Check(t.Context(), s.spec())
		if err != nil {
			return err.Error()
		}
		var lines []string
		for _, r := range verdict.Refusals {
			lines = append(lines, r.Object+": "+r.Reason+" | "+r.Next)
		}
		if len(lines) < 5 {
			return fmt.Sprintf("only %d refusals: %s", len(lines), lines)
		}
		return strings.Join(lines, "\n")
	}, `deployment.apps/one-vllm-summarizer: deployments.apps "one-vllm-summarizer" is forbidden`)
}

// An install that was killed after it made a volume, then an install without one: nothing
// of the first may stay behind.
func TestLeftoversOfAKilledInstallGo(t *testing.T) {
	s := newSite(t)
	withBudget := []string{"podDisruptionBudget.enabled=true"}
	s.apply()
	s.apply(withBudget...)
	s.rewrite(2, "pending-upgrade") // as kill -9 leaves it
	s.apply()
	budgets, err := s.kube.PolicyV1().PodDisruptionBudgets(s.namespace).List(t.Context(), metav1.ListOptions{})
	if err != nil || len(budgets.Items) != 0 {
		t.Errorf("%d PodDisruptionBudgets are left, error %v", len(budgets.Items), err)
	}
}

// Helm uninstalls what the newest record names: what an upgrade was killed before removing
// would stay for ever, and nothing would tell of it.
func TestLeftoversOfAKilledUpgradeGoWithTheRelease(t *testing.T) {
	const budget = "poddisruptionbudget.policy/one-vllm-summarizer"
	s := newSite(t)
	s.apply("podDisruptionBudget.enabled=true", "cache.persistence.enabled=true")
	s.killed(2)
	plan, refusals, err := s.releases.PlanUninstall(t.Context(), s.kube, "one", true)
	if err != nil || len(refusals) != 0 {
		t.Fatalf("error %v, refusals %v", err, refusals)
	}
	removal, err := s.releases.Uninstall(t.Context(), s.kube, "one", nil)
	if err != nil {
		t.Fatal(err)
	}
	for verb, objects := range map[string][]string{"planned": plan.Objects, "removed": removal.Objects} {
		if strings.Count(strings.Join(objects, " "), budget) != 1 || strings.Contains(strings.Join(objects, " "), "persistentvolumeclaim") {
			t.Errorf("%s: %v", verb, objects)
		}
	}
	budgets, err := s.kube.PolicyV1().PodDisruptionBudgets(s.namespace).List(t.Context(), metav1.ListOptions{})
	if err != nil || len(budgets.Items) != 0 {
		t.Errorf("%d PodDisruptionBudgets are left, error %v", len(budgets.Items), err)
	}
	if len(removal.Kept) != 1 {
		t.Errorf("kept: %+v", removal.Kept)
	}
}

func TestNamespace(t *testing.T) {
	s := newSite(t)
	missing := release.New(s.getter, s.namespace+"-missing", time.Now)
	if _, err := missing.EnsureNamespace(t.Context(), s.kube, false, false); failure.KindOf(err) != failure.Refused ||
		!strings.Contains(failure.NextOf(err), "kubectl create namespace "+s.namespace+"-missing") {
		t.Errorf("missing: %v; next: %s", err, failure.NextOf(err))
	}
	if there, err := missing.EnsureNamespace(t.Context(), s.kube, true, true); there || err != nil {
		t.Errorf("dry run: there %v, error %v", there, err)
	}
	if there, err := missing.EnsureNamespace(t.Context(), s.kube, true, false); !there || err != nil {
		t.Errorf("create: there %v, error %v", there, err)
	}
	if err := s.kube.CoreV1().Namespaces().Delete(t.Context(), s.namespace+"-missing", metav1.DeleteOptions{}); err != nil {
		t.Error(err)
	}
	if there, err := s.releases.EnsureNamespace(t.Context(), s.kube, false, false); !there || err != nil {
		t.Errorf("existing: there %v, error %v", there, err)
	}
}

// A policy against pods that no controller made is not about this release's, which have one.
func TestAPolicyAgainstBarePods(t *testing.T) {
	s := newSite(t)
	s.policy("no-bare-pods", "has(object.metadata.ownerReferences)")
	s.eventually(func() string {
		_, err := s.kube.CoreV1().Pods(s.namespace).Create(t.Context(), &corev1.Pod{
			ObjectMeta: metav1.ObjectMeta{Name: "bare"}, Spec: corev1.PodSpec{Containers: []corev1.Container{{Name: "c", Image: "i"}}},
		}, metav1.CreateOptions{DryRun: []string{metav1.DryRunAll}})
		return fmt.Sprint(err)
	}, "no-bare-pods")
	if found := s.refusals(); found != "" {
		t.Errorf("refused as a bare pod:\n%s", found)
	}
}

// Another policy may be wrong about the pod too, and then the user decides.
func TestARefusedPodNamesTheWayPastTheChecks(t *testing.T) {
	s := newSite(t)
	s.policy("no-pods", "false")
	s.eventually(func() string {
		verdict, err := s.releases.Check(t.Context(), s.spec())
		if err != nil || len(verdict.Refusals) != 1 {
			return fmt.Sprint(verdict, err)
		}
		return verdict.Refusals[0].Object + "; " + verdict.Refusals[0].Next
	}, "the pods of deployment.apps/one-vllm-summarizer; if you know that the cluster takes them: --skip-checks")
}

func TestAClaimThatIsKeptSaysWhatToDo(t *testing.T) {
	s := newSite(t)
	on := []string{"cache.persistence.enabled=true", "cache.persistence.size=20Gi", "model.weightsGiB=2"}
	s.apply(on...)
	if _, err := s.releases.Uninstall(t.Context(), s.kube, "one", nil); err != nil {
		t.Fatal(err)
	}
	remove := "kubectl delete pvc -n " + s.namespace + " one-vllm-summarizer-cache --context c"
	stop := "kubectl delete deployment -n " + s.namespace + " -l app.kubernetes.io/instance=one --context c"
	next := func(set ...string) string {
		verdict, err := s.releases.Check(t.Context(), s.spec(append(on, set...)...))
		if err != nil || len(verdict.Refusals) != 1 {
			t.Fatal(verdict, err)
		}
		return verdict.Refusals[0].Next
	}
	s.releases.Target = " --context c"
	s.bind("one-vllm-summarizer-cache")
	if got := next("cache.persistence.size=10Gi"); got != "keep its size: --set cache.persistence.size=20Gi" {
		t.Errorf("shrunk: %s", got)
	}
	if got := next("cache.persistence.accessMode=ReadWriteMany"); !strings.Contains(got, remove) || strings.Contains(got, stop) {
		t.Errorf("changed: %s", got)
	}
	s.apply(on...)
	if got := next("cache.persistence.accessMode=ReadWriteMany"); !strings.Contains(got, stop+"\n"+remove) {
		t.Errorf("changed while it is used: %s", got)
	}
}

func TestUnknownFieldsAreRefused(t *testing.T) {
	s := newSite(t)
	found := s.refusals("affinity.nodeAfinity.x=1")
	if !strings.Contains(found, "nodeAfinity") {
		t.Errorf("refusals: %q", found)
	}
}

func TestRecordsMayBeConfigMaps(t *testing.T) {
	t.Setenv("HELM_DRIVER", "configmap")
	s := newSite(t)
	s.apply()
	maps, err := s.kube.CoreV1().ConfigMaps(s.namespace).List(t.Context(), metav1.ListOptions{LabelSelector: "owner=helm"})
	if err != nil || len(maps.Items) != 1 {
		t.Errorf("%d records in ConfigMaps, error %v", len(maps.Items), err)
	}
}

// Helm takes the namespace of objects that name none from the kubeconfig, not from the
// release; here the kubeconfig says another one.
func TestObjectsWithoutANamespaceLandWithTheirRelease(t *testing.T) {
	s := newSite(t)
	spec := s.spec()
	spec.Rendered.Manifests = bytes.ReplaceAll(spec.Rendered.Manifests, []byte("  namespace: "+s.namespace+"\n"), nil)
	if _, err := s.releases.Apply(t.Context(), spec); err != nil {
		t.Fatal(err)
	}
	s.inNamespace("Deployment")
}

// A budget may have one of two fields: Check must see that the old one goes.
func TestAFieldThatGoesIsNoRefusal(t *testing.T) {
	s := newSite(t)
	s.apply("podDisruptionBudget.enabled=true", "podDisruptionBudget.minAvailable=1", "replicas=2")
	to := []string{"podDisruptionBudget.enabled=true", "podDisruptionBudget.maxUnavailable=1", "replicas=2"}
	if found := s.refusals(to...); found != "" {
		t.Errorf("refused what Helm can do:\n%s", found)
	}
	s.apply(to...)
}
