package release

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"helm.sh/helm/v3/pkg/chart"
	"helm.sh/helm/v3/pkg/release"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/kubernetes/fake"

	"github.com/kubectl-summarizer/kubectl-summarizer/charts"
	"github.com/kubectl-summarizer/kubectl-summarizer/internal/failure"
)

// Whoever reads a hint pastes it: without the flags that chose the cluster it would mean
// another one, and some of them delete.
func TestHintsNameTheCluster(t *testing.T) {
	b := newBench(t)
	b.client.Target = " --context 'my cluster'"
	k := &checker{of: b.client, namespace: "ml", release: "one"}
	claim := unstructuredOf(t, "v1", "PersistentVolumeClaim")
	forbidden := func(text string) error {
		return apierrors.NewForbidden(schema.GroupResource{Resource: "pods"}, "p", errors.New(text))
	}
	hints := map[string]string{
		"missing":          failure.NextOf(b.client.Missing(t.Context(), "one")),
		"another program":  failure.NextOf(b.client.foreign(&release.Release{Name: "one", Version: 1, Info: &release.Info{}}, time.Second)),
		"no deployed":      failure.NextOf(b.client.explain("one", errors.New(`"one" has no deployed releases`))),
		"invalid owner":    failure.NextOf(b.client.explain("one", errors.New("invalid ownership metadata"))),
		"given up":         failure.NextOf(b.client.givenUp("one", "installed", &leftError{context.Canceled})),
		"quota":            k.nextFor(forbidden("exceeded quota: gpus")),
		"pod security":     k.nextFor(forbidden("violates PodSecurity")),
		"a right":          k.nextFor(forbidden(`user "u" cannot create pods`)),
		"no namespace":     k.nextFor(apierrors.NewNotFound(schema.GroupResource{Resource: "namespaces"}, "ml")),
		"taken":            k.taken(claim, "not made by a release").Next,
		"an immutable one": k.nextForClaim(claim, errors.New("spec is immutable")),
	}
	client := fake.NewClientset(
		&corev1.PersistentVolumeClaim{ObjectMeta: metav1.ObjectMeta{Name: "c", Namespace: "ml", Labels: map[string]string{instanceLabel: "one"}}},
		&corev1.Secret{ObjectMeta: metav1.ObjectMeta{Name: "hf-secret", Namespace: "ml"}},
		&corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: "ml", DeletionTimestamp: &metav1.Time{Time: b.now}, Finalizers: []string{"f"}}},
	)
	_, err := b.client.EnsureNamespace(t.Context(), client, false, false)
	hints["a namespace that goes"] = failure.NextOf(err)
	_, err = b.client.EnsureNamespace(t.Context(), fake.NewClientset(), false, false)
	hints["no such namespace"] = failure.NextOf(err)
	r := &release.Release{Name: "one", Chart: &chart.Chart{Metadata: &chart.Metadata{Name: charts.Name}, Values: map[string]any{"hfToken": map[string]any{"secretName": "hf-secret"}}}}
	kept, err := b.client.kept(t.Context(), client, r, nil)
	if err != nil || len(kept) != 2 {
		t.Fatalf("kept: %+v, error %v", kept, err)
	}
	for _, k := range kept {
		hints[k.Object] = k.Remove
	}
	for name, hint := range hints {
		if hint == "" {
			t.Errorf("%s: no hint", name)
		}
		for line := range strings.Lines(hint) {
			if at := strings.Index(line, "kubectl "); at >= 0 && !strings.Contains(line[at:], " --context 'my cluster'") {
				t.Errorf("%s: %s", name, line)
			}
		}
	}
}

func unstructuredOf(t *testing.T, version, kind string) *unstructured.Unstructured {
	t.Helper()
	object := &unstructured.Unstructured{}
	object.SetAPIVersion(version)
	object.SetKind(kind)
	object.SetName("c")
	return object
}

func TestMissingNamesTheNamespaceThatIsNotThere(t *testing.T) {
	b := newBench(t)
	b.client.clientset = func() (kubernetes.Interface, error) { return fake.NewClientset(), nil }
	err := b.client.Missing(t.Context(), "one")
	if failure.KindOf(err) != failure.Failed || err.Error() != `no release "one": namespace "ml" does not exist` {
		t.Errorf("got %v", err)
	}
}

func TestLastIsWhatAnInstallStartsFrom(t *testing.T) {
	for _, test := range []struct {
		name   string
		status release.Status
		chart  string
		mine   bool
		want   failure.Kind // 0 for the release itself
	}{
		{"deployed", release.StatusDeployed, charts.Name, true, 0},
		{"failed", release.StatusFailed, charts.Name, true, 0},
		{"ours in progress", release.StatusPendingUpgrade, charts.Name, true, 0},
		{"another program's in progress", release.StatusPendingUpgrade, charts.Name, false, failure.Refused},
		{"another chart's", release.StatusDeployed, "postgresql", false, failure.Refused},
		{"kept of a release that is gone", release.StatusUninstalled, charts.Name, true, failure.Failed},
	} {
		b := newBench(t)
		b.record(1, test.status, time.Hour, test.mine)
		history, err := b.store.History("one")
		if err != nil {
			t.Fatal(err)
		}
		history[0].Chart.Metadata.Name = test.chart
		info, err := b.client.Last(t.Context(), "one")
		switch {
		case test.want == 0 && (err != nil || info.Revision != 1):
			t.Errorf("%s: %v", test.name, err)
		case test.want == failure.Failed && !errors.Is(err, ErrNotFound), test.want != 0 && failure.KindOf(err) != test.want:
			t.Errorf("%s: got %v", test.name, err)
		}
	}
}

func TestMissingNamesWhatThereIs(t *testing.T) {
	b := newBench(t)
	if next := failure.NextOf(b.client.Missing(t.Context(), "one")); !strings.Contains(next, "-n NAMESPACE") {
		t.Errorf("with none: %s", next)
	}
	b.record(1, release.StatusDeployed, time.Hour, true)
	if next := failure.NextOf(b.client.Missing(t.Context(), "oen")); !strings.Contains(next, "did you mean one?") {
		t.Errorf("with one: %s", next)
	}
}
