//go:build e2e

package e2e

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// result is what one command left: its output apart by stream, and its exit code.
type result struct {
	args           []string
	stdout, stderr string
	code           int
	took           time.Duration
}

// command builds a run of the plugin whose streams are kept.
func command(ctx context.Context, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, env.plugin, args...)
	cmd.Env = append(os.Environ(), "KUBECONFIG="+env.kubeconfig)
	return cmd
}

// run runs the plugin to its end.
func run(t *testing.T, args ...string) result {
	t.Helper()
	return runWith(t, nil, args...)
}

func runWith(t *testing.T, stdin io.Reader, args ...string) result {
	t.Helper()
	cmd := command(t.Context(), args...)
	cmd.Stdin = stdin
	return finish(t, cmd, args)
}

func finish(t *testing.T, cmd *exec.Cmd, args []string) result {
	t.Helper()
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	start := time.Now()
	err := cmd.Run()
	r := result{args: args, stdout: stdout.String(), stderr: stderr.String(), took: time.Since(start), code: cmd.ProcessState.ExitCode()}
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		t.Fatalf("cannot run %v: %v", args, err)
	}
	t.Logf("kubectl summarizer %s -> exit %d in %s\n%s%s", strings.Join(args, " "), r.code, r.took.Round(time.Millisecond), r.stdout, r.stderr)
	return r
}

// exits asserts the exit code.
func (r result) exits(t *testing.T, code int) result {
	t.Helper()
	if r.code != code {
		t.Fatalf("%v: exit code %d, want %d\nstdout: %s\nstderr: %s", r.args, r.code, code, r.stdout, r.stderr)
	}
	return r
}

// prints asserts that stdout has a match of the pattern.
func (r result) prints(t *testing.T, pattern string) result {
	t.Helper()
	return match(t, r, "stdout", r.stdout, pattern)
}

// says asserts that stderr has a match of the pattern.
func (r result) says(t *testing.T, pattern string) result {
	t.Helper()
	return match(t, r, "stderr", r.stderr, pattern)
}

func match(t *testing.T, r result, stream, text, pattern string) result {
	t.Helper()
	if !regexp.MustCompile("(?m)" + pattern).MatchString(text) {
		t.Errorf("%v: %s does not match %q:\n%s", r.args, stream, pattern, text)
	}
	return r
}

// oneError asserts that stderr holds exactly one error and nothing that looks like a
// library's log or a stack.
func (r result) oneError(t *testing.T) result {
	t.Helper()
	if n := strings.Count("\n"+r.stderr, "\nerror: "); n != 1 {
		t.Errorf("%v: %d errors on stderr, want 1:\n%s", r.args, n, r.stderr)
	}
	if noise := regexp.MustCompile(`(?m)^[EWIF]\d{4} |goroutine \d+|panic:`).FindString(r.stderr); noise != "" {
		t.Errorf("%v: noise on stderr (%q):\n%s", r.args, noise, r.stderr)
	}
	return r
}

// helper runs another program (helm, kubectl) and returns its stdout.
func helper(t *testing.T, program string, args ...string) string {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), program, args...)
	cmd.Env = append(os.Environ(), "KUBECONFIG="+env.kubeconfig)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%s %v: %v\n%s%s", filepath.Base(program), args, err, out, stderr.String())
	}
	return string(out)
}

// namespace makes one for the test, with the strictest PodSecurity level and the rules of
// GKE Autopilot, and removes it afterwards.
func namespace(t *testing.T) string {
	t.Helper()
	name := fmt.Sprintf("e2e-%s-%d", strings.ToLower(regexp.MustCompile(`[^a-zA-Z0-9]`).ReplaceAllString(strings.TrimPrefix(t.Name(), "Test"), "")), time.Now().UnixNano()%1e6)
	if len(name) > 50 {
		name = name[:40] + name[len(name)-7:]
	}
	ns := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: name, Labels: map[string]string{
		"pod-security.kubernetes.io/enforce": "restricted",
		"localcluster/platform":              "gke-autopilot",
	}}}
	if _, err := env.client.CoreV1().Namespaces().Create(t.Context(), ns, metav1.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		now := int64(0)
		ctx, cancel := context.WithTimeout(context.Background(), 2*time.Minute)
		defer cancel()
		// Pods that drain for a minute would hold the node's memory from the next test.
		if err := env.client.CoreV1().Pods(name).DeleteCollection(ctx, metav1.DeleteOptions{GracePeriodSeconds: &now}, metav1.ListOptions{}); err != nil {
			t.Logf("removing the pods of %s: %v", name, err)
		}
		if err := env.client.CoreV1().Namespaces().Delete(ctx, name, metav1.DeleteOptions{}); err != nil {
			t.Errorf("removing %s: %v", name, err)
		}
	})
	return name
}

func values(name string) string {
	return filepath.Join(env.root, "charts/vllm-summarizer/ci", name)
}

// eventually waits until ok, which returns what is missing or "".
func eventually(t *testing.T, limit time.Duration, ok func() string) {
	t.Helper()
	deadline := time.Now().Add(limit)
	for {
		missing := ok()
		if missing == "" {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("after %s: %s", limit, missing)
		}
		time.Sleep(250 * time.Millisecond)
	}
}

// background is a command that goes on while the test acts.
type background struct {
	cmd  *exec.Cmd
	mu   sync.Mutex
	out  bytes.Buffer
	errs bytes.Buffer
	done chan struct{}
}

func start(t *testing.T, args ...string) *background {
	t.Helper()
	b := &background{cmd: command(t.Context(), args...), done: make(chan struct{})}
	b.cmd.Stdout, b.cmd.Stderr = lockedWriter{&b.mu, &b.out}, lockedWriter{&b.mu, &b.errs}
	if err := b.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	go func() {
		defer close(b.done)
		// The exit code is asserted by the test; Wait's error says no more.
		_ = b.cmd.Wait()
	}()
	t.Cleanup(func() {
		if b.cmd.ProcessState == nil {
			_ = b.cmd.Process.Kill()
			<-b.done
		}
	})
	return b
}

func (b *background) stdout() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.out.String()
}

func (b *background) stderr() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.errs.String()
}

// wait returns the command's result once it has ended.
func (b *background) wait(t *testing.T, limit time.Duration) result {
	t.Helper()
	select {
	case <-b.done:
	case <-time.After(limit):
		t.Fatalf("%v still runs after %s\nstdout: %s\nstderr: %s", b.cmd.Args, limit, b.stdout(), b.stderr())
	}
	r := result{args: b.cmd.Args[1:], stdout: b.stdout(), stderr: b.stderr(), code: b.cmd.ProcessState.ExitCode()}
	t.Logf("kubectl summarizer %s -> exit %d\n%s%s", strings.Join(r.args, " "), r.code, r.stdout, r.stderr)
	return r
}

type lockedWriter struct {
	mu *sync.Mutex
	b  *bytes.Buffer
}

func (w lockedWriter) Write(p []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.b.Write(p)
}
