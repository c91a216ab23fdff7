package release

import (
	"bytes"
	"context"
	"errors"
	"io"
	"io/fs"
	"strconv"
	"strings"
	"testing"
	"time"

	"helm.sh/helm/v3/pkg/action"
	"helm.sh/helm/v3/pkg/chart"
	kubefake "helm.sh/helm/v3/pkg/kube/fake"
	"helm.sh/helm/v3/pkg/release"
	"helm.sh/helm/v3/pkg/storage"
	"helm.sh/helm/v3/pkg/storage/driver"
	helmtime "helm.sh/helm/v3/pkg/time"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/kubernetes/fake"

	"github.com/kubectl-summarizer/kubectl-summarizer/charts"
	"github.com/kubectl-summarizer/kubectl-summarizer/internal/failure"
	"github.com/kubectl-summarizer/kubectl-summarizer/pkg/render"
)

// bench is a client whose records lie in memory and whose cluster takes everything.
type bench struct {
	t      *testing.T
	client *Client
	store  *storage.Storage
	now    time.Time
}

func newBench(t *testing.T) *bench {
	t.Helper()
	memory := driver.NewMemory()
	memory.SetNamespace("ml")
	b := &bench{t: t, store: storage.Init(memory), now: time.Now()}
	b.client = &Client{namespace: "ml", now: func() time.Time { return b.now }, poll: time.Millisecond}
	b.client.clientset = func() (kubernetes.Interface, error) {
		return fake.NewClientset(&corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: "ml"}}), nil
	}
	b.client.configure = func(log action.DebugLog) (*action.Configuration, error) {
		return &action.Configuration{
			Releases: b.store, KubeClient: &kubefake.PrintingKubeClient{Out: io.Discard}, Log: log,
		}, nil
	}
	return b
}

func (b *bench) spec() Spec {
	b.t.Helper()
	chart, err := fs.Sub(charts.FS, charts.Name)
	if err != nil {
		b.t.Fatal(err)
	}
	result, err := render.Render(b.t.Context(), chart, render.Options{Release: "one", Namespace: "ml"})
	if err != nil {
		b.t.Fatal(err)
	}
	return Spec{Name: "one", Chart: chart, Rendered: result}
}

// record puts a revision into the store as a killed or running program would leave it.
func (b *bench) record(version int, status release.Status, age time.Duration, mine bool) {
	b.t.Helper()
	at := helmtime.Time{Time: b.now.Add(-age)}
	r := &release.Release{
		Name: "one", Namespace: "ml", Version: version,
		Chart: &chart.Chart{Metadata: &chart.Metadata{Name: charts.Name, Version: "0.0.1", APIVersion: "v2"}},
		Info:  &release.Info{Status: status, FirstDeployed: at, LastDeployed: at, Deleted: at},
	}
	if mine {
		r.Labels = map[string]string{revisionLabel: strconv.Itoa(version)}
	}
	if err := b.store.Create(r); err != nil {
		b.t.Fatal(err)
	}
}

func (b *bench) statuses() string {
	b.t.Helper()
	history, err := b.client.History(b.t.Context(), "one")
	if err != nil {
		b.t.Fatal(err)
	}
	var all []string
	for _, info := range history {
		all = append(all, strconv.Itoa(info.Revision)+" "+info.Status)
	}
	return strings.Join(all, ", ")
}

func TestApplyConvergesFromEveryRecord(t *testing.T) {
	old := 2 * abandonedAfter
	for _, test := range []struct {
		name  string
		setup func(*bench)
		want  string
	}{
		{"nothing", func(*bench) {}, "1 deployed"},
		{"deployed", func(b *bench) { b.record(1, release.StatusDeployed, old, true) }, "2 deployed, 1 superseded"},
		{"failed install", func(b *bench) { b.record(1, release.StatusFailed, old, true) }, "2 deployed, 1 superseded"},
		{"killed install", func(b *bench) { b.record(1, release.StatusPendingInstall, old, true) }, "2 deployed, 1 superseded"},
		{"killed upgrade", func(b *bench) {
			b.record(1, release.StatusDeployed, old, true)
			b.record(2, release.StatusPendingUpgrade, old, true)
		}, "3 deployed, 2 failed, 1 superseded"},
		{"killed twice", func(b *bench) {
			b.record(1, release.StatusFailed, old, true)
			b.record(2, release.StatusPendingUpgrade, old, true)
		}, "3 deployed, 2 superseded, 1 failed"},
		{"killed uninstall", func(b *bench) { b.record(1, release.StatusUninstalling, old, true) }, "2 deployed, 1 superseded"},
		{"uninstalled with history", func(b *bench) { b.record(1, release.StatusUninstalled, old, true) }, "2 deployed, 1 superseded"},
	} {
		t.Run(test.name, func(t *testing.T) {
			b := newBench(t)
			test.setup(b)
			if _, err := b.client.Apply(t.Context(), b.spec()); err != nil {
				t.Fatal(err)
			}
			if got := b.statuses(); got != test.want {
				t.Errorf("revisions: %s, want %s", got, test.want)
			}
		})
	}
}

func TestAYoungRecordIsWaitedFor(t *testing.T) {
	b := newBench(t)
	b.record(1, release.StatusPendingInstall, 10*time.Second, true)
	var told []string
	spec := b.spec()
	spec.Notify = func(message string) {
		told = append(told, message)
		b.now = b.now.Add(abandonedAfter) // time passes, and nobody finishes it
	}
	if _, err := b.client.Apply(t.Context(), spec); err != nil {
		t.Fatal(err)
	}
	if len(told) != 1 || !strings.Contains(told[0], "began 10s ago; waiting until it ends, at most 50s") {
		t.Errorf("told: %q", told)
	}
}

// Another machine's clock may be ahead by more than anybody wants to wait.
func TestAClockThatIsAheadIsNotBelieved(t *testing.T) {
	b := newBench(t)
	b.record(1, release.StatusPendingInstall, -10*time.Minute, true)
	var told []string
	spec := b.spec()
	spec.Notify = func(message string) {
		told = append(told, message)
		b.now = b.now.Add(abandonedAfter + time.Second)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	if _, err := b.client.Apply(ctx, spec); err != nil {
		t.Fatal(err)
	}
	if len(told) != 1 || !strings.Contains(told[0], "began 0s ago; waiting until it ends, at most 1m0s") {
		t.Errorf("told: %q", told)
	}
	b.record(3, release.StatusPendingUpgrade, -time.Hour, false)
	_, looked := b.client.Last(ctx, "one")
	_, applied := b.client.Apply(ctx, b.spec())
	for _, err := range []error{looked, applied} {
		if err == nil || !strings.HasSuffix(err.Error(), "since 0s") {
			t.Errorf("another program's: %v", err)
		}
	}
}

func TestWaitingForARecordEndsWithTheContext(t *testing.T) {
	b := newBench(t)
	b.record(1, release.StatusPendingInstall, time.Second, true)
	ctx, cancel := context.WithCancel(t.Context())
	spec := b.spec()
	spec.Notify = func(string) { cancel() }
	if _, err := b.client.Apply(ctx, spec); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
	if got := b.statuses(); got != "1 pending-install" {
		t.Errorf("the other's record was touched: %s", got)
	}
}

// helm install --wait may be at it for half an hour.
func TestAnotherProgramsRecordIsNeverTakenOver(t *testing.T) {
	b := newBench(t)
	// Labels are handed on to later revisions, so ours with another revision is not ours.
	b.record(1, release.StatusPendingInstall, time.Hour, false)
	_, err := b.client.Apply(t.Context(), b.spec())
	if failure.KindOf(err) != failure.Refused || !strings.Contains(failure.NextOf(err), "sh.helm.release.v1.one.v1") {
		t.Errorf("got %v; next: %s", err, failure.NextOf(err))
	}
}

func TestEveryRevisionIsMarkedAsOurs(t *testing.T) {
	b := newBench(t)
	for range 3 {
		if _, err := b.client.Apply(t.Context(), b.spec()); err != nil {
			t.Fatal(err)
		}
	}
	history, err := b.store.History("one")
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range history {
		if r.Labels[revisionLabel] != strconv.Itoa(r.Version) {
			t.Errorf("revision %d is marked %q", r.Version, r.Labels[revisionLabel])
		}
	}
}

func TestAReleaseOfAnotherChartIsLeftAlone(t *testing.T) {
	b := newBench(t)
	b.record(1, release.StatusDeployed, time.Hour, false)
	history, err := b.store.History("one")
	if err != nil {
		t.Fatal(err)
	}
	history[0].Chart.Metadata.Name = "postgresql"
	if _, err := b.client.Apply(t.Context(), b.spec()); failure.KindOf(err) != failure.Refused {
		t.Errorf("apply: %v", err)
	}
	if _, err := b.client.Uninstall(t.Context(), nil, "one", nil); failure.KindOf(err) != failure.Refused {
		t.Errorf("uninstall: %v", err)
	}
	if list, err := b.client.List(t.Context()); err != nil || len(list) != 0 {
		t.Errorf("list: %v %v", list, err)
	}
}

// What Helm renders by itself on an upgrade must be what was rendered before, so that
// `helm upgrade --reuse-values` with the same chart changes nothing.
func TestHelmRendersTheSameItself(t *testing.T) {
	b := newBench(t)
	spec := b.spec()
	for _, upgrade := range []bool{false, true} {
		cfg, err := b.client.configure(silent)
		if err != nil {
			t.Fatal(err)
		}
		if cfg.Capabilities, err = capabilities(""); err != nil {
			t.Fatal(err)
		}
		loaded, err := loadChart(spec.Chart)
		if err != nil {
			t.Fatal(err)
		}
		seen := &recorder{}
		if upgrade {
			u := action.NewUpgrade(cfg)
			u.PostRenderer = seen
			_, err = u.Run("one", loaded, nil)
		} else {
			i := action.NewInstall(cfg)
			i.ReleaseName, i.Namespace, i.PostRenderer = "one", "ml", seen
			_, err = i.Run(loaded, nil)
		}
		if err != nil {
			t.Fatal(err)
		}
		if seen.text != string(spec.Rendered.Manifests) {
			t.Errorf("upgrade %v: Helm renders something else than pkg/render", upgrade)
		}
	}
}

type recorder struct{ text string }

func (r *recorder) Run(in *bytes.Buffer) (*bytes.Buffer, error) {
	r.text = in.String()
	return in, nil
}

func TestTheRecordHoldsWhatWasRendered(t *testing.T) {
	b := newBench(t)
	spec := b.spec()
	for range 2 {
		info, err := b.client.Apply(t.Context(), spec)
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(info.Manifest, spec.Rendered.Manifests) {
			t.Errorf("revision %d differs from what was rendered", info.Revision)
		}
	}
}
