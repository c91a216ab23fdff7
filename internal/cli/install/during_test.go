package install

import (
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"k8s.io/cli-runtime/pkg/genericiooptions"

	"github.com/kubectl-summarizer/kubectl-summarizer/internal/cli/factory"
)

// What passes in a moment is not named; what takes long is, and its warnings come as they are.
func TestDuring(t *testing.T) {
	for takes, want := range map[time.Duration]string{
		time.Second:     "warning: w\n",
		3 * time.Second: "checking\nwarning: w\n",
	} {
		synctest.Test(t, func(t *testing.T) {
			streams, _, _, errOut := genericiooptions.NewTestIOStreams()
			o := &options{f: factory.New(streams)}
			err := o.during("checking", func() error {
				time.Sleep(takes)
				o.warn("w")
				return errors.New("refused")
			})
			if err == nil || err.Error() != "refused" || errOut.String() != want {
				t.Errorf("%s: error %v, stderr %q", takes, err, errOut)
			}
		})
	}
}
