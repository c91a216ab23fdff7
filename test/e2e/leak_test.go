//go:build e2e

package e2e

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

const canary = "hf_CanaryTokenThatMustStayWhereItIs"

// The token is found nowhere but in the user's Secret: not in the release record, which
// `helm get all` decodes, an object, an event, a log, our output or a process's arguments.
func TestTokenStaysInItsSecret(t *testing.T) {
	ns := namespace(t)
	secret := &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Name: "hf-secret"}, StringData: map[string]string{"hf_api_token": canary}}
	if _, err := env.client.CoreV1().Secrets(ns).Create(t.Context(), secret, metav1.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
	t.Setenv("HF_TOKEN", canary)
	t.Setenv("HUGGING_FACE_HUB_TOKEN", canary)

	watched := watchArguments(t)
	places := map[string]string{}
	for _, args := range [][]string{
		{"render", "leak", "-n", ns, "-f", values("local-sim-values.yaml")},
		install(ns, "leak", "--hf-secret", "hf-secret:hf_api_token"),
		{"status", "leak", "-n", ns, "-o", "json"},
		{"query", "--release", "leak", "-n", ns, "-o", "json", "a text"},
	} {
		r := run(t, args...).exits(t, 0)
		places["the output of "+args[0]] = r.stdout + r.stderr
	}
	places["the release record"] = helper(t, env.helm3, "get", "all", "leak", "-n", ns)
	places["the events"] = helper(t, env.kubectl, "get", "events", "-n", ns, "-o", "yaml")
	places["the logs"] = logs(t, ns)
	for kind := range strings.FieldsSeq(helper(t, env.kubectl, "api-resources", "--namespaced", "--verbs=list", "-o", "name")) {
		if kind != "secrets" {
			places[kind] = helper(t, env.kubectl, "get", kind, "-n", ns, "-o", "yaml")
		}
	}
	places["a process's arguments"] = watched()
	for place, text := range places {
		if strings.Contains(text, canary) {
			t.Errorf("the token is in %s", place)
		}
	}
	found := helper(t, env.kubectl, "get", "pods", "-n", ns, "-o", "jsonpath={.items[0].spec.containers[0].env[?(@.name=='HF_TOKEN')].valueFrom.secretKeyRef.name}")
	if found != "hf-secret" {
		t.Errorf("the server's token comes from %q: the test looked for a token that nothing uses", found)
	}
	run(t, "render", "--set", "model.id="+canary).exits(t, 2)
	r := run(t, "install", "leak", "-n", ns, "--set", "extraEnv[0].name=X,extraEnv[0].value="+canary)
	if r.code == 0 {
		t.Error("a token in the values was taken")
	}
	if strings.Contains(r.stderr+r.stdout, canary) {
		t.Error("the refusal of a token repeats it")
	}
}

// logs returns all that every container in the namespace has said, and before its restart.
func logs(t *testing.T, ns string) string {
	t.Helper()
	pods, err := env.client.CoreV1().Pods(ns).List(t.Context(), metav1.ListOptions{})
	if err != nil {
		t.Fatal(err)
	}
	var all strings.Builder
	read := func(pod, container string, previous bool) {
		text, err := env.client.CoreV1().Pods(ns).GetLogs(pod, &corev1.PodLogOptions{Container: container, Previous: previous}).DoRaw(t.Context())
		if err != nil {
			t.Errorf("the log of %s of pod %s (previous: %v): %v", container, pod, previous, err)
		}
		all.Write(text)
	}
	for i := range pods.Items {
		status := &pods.Items[i].Status
		for _, c := range slices.Concat(status.InitContainerStatuses, status.ContainerStatuses) {
			read(pods.Items[i].Name, c.Name, false)
			if c.LastTerminationState.Terminated != nil {
				read(pods.Items[i].Name, c.Name, true)
			}
		}
	}
	if all.Len() == 0 {
		t.Error("no container has said anything: there was no log to search")
	}
	return all.String()
}

// watchArguments looks at the arguments of every process until the returned function is
// called, which gives all that were seen but those of this test.
func watchArguments(t *testing.T) func() string {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	seen := make(chan string)
	go func() {
		all := map[string]bool{}
		for ctx.Err() == nil {
			files, _ := filepath.Glob("/proc/[0-9]*/cmdline")
			for _, file := range files {
				// A process that ended meanwhile has no arguments to leak.
				if data, err := os.ReadFile(file); err == nil {
					all[string(bytes.ReplaceAll(data, []byte{0}, []byte{' '}))] = true
				}
			}
			time.Sleep(5 * time.Millisecond)
		}
		var b strings.Builder
		for args := range all {
			b.WriteString(args + "\n")
		}
		seen <- b.String()
	}()
	return func() string {
		cancel()
		return <-seen
	}
}
