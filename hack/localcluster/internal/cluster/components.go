package cluster

import (
	"context"
	"crypto/sha256"
	"crypto/tls"
	"fmt"
	"net/http"
	"os"
	"time"

	"github.com/kubectl-summarizer/kubectl-summarizer/hack/localcluster/internal/build"
)

// component is one background process.
type component struct {
	name string
	// args name the state directory or a file in it: see componentOf.
	args []string
	// config is the configuration file that it reads at its start, if any.
	config string
	// health is a URL that answers 200 when the component works; empty where only its life tells.
	health string
	// asksAPI: it is a client of the API server.
	asksAPI bool
}

// healthClient does not verify: some servers make their own certificates for their health ports, which are on
// the loopback, and nothing secret is sent or believed.
var healthClient = &http.Client{
	Timeout:   2 * time.Second,
	Transport: &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true}, DisableKeepAlives: true}, //nolint:gosec // see above
}

// stamp tells two contents of the configuration apart.
func (k component) stamp() (string, error) {
	if k.config == "" {
		return "", nil
	}
	data, err := os.ReadFile(k.config)
	return fmt.Sprintf("%x", sha256.Sum256(data)), err
}

func (k component) healthy(ctx context.Context) error {
	if k.health == "" {
		return nil
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, k.health, nil)
	if err != nil {
		return err
	}
	response, err := healthClient.Do(request)
	if err != nil {
		return err
	}
	response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return fmt.Errorf("%s answers %s", k.health, response.Status)
	}
	return nil
}

// control is the control plane except the API server and etcd, which the others wait for.
func (c *Cluster) control(p build.Programs) []component {
	self, err := os.Executable()
	if err != nil {
		self = os.Args[0]
	}
	pki := func(name string) string { return c.path("pki", name) }
	all := []component{
		{name: "kube-controller-manager", asksAPI: true, health: c.local("https", "controller-manager", "/healthz"), args: []string{
			p.Path("kube-controller-manager"),
			"--bind-address=127.0.0.1", fmt.Sprintf("--secure-port=%d", c.Ports["controller-manager"]),
			"--kubeconfig=" + c.path("controller-manager.kubeconfig"),
			"--authentication-kubeconfig=" + c.path("controller-manager.kubeconfig"),
			"--authorization-kubeconfig=" + c.path("controller-manager.kubeconfig"),
			"--use-service-account-credentials",
			"--service-account-private-key-file=" + pki("sa.key"), "--root-ca-file=" + pki("ca.crt"),
			"--cluster-signing-cert-file=" + pki("ca.crt"), "--cluster-signing-key-file=" + pki("ca.key"),
			"--requestheader-client-ca-file=" + pki("front-proxy-ca.crt"),
			"--service-cluster-ip-range=" + c.ServiceCIDR, "--allocate-node-cidrs=false",
			"--leader-elect=false",
			fmt.Sprintf("--horizontal-pod-autoscaler-sync-period=%ds", c.Shape.HPASyncSeconds),
			// A test that kills a node should not wait a minute to see it.
			"--node-monitor-grace-period=20s",
		}},
		{name: "kube-scheduler", asksAPI: true, health: c.local("https", "scheduler", "/healthz"), args: []string{
			p.Path("kube-scheduler"),
			"--bind-address=127.0.0.1", fmt.Sprintf("--secure-port=%d", c.Ports["scheduler"]),
			"--kubeconfig=" + c.path("scheduler.kubeconfig"),
			"--authentication-kubeconfig=" + c.path("scheduler.kubeconfig"),
			"--authorization-kubeconfig=" + c.path("scheduler.kubeconfig"),
			"--leader-elect=false",
		}},
		{name: "hub", health: c.HubURL() + "/healthz", args: []string{
			self, "hub", "serve", "--cluster=" + c.State, "--root", c.hubRoot(), "--uploads", c.path("hub"), "--packages", c.packages(),
			"--listen", fmt.Sprintf("%s:%d", c.NodeIP, c.Ports["hub"]),
		}},
	}
	if c.RealNode {
		all = append(all, component{name: "provisioner", asksAPI: true, args: []string{self, "provisioner", "--name", c.Name, "--cluster=" + c.State}})
	}
	if c.Shape.FakeNodes > 0 || !c.RealNode {
		all = append(all, component{name: "kwok", asksAPI: true, health: c.local("http", "kwok", "/healthz"), args: []string{
			p.Path("kwok"), "--kubeconfig=" + c.Kubeconfig(), "--config=" + p.Stages(),
			// Without this KWOK plays the pods of the real node too.
			"--manage-all-nodes=false", "--manage-nodes-with-annotation-selector=" + fakeAnnotation + "=fake",
			"--cidr=" + c.FakePodCIDR, "--node-ip=" + c.NodeIP,
			"--server-address=127.0.0.1:" + fmt.Sprint(c.Ports["kwok"]),
			"--node-lease-duration-seconds=40",
		}})
	}
	return all
}

// base is what the control plane stands on.
func (c *Cluster) base(p build.Programs) []component {
	pki := func(name string) string { return c.path("pki", name) }
	advertised := c.NodeIP
	if !c.RealNode {
		// It refuses the loopback; without pods nobody comes by this address.
		advertised = addressIn(c.ServiceCIDR, 1)
	}
	etcd := fmt.Sprintf("https://127.0.0.1:%d", c.Ports["etcd"])
	return []component{
		{name: "etcd", args: []string{
			p.Path("etcd"), "--name=localcluster", "--data-dir=" + c.path("etcd"),
			"--listen-client-urls=" + etcd, "--advertise-client-urls=" + etcd,
			fmt.Sprintf("--listen-peer-urls=http://127.0.0.1:%d", c.Ports["etcd-peer"]),
			fmt.Sprintf("--initial-advertise-peer-urls=http://127.0.0.1:%d", c.Ports["etcd-peer"]),
			fmt.Sprintf("--initial-cluster=localcluster=http://127.0.0.1:%d", c.Ports["etcd-peer"]),
			"--cert-file=" + pki("etcd.crt"), "--key-file=" + pki("etcd.key"),
			"--client-cert-auth", "--trusted-ca-file=" + pki("ca.crt"),
			// The data is worth as much as the cluster: it may go when the machine goes.
			"--unsafe-no-fsync", "--log-level=warn",
		}},
		{name: "kube-apiserver", args: []string{
			p.Path("kube-apiserver"),
			"--bind-address=" + c.NodeIP, "--advertise-address=" + advertised, fmt.Sprintf("--secure-port=%d", c.Ports["apiserver"]),
			"--etcd-servers=" + etcd, "--etcd-cafile=" + pki("ca.crt"),
			"--etcd-certfile=" + pki("apiserver-kubelet-client.crt"), "--etcd-keyfile=" + pki("apiserver-kubelet-client.key"),
			"--tls-cert-file=" + pki("apiserver.crt"), "--tls-private-key-file=" + pki("apiserver.key"),
			"--client-ca-file=" + pki("ca.crt"), "--authorization-mode=Node,RBAC",
			// GKE tolerates the GPU taint for pods that ask for GPUs; upstream leaves that off.
			"--enable-admission-plugins=NodeRestriction,ExtendedResourceToleration",
			"--service-cluster-ip-range=" + c.ServiceCIDR,
			"--service-account-issuer=https://kubernetes.default.svc.cluster.local",
			"--service-account-key-file=" + pki("sa.pub"), "--service-account-signing-key-file=" + pki("sa.key"),
			// No name of a node resolves on this machine.
			"--kubelet-preferred-address-types=InternalIP",
			"--kubelet-client-certificate=" + pki("apiserver-kubelet-client.crt"),
			"--kubelet-client-key=" + pki("apiserver-kubelet-client.key"),
			"--kubelet-certificate-authority=" + pki("ca.crt"),
			"--enable-aggregator-routing",
			"--requestheader-client-ca-file=" + pki("front-proxy-ca.crt"), "--requestheader-allowed-names=front-proxy-client",
			"--requestheader-extra-headers-prefix=X-Remote-Extra-", "--requestheader-group-headers=X-Remote-Group",
			"--requestheader-username-headers=X-Remote-User",
			"--proxy-client-cert-file=" + pki("front-proxy-client.crt"), "--proxy-client-key-file=" + pki("front-proxy-client.key"),
		}},
	}
}

// node is what makes this machine a node; the kubelet comes last because it needs the rest.
func (c *Cluster) node(p build.Programs) []component {
	if !c.RealNode {
		return nil
	}
	return []component{
		{name: "containerd", config: c.path("containerd.toml"), args: []string{"containerd", "--config", c.path("containerd.toml")}},
		{name: "coredns", asksAPI: true, config: c.path("Corefile"), health: c.local("http", "dns-health", "/health"), args: []string{p.Path("coredns"), "-conf", c.path("Corefile")}},
		{name: "kube-proxy", asksAPI: true, config: c.path("kube-proxy.yaml"), health: c.local("http", "proxy-health", "/healthz"), args: []string{p.Path("kube-proxy"), "--config=" + c.path("kube-proxy.yaml")}},
		{name: "kubelet", asksAPI: true, config: c.path("kubelet.yaml"), health: c.local("http", "kubelet-health", "/healthz"), args: []string{
			p.Path("kubelet"), "--config=" + c.path("kubelet.yaml"), "--kubeconfig=" + c.path("kubelet.kubeconfig"),
			"--root-dir=" + c.path("kubelet"), "--cert-dir=" + c.path("kubelet", "pki"),
			"--hostname-override=" + NodeName, "--node-ip=" + c.NodeIP,
		}},
	}
}

// components are all of a cluster's, in the order of starting.
func (c *Cluster) components(p build.Programs) []component {
	return append(append(c.base(p), c.control(p)...), c.node(p)...)
}

func (c *Cluster) local(scheme, port, path string) string {
	return fmt.Sprintf("%s://127.0.0.1:%d%s", scheme, c.Ports[port], path)
}
