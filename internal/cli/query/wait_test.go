package query_test

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/cli-runtime/pkg/genericiooptions"

	"github.com/kubectl-summarizer/kubectl-summarizer/internal/cli/factory"
	verb "github.com/kubectl-summarizer/kubectl-summarizer/internal/cli/query"
	"github.com/kubectl-summarizer/kubectl-summarizer/internal/tunnel/apitest"
	"github.com/kubectl-summarizer/kubectl-summarizer/internal/vllm/vllmtest"
)

// execute runs the verb alone, which several tests can do at once: the program's own main
// sets up libraries.
func execute(t *testing.T, out, errOut io.Writer, args ...string) {
	t.Helper()
	cmd := verb.NewCmd(factory.New(genericiooptions.IOStreams{Out: out, ErrOut: errOut}))
	cmd.SetArgs(args)
	cmd.SetErr(io.Discard)
	if err := cmd.ExecuteContext(t.Context()); err != nil {
		t.Errorf("%v: %v", args, err)
	}
}

// TestWaitIsToldInALog: a log hears after two seconds what is being waited for, and the data
// stays clean of it.
func TestWaitIsToldInALog(t *testing.T) {
	t.Parallel()
	server := vllmtest.Start(t)
	server.Pieces, server.Pause = []string{"Amanda."}, 2800*time.Millisecond
	var out, errOut bytes.Buffer
	execute(t, &out, &errOut, "--url", server.URL, "-o", "json", dialogue)
	if !json.Valid(out.Bytes()) || errOut.String() != "waiting for the first token from "+server.URL+" (2s)\n" {
		t.Errorf("%s%s", &out, &errOut)
	}
}

func noPod(retryAfter string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Retry-After", retryAfter)
		vllmtest.Refuse(w, http.StatusServiceUnavailable, "ServiceUnavailableError", "", "no pod is ready")
	}
}

// TestRepeatIsTold: who waits hears that and why the question is asked again.
func TestRepeatIsTold(t *testing.T) {
	t.Parallel()
	server := vllmtest.Start(t)
	server.Fail(noPod("3"))
	var out, errOut bytes.Buffer
	execute(t, &out, &errOut, "--url", server.URL, dialogue)
	if out.String() != "Amanda baked cookies.\n" ||
		errOut.String() != "waiting for the first token from "+server.URL+" (2s); asking again: the server answered 503: no pod is ready\n" {
		t.Errorf("%s%s", &out, &errOut)
	}
}

// TestServerThatAsksForLong: a wait longer than anybody means is left to the user.
func TestServerThatAsksForLong(t *testing.T) {
	server := vllmtest.Start(t)
	server.Fail(noPod("90"))
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
	defer cancel()
	query(ctx, strings.NewReader(dialogue), "--url", server.URL).want(t, 1, "",
		"error: "+server.URL+" is busy: the server answered 503: no pod is ready\n  try again in 1m30s\n")
}

// TestHintsMeanThisCluster: a command that is printed must not reach another cluster when it
// is pasted.
func TestHintsMeanThisCluster(t *testing.T) {
	kubeconfig := apitest.Start(t, &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: "ml"}})
	target := " --context " + apitest.Context + " --kubeconfig " + kubeconfig
	for ns, want := range map[string]string{
		"ml": "error: there is no release \"calls\" in namespace \"ml\"\n  install it: kubectl summarizer install calls -n ml" + target +
			"\n  or give another: --release NAME, -n NAMESPACE\n",
		"none": "error: there is no namespace \"none\"\n  see which there are: kubectl get namespaces" + target + "\n",
	} {
		query(t.Context(), nil, "--release", "calls", "-n", ns, "--context", apitest.Context, "--kubeconfig", kubeconfig, dialogue).want(t, 1, "", want)
	}
}
