package factory

import (
	"os/exec"
	"testing"

	"k8s.io/cli-runtime/pkg/genericiooptions"
)

func TestTargetIsPastedAsItIs(t *testing.T) {
	for _, test := range []struct{ context, kubeconfig, want string }{
		{"", "", ""},
		{"gke_p_europe-west4_c", "", " --context gke_p_europe-west4_c"},
		{"arn:aws:eks:eu-west-1:1:cluster/c", "/home/u/.kube/config", " --context arn:aws:eks:eu-west-1:1:cluster/c --kubeconfig /home/u/.kube/config"},
		{"", "/home/u/my files/config", " --kubeconfig '/home/u/my files/config'"},
		{"it's; rm -rf $HOME", "~/config", ` --context 'it'\''s; rm -rf $HOME' --kubeconfig '~/config'`},
	} {
		f := New(genericiooptions.NewTestIOStreamsDiscard())
		f.Config.Context, f.Config.KubeConfig = &test.context, &test.kubeconfig
		if got := f.Target(); got != test.want {
			t.Errorf("got %s, want %s", got, test.want)
		}
		for _, word := range []string{test.context, test.kubeconfig} {
			if word == "" {
				continue
			}
			said, err := exec.Command("sh", "-c", "printf %s "+Quote(word)).Output()
			if err != nil || string(said) != word {
				t.Errorf("the shell makes %q of %q, error %v", said, word, err)
			}
		}
	}
}
