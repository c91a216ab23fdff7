package install

import (
	"testing"
	"time"

	"k8s.io/cli-runtime/pkg/genericiooptions"

	"github.com/kubectl-summarizer/kubectl-summarizer/internal/cli/factory"
	"github.com/kubectl-summarizer/kubectl-summarizer/internal/failure"
	"github.com/kubectl-summarizer/kubectl-summarizer/internal/ui"
)

func TestWithoutAWaitTheWayToFollowIsPrinted(t *testing.T) {
	streams, _, out, errOut := genericiooptions.NewTestIOStreams()
	o := &options{f: factory.New(streams), steps: &ui.Steps{W: errOut, Now: time.Now}, release: "r", namespace: "ns"}
	*o.f.Config.Context = "my cluster"
	if err := o.follow(t.Context(), nil); err != nil {
		t.Fatal(err)
	}
	if want := "see how it comes up: kubectl summarizer status r -n ns --context 'my cluster'\n"; out.String() != "" || errOut.String() != want {
		t.Errorf("stdout %q, stderr %q", out, errOut)
	}
}

func TestBadFlags(t *testing.T) {
	for _, args := range [][]string{{"--dry-run", "maybe"}, {"--timeout", "0s"}, {"--timeout", "-1m"}} {
		t.Setenv("KUBECONFIG", t.TempDir()+"/none")
		cmd := NewCmd(factory.New(genericiooptions.NewTestIOStreamsDiscard()))
		cmd.SetArgs(args)
		cmd.SilenceErrors, cmd.SilenceUsage = true, true
		if err := cmd.Execute(); failure.KindOf(err) != failure.Usage {
			t.Errorf("%v: %v, want a usage error", args, err)
		}
	}
}
