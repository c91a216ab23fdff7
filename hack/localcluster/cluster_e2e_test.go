package main_test

import (
	"fmt"
	"io"
	"net/http"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

const pods = `
apiVersion: v1
kind: Pod
metadata: {name: web, labels: {app: web}}
spec:
  terminationGracePeriodSeconds: 2
  nodeSelector: {localcluster/node: real, cloud.google.com/gke-accelerator: nvidia-l4}
  containers:
  - name: web
    image: localhost/localcluster/podtool:v1
    args: [serve, ":8080"]
    resources: {limits: {nvidia.com/gpu: 1}}
    readinessProbe: {httpGet: {port: 8080, path: /}, periodSeconds: 1}
---
apiVersion: v1
kind: Service
metadata: {name: web}
spec: {selector: {app: web}, ports: [{port: 80, targetPort: 8080}]}
---
apiVersion: v1
kind: PersistentVolumeClaim
metadata: {name: data}
spec: {accessModes: [ReadWriteOnce], resources: {requests: {storage: 1Gi}}}
---
apiVersion: v1
kind: Pod
metadata: {name: writer}
spec:
  restartPolicy: Never
  securityContext: {runAsUser: 1000, runAsGroup: 1000, fsGroup: 1000}
  containers:
  - {name: c, image: "localhost/localcluster/podtool:v1", args: [write, /data/x], volumeMounts: [{name: d, mountPath: /data}]}
  volumes: [{name: d, persistentVolumeClaim: {claimName: data}}]
`

func TestClusterFromUpToDown(t *testing.T) {
	p := newProgram(t, "e2e")
	before := snapshot(t)
	p.run("kubectl") // builds, when cold, outside of what is timed

	began := time.Now()
	p.run("up", "--nodes", "1")
	took := time.Since(began)
	t.Logf("up with a warm cache: %.1f s", took.Seconds())
	if took > 30*time.Second {
		t.Errorf("up took %s, more than 30 s", took)
	}
	p.must(pods, "apply", "-f", "-")
	p.must("", "wait", "--for=condition=Ready", "pod/web", "--timeout=60s")

	t.Run("pods work", func(t *testing.T) { podsWork(t, p.in(t)) })
	t.Run("simulated node", func(t *testing.T) {
		p := p.in(t)
		p.must(strings.NewReplacer("web", "pretender", "node: real", "node: fake").Replace(strings.Split(pods, "---")[0]), "apply", "-f", "-")
		p.must("", "wait", "--for=condition=Ready", "pod/pretender", "--timeout=30s")
		if node := p.must("", "get", "pod", "pretender", "-o", "jsonpath={.spec.nodeName}"); node != "fake-1" {
			t.Errorf("it is on %s", node)
		}
	})
	t.Run("admission", func(t *testing.T) { admission(t, p.in(t)) })
	t.Run("load", func(t *testing.T) { loadImage(t, p.in(t)) })
	t.Run("repair", func(t *testing.T) { repair(t, p.in(t)) })
	t.Run("reshape", func(t *testing.T) { reshape(t, p.in(t)) })

	began = time.Now()
	p.run("down")
	t.Logf("down: %.1f s", time.Since(began).Seconds())
	nothingLeft(t, before)
}

func podsWork(t *testing.T, p *program) {
	t.Helper()
	for command, want := range map[string]string{
		"resolve web.default.svc":                      ".",
		"get http://web.default.svc/":                  "hello from web",
		"get http://hub.local-hub.svc/healthz":         "200 OK",
		"resolve kubernetes.default.svc.cluster.local": ".0.1",
	} {
		args := append([]string{"exec", "web", "--", "/podtool"}, strings.Fields(command)...)
		p.eventually(command, func() error {
			out, err := p.kubectl("", args...)
			if err != nil {
				return fmt.Errorf("%w: %s", err, out)
			}
			if !strings.Contains(out, want) {
				return fmt.Errorf("%q; want %q", out, want)
			}
			return nil
		})
	}
	if out, err := p.kubectl("", "exec", "web", "--", "/podtool", "resolve", "huggingface.co"); err == nil || !strings.Contains(out, "no such host") {
		t.Errorf("a name of the internet: %v, %s; want no such host", err, out)
	}
	if out := p.must("", "logs", "web"); !strings.Contains(out, "serving on :8080") {
		t.Errorf("logs: %q", out)
	}
	p.eventually("claim written by an ordinary user", func() error {
		out, err := p.kubectl("", "logs", "writer")
		if err == nil && out != "written" {
			err = fmt.Errorf("%q", out)
		}
		return err
	})
	forward := exec.Command(p.run("kubectl"), "--kubeconfig", p.run("kubeconfig"), "port-forward", "pod/web", "18099:8080")
	if err := forward.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() {
		_ = forward.Process.Kill()
		_ = forward.Wait()
	}()
	p.eventually("port-forward", func() error {
		response, err := http.Get("http://127.0.0.1:18099/")
		if err != nil {
			return err
		}
		defer response.Body.Close()
		body, err := io.ReadAll(response.Body)
		if err == nil && !strings.Contains(string(body), "hello from web") {
			err = fmt.Errorf("%q", body)
		}
		return err
	})
}

func loadImage(t *testing.T, p *program) {
	t.Helper()
	const have, want = "localhost/localcluster/podtool:v1", "localhost/loaded:v1"
	ctr := func(args ...string) {
		t.Helper()
		args = append([]string{"--address", "/run/localcluster-e2e/containerd.sock", "--namespace", "k8s.io", "images"}, args...)
		if out, err := exec.Command("ctr", args...).CombinedOutput(); err != nil {
			t.Fatalf("ctr %v: %v\n%s", args, err, out)
		}
	}
	archive := filepath.Join(t.TempDir(), "image.tar")
	ctr("tag", "--force", have, want)
	ctr("export", archive, want)
	ctr("remove", want)
	p.must("", "run", "loaded", "--image="+want, "--image-pull-policy=Never", "--restart=Never", "--", "resolve", "localhost")
	p.eventually("a pod without its image", func() error {
		out := p.must("", "get", "pod", "loaded", "-o", "jsonpath={.status.containerStatuses[0].state.waiting.reason}")
		if out != "ErrImageNeverPull" {
			return fmt.Errorf("waits for %q", out)
		}
		return nil
	})
	if out := p.run("load", archive); !strings.Contains(out, want) {
		t.Errorf("load does not name the image: %s", out)
	}
	p.must("", "wait", "--for=jsonpath={.status.phase}=Succeeded", "pod/loaded", "--timeout=60s")
}

func repair(t *testing.T, p *program) {
	t.Helper()
	for _, victims := range [][]string{
		{"kubelet"}, {"containerd"}, {"coredns", "kube-proxy"}, {"hub", "provisioner", "kwok"},
		{"kube-apiserver"}, {"etcd"}, {"kube-controller-manager", "kube-scheduler"},
		{"etcd", "kube-apiserver", "kubelet", "containerd", "kube-proxy"},
	} {
		p.kill9(victims...)
		if out, err := p.try("status"); err == nil {
			t.Errorf("after kill -9 of %v status finds nothing wrong:\n%s", victims, out)
		}
		began := time.Now()
		said := p.run("up")
		t.Logf("repair of %v: %.1f s", victims, time.Since(began).Seconds())
		for _, victim := range victims {
			if !strings.Contains(said, "started "+victim+"\n") {
				t.Errorf("up does not say that it started %s:\n%s", victim, said)
			}
		}
		p.run("status")
		if victims[0] == "kubelet" {
			// Longer than a kubelet needs to report again: it must not take back the GPUs.
			time.Sleep(8 * time.Second)
		}
		if gpus := p.must("", "get", "node", "node-1", "-o", `jsonpath={.status.allocatable.nvidia\.com/gpu}`); gpus != "4" {
			t.Errorf("after the repair of %v the node has %s GPUs", victims, gpus)
		}
	}
	podsWork(t, p)
}

func reshape(t *testing.T, p *program) {
	t.Helper()
	p.run("up", "--nodes", "0", "--gpus", "2", "--sharing", "time-sharing", "--max-shared-clients", "3")
	names := p.must("", "get", "nodes", "-o", "name")
	if names != "node/node-1" {
		t.Errorf("nodes: %s", names)
	}
	got := p.must("", "get", "node", "node-1", "-o", `jsonpath={.status.allocatable.nvidia\.com/gpu} {.metadata.labels.cloud\.google\.com/gke-gpu-sharing-strategy} {.metadata.labels.cloud\.google\.com/gke-max-shared-clients-per-gpu} {.metadata.labels.cloud\.google\.com/gke-accelerator-count}`)
	if got != "6 time-sharing 3 2" {
		t.Errorf("node: %s", got)
	}
	p.run("up", "--sharing", "", "--gpus", "1")
	got = p.must("", "get", "node", "node-1", "-o", `jsonpath={.status.allocatable.nvidia\.com/gpu} {.metadata.labels.cloud\.google\.com/gke-gpu-sharing-strategy}`)
	if strings.TrimSpace(got) != "1" {
		t.Errorf("node without sharing: %s", got)
	}
}
