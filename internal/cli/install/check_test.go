package install

import (
	"io/fs"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/cli-runtime/pkg/genericiooptions"
	"k8s.io/client-go/kubernetes/fake"
	clienttesting "k8s.io/client-go/testing"

	"github.com/kubectl-summarizer/kubectl-summarizer/charts"
	"github.com/kubectl-summarizer/kubectl-summarizer/internal/cli/factory"
	"github.com/kubectl-summarizer/kubectl-summarizer/internal/cluster"
	"github.com/kubectl-summarizer/kubectl-summarizer/internal/failure"
	"github.com/kubectl-summarizer/kubectl-summarizer/internal/release"
	"github.com/kubectl-summarizer/kubectl-summarizer/internal/tunnel/apitest"
	"github.com/kubectl-summarizer/kubectl-summarizer/internal/ui"
	"github.com/kubectl-summarizer/kubectl-summarizer/pkg/render"
)

// A refusal promises that nothing was changed. A namespace that was made on the way is told.
func TestTheNamespaceIsMadeAfterWhatNeedsNone(t *testing.T) {
	room := corev1.ResourceList{}
	for name, amount := range map[corev1.ResourceName]string{"nvidia.com/gpu": "1", "cpu": "16", "memory": "64Gi", "ephemeral-storage": "200Gi"} {
		room[name] = resource.MustParse(amount)
	}
	l4 := &corev1.Node{
		ObjectMeta: metav1.ObjectMeta{Name: "l4", Labels: map[string]string{"cloud.google.com/gke-accelerator": "nvidia-l4", "cloud.google.com/gke-gpu-driver-version": "latest"}},
		Status:     corev1.NodeStatus{Capacity: room, Allocatable: room, Conditions: []corev1.NodeCondition{{Type: corev1.NodeReady, Status: corev1.ConditionTrue}}},
	}
	for name, test := range map[string]struct {
		set        []string
		dryRun     string
		skipChecks bool
		made       bool
		says, next string
		kind       failure.Kind
	}{
		"refused before": {
			set: []string{"gpu.accelerator=nvidia-h100-80gb", "platform=gke-standard"}, kind: failure.Refused, says: "no node",
		},
		"the Secret is to be made in it": {
			set: []string{"hfToken.optional=false"}, kind: failure.Refused, says: `the Secret "hf-secret" does not exist`,
			next: "kubectl create namespace new --context " + apitest.Context,
		},
		"refused after": {
			made: true, kind: failure.Refused, says: "\nnamespace \"new\" was created before, and is empty",
		},
		"a trial":            {dryRun: "server"},
		"nothing is checked": {skipChecks: true, made: true},
	} {
		t.Run(name, func(t *testing.T) {
			streams, _, _, errOut := genericiooptions.NewTestIOStreams()
			o := &options{f: factory.New(streams), steps: &ui.Steps{W: errOut, Now: time.Now}, release: "r", namespace: "new", createNamespace: true, dryRun: test.dryRun, skipChecks: test.skipChecks}
			kubeconfig, context := apitest.Start(t), apitest.Context // refuses everything
			o.f.Config.KubeConfig, o.f.Config.Context = &kubeconfig, &context
			client := fake.NewClientset(l4)
			// The fake would keep what is only tried.
			client.PrependReactor("create", "namespaces", func(a clienttesting.Action) (bool, runtime.Object, error) {
				create := a.(clienttesting.CreateActionImpl)
				return len(create.CreateOptions.DryRun) > 0, create.Object, nil
			})
			releases := release.New(o.f.Config, o.namespace, o.f.Now)
			err := o.check(t.Context(), &cluster.Observer{Client: client, Namespace: "new", Release: "r"}, releases, specOf(t, test.set...))
			if test.kind == 0 && err != nil || test.kind != 0 && (failure.KindOf(err) != test.kind || !strings.Contains(err.Error(), test.says)) {
				t.Errorf("error %v, stderr %s", err, errOut)
			}
			if test.next != "" && !strings.Contains(failure.NextOf(err), test.next) {
				t.Errorf("next: %s", failure.NextOf(err))
			}
			_, gone := client.CoreV1().Namespaces().Get(t.Context(), "new", metav1.GetOptions{})
			if made := gone == nil; made != test.made {
				t.Errorf("the namespace was made: %v", made)
			}
		})
	}
}

func specOf(t *testing.T, set ...string) *release.Spec {
	t.Helper()
	chart, err := fs.Sub(charts.FS, charts.Name)
	if err != nil {
		t.Fatal(err)
	}
	values, err := render.MergeValues(render.Sources{Set: set})
	if err != nil {
		t.Fatal(err)
	}
	result, err := render.Render(t.Context(), chart, render.Options{Release: "r", Namespace: "new", Values: values})
	if err != nil {
		t.Fatal(err)
	}
	return &release.Spec{Name: "r", Chart: chart, Values: values, Rendered: result}
}
