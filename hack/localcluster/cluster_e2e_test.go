package main_test

import (
	"bufio"
	"fmt"
	"io"
	"net/http"
	"os"
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
	allAreSeen(t, p)
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

// allAreSeen proves that the search for leftovers would find every process of a cluster.
func allAreSeen(t *testing.T, p *program) {
	t.Helper()
	seen := "\n" + strings.Join(processes(e2eProcesses...), "\n")
	for _, component := range p.recorded() {
		if !strings.Contains(seen, fmt.Sprintf("\n%d ", p.pid(component))) {
			t.Errorf("process %d (%s) would not be seen if it was left behind, only%s", p.pid(component), component, seen)
		}
	}
}

func podsWork(t *testing.T, p *program) {
	t.Helper()
	for command, want := range map[string]string{
		"resolve web.default.svc":                      ".",
		"get http://web.default.svc/":                  "hello from web",
		"get http://hub.local-hub.svc/healthz":         "200 OK",
		"get http://hub.local-hub.svc/_faults":         "403 Forbidden",
		"get http://hub.local-hub.svc/simple/":         "Simple index",
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
	// What is uploaded to the Hub is the cluster's own and goes with it.
	if _, err := os.Stat(filepath.Join(p.state(), "hub")); err != nil {
		t.Error(err)
	}
	hub, err := os.ReadFile(filepath.Join(p.state(), "hub.url"))
	if err != nil {
		t.Fatal(err)
	}
	// Tests play faults from here, by the same address that other machines reach.
	response, err := http.Get(strings.TrimSpace(string(hub)) + "/_faults")
	if err != nil {
		t.Fatal(err)
	}
	response.Body.Close()
	if response.StatusCode != http.StatusOK {
		t.Errorf("faults from this machine: %s", response.Status)
	}
	// Without a local port kubectl takes a free one, and says which.
	forward := exec.Command(p.run("kubectl"), "--kubeconfig", p.run("kubeconfig"), "port-forward", "--address=127.0.0.1", "pod/web", ":8080")
	forward.Stderr = os.Stderr
	out, err := forward.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := forward.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() {
		_ = forward.Process.Kill()
		_ = forward.Wait()
	}()
	line, err := bufio.NewReader(out).ReadString('\n')
	address, ok := strings.CutPrefix(strings.Split(line, " -> ")[0], "Forwarding from ")
	if err != nil || !ok {
		t.Fatalf("port-forward: %q, %v", line, err)
	}
	p.eventually("port-forward", func() error {
		response, err := http.Get("http://" + address + "/")
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
		stillServes(t, p, victims)
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

// stillServes is what a user would notice first after a repair.
func stillServes(t *testing.T, p *program, victims []string) {
	t.Helper()
	// At once: `up` has said that the cluster is up.
	if out, err := p.kubectl("", "exec", "web", "--", "/podtool", "get", "http://127.0.0.1:8080/"); err != nil {
		t.Errorf("exec right after the repair of %v: %v: %s", victims, err, out)
	}
	p.eventually(fmt.Sprintf("the Service after the repair of %v", victims), func() error {
		out, err := p.kubectl("", "exec", "web", "--", "/podtool", "get", "http://web.default.svc/")
		if err != nil || !strings.Contains(out, "hello from web") {
			return fmt.Errorf("%w: %q", err, out)
		}
		return nil
	})
	p.eventually(fmt.Sprintf("one endpoint after the repair of %v", victims), func() error {
		ip := p.must("", "get", "pod", "web", "-o", "jsonpath={.status.podIP}")
		out := p.must("", "get", "endpointslices", "--selector=kubernetes.io/service-name=web",
			"-o", "jsonpath={range .items[*].endpoints[*]}{.addresses[0]} ready: {.conditions.ready}{end}")
		if out != ip+" ready: true" {
			return fmt.Errorf("endpoints %q; want only %s", out, ip)
		}
		return nil
	})
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
