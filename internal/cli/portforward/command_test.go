package portforward_test

import (
	"bytes"
	"context"
	"strings"
	"sync"
	"testing"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/cli-runtime/pkg/genericiooptions"

	"github.com/kubectl-summarizer/kubectl-summarizer/internal/cli"
	"github.com/kubectl-summarizer/kubectl-summarizer/internal/tunnel/apitest"
)

var namespace = &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: "ml"}}

// deployment is a release without a pod.
var deployment = &appsv1.Deployment{
	ObjectMeta: metav1.ObjectMeta{Namespace: "ml", Name: "calls", Labels: map[string]string{
		"app.kubernetes.io/instance": "calls", "app.kubernetes.io/component": "server",
	}},
	Spec: appsv1.DeploymentSpec{Template: corev1.PodTemplateSpec{Spec: corev1.PodSpec{Containers: []corev1.Container{{Name: "vllm"}}}}},
}

type stream struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (s *stream) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.Write(p)
}

func (s *stream) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.String()
}

// TestHintsMeanThisCluster: a command that is printed must not reach another cluster when it
// is pasted.
func TestHintsMeanThisCluster(t *testing.T) {
	kubeconfig := apitest.Start(t, namespace, deployment)
	target := " --context " + apitest.Context + " --kubeconfig " + kubeconfig
	for ns, want := range map[string]string{
		"ml": "error: there is no release \"call\" in namespace \"ml\"\n  did you mean release calls?\n" +
			"  install it: kubectl summarizer install call -n ml" + target + "\n" +
			"  or give another: kubectl summarizer port-forward NAME -n NAMESPACE" + target + "\n",
		"none": "error: there is no namespace \"none\"\n  see which there are: kubectl get namespaces" + target + "\n",
	} {
		var out, errOut stream
		code := cli.Main(t.Context(), []string{"port-forward", "call", "-n", ns, "--context", apitest.Context, "--kubeconfig", kubeconfig},
			genericiooptions.IOStreams{Out: &out, ErrOut: &errOut})
		if code != 1 || out.String() != "" || errOut.String() != want {
			t.Errorf("exit code %d, %q\ngot  %s\nwant %s", code, out.String(), errOut.String(), want)
		}
	}
}

// TestInterrupt: Ctrl-C is how this command ends, so there is no error to tell; the exit code
// is that of every command that was stopped.
func TestInterrupt(t *testing.T) {
	kubeconfig := apitest.Start(t, namespace, deployment)
	ctx, cancel := context.WithCancel(t.Context())
	var out, errOut stream
	go func() {
		defer cancel()
		for range 500 {
			if strings.HasSuffix(out.String(), "/v1\n") {
				return
			}
			time.Sleep(10 * time.Millisecond)
		}
	}()
	code := cli.Main(ctx, []string{"port-forward", "calls", "-n", "ml", "--port", "0", "--context", apitest.Context, "--kubeconfig", kubeconfig},
		genericiooptions.IOStreams{Out: &out, ErrOut: &errOut})
	if code != 130 || !strings.HasPrefix(out.String(), "http://127.0.0.1:") || strings.Contains(errOut.String(), "error") {
		t.Errorf("exit code %d, %q, %q", code, out.String(), errOut.String())
	}
}
