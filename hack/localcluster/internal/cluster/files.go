package cluster

import (
	"bytes"
	"embed"
	"encoding/base64"
	"fmt"
	"os"
	"path/filepath"
	"text/template"

	"github.com/kubectl-summarizer/kubectl-summarizer/hack/localcluster/internal/build"
	"github.com/kubectl-summarizer/kubectl-summarizer/hack/localcluster/internal/pki"
)

//go:embed files manifests
var embedded embed.FS

// view is what the templates of files/ and manifests/ see.
type view struct {
	*Cluster
	// PauseImage, Plugins, DNSIP, Run and Cgroup are derived; see newView.
	PauseImage, Plugins, DNSIP, Run, Cgroup, NodeName, ContainerdRoot, Volumes, Provisioner string
}

// NodeName is the real node's name.
const NodeName = "node-1"

func (c *Cluster) newView() view {
	return view{
		Cluster: c, PauseImage: PauseImage, Plugins: build.Plugins, DNSIP: addressIn(c.ServiceCIDR, 10),
		Run: c.RunDir(), Cgroup: "/localcluster-" + c.Name, NodeName: NodeName,
		ContainerdRoot: c.containerdRoot(), Volumes: c.path("volumes"), Provisioner: provisionerName,
	}
}

// containerdRoot keeps images over `down`: the model server's image takes minutes to import.
func (c *Cluster) containerdRoot() string {
	return filepath.Join(c.Cache, "localcluster", "containerd")
}

func (c *Cluster) render(name string) ([]byte, error) {
	t, err := template.New(filepath.Base(name)).Option("missingkey=error").ParseFS(embedded, name)
	if err != nil {
		return nil, err
	}
	var out bytes.Buffer
	if err := t.Execute(&out, c.newView()); err != nil {
		return nil, err
	}
	return out.Bytes(), nil
}

// writeFiles makes the certificates that are missing and writes every configuration file.
func (c *Cluster) writeFiles() error {
	for _, dir := range []string{"pki", "pids", "logs", "cni", "volumes", "kubelet"} {
		if err := os.MkdirAll(c.path(dir), 0o755); err != nil {
			return err
		}
	}
	if err := os.MkdirAll(c.path("etcd"), 0o700); err != nil {
		return err
	}
	if err := c.writeCertificates(); err != nil {
		return err
	}
	var files []string
	if c.RealNode {
		files = append(files, "containerd.toml", "cni.conflist", "kubelet.yaml", "kube-proxy.yaml", "Corefile")
	}
	for _, name := range files {
		data, err := c.render("files/" + name)
		if err != nil {
			return err
		}
		target := c.path(name)
		if name == "cni.conflist" {
			target = c.path("cni", name)
		}
		if err := writeChanged(target, data, 0o644); err != nil {
			return err
		}
	}
	return nil
}

// writeChanged leaves a file alone that is right already: kube-proxy ends when its own is touched.
func writeChanged(path string, data []byte, mode os.FileMode) error {
	if old, err := os.ReadFile(path); err == nil && bytes.Equal(old, data) {
		return nil
	}
	return os.WriteFile(path, data, mode)
}

func (c *Cluster) writeCertificates() error {
	dir := c.path("pki")
	ca, err := pki.LoadOrCreateCA(dir, "ca")
	if err != nil {
		return err
	}
	frontProxy, err := pki.LoadOrCreateCA(dir, "front-proxy-ca")
	if err != nil {
		return err
	}
	if err := pki.EnsureKeyPair(dir, "sa"); err != nil {
		return err
	}
	if err := frontProxy.EnsureLeaf(dir, "front-proxy-client", pki.Leaf{CommonName: "front-proxy-client"}); err != nil {
		return err
	}
	masters := []string{"system:masters"}
	leaves := map[string]pki.Leaf{
		"etcd": {CommonName: "etcd", Hosts: []string{"127.0.0.1", "localhost"}},
		"apiserver": {CommonName: "kube-apiserver", Hosts: []string{
			"kubernetes", "kubernetes.default", "kubernetes.default.svc", "kubernetes.default.svc.cluster.local",
			"localhost", "127.0.0.1", c.NodeIP, addressIn(c.ServiceCIDR, 1)}},
		"apiserver-kubelet-client": {CommonName: "kube-apiserver-kubelet-client", Organizations: masters},
		"admin":                    {CommonName: "localcluster-admin", Organizations: masters},
		"controller-manager":       {CommonName: "system:kube-controller-manager"},
		"scheduler":                {CommonName: "system:kube-scheduler"},
		"proxy":                    {CommonName: "system:kube-proxy"},
		"coredns":                  {CommonName: "localcluster-coredns", Organizations: masters},
		"kubelet":                  {CommonName: "system:node:" + NodeName, Organizations: []string{"system:nodes"}, Hosts: []string{NodeName, c.NodeIP}},
	}
	for name, leaf := range leaves {
		if err := ca.EnsureLeaf(dir, name, leaf); err != nil {
			return err
		}
	}
	for _, name := range []string{"controller-manager", "scheduler", "proxy", "coredns", "kubelet"} {
		if err := c.writeKubeconfig(c.path(name+".kubeconfig"), name, ca.CertPEM); err != nil {
			return err
		}
	}
	return c.writeKubeconfig(c.Kubeconfig(), "admin", ca.CertPEM)
}

// Server is the API server's URL.
func (c *Cluster) Server() string {
	return fmt.Sprintf("https://%s:%d", c.NodeIP, c.Ports["apiserver"])
}

func (c *Cluster) writeKubeconfig(path, user string, ca []byte) error {
	crt, err := os.ReadFile(c.path("pki", user+".crt"))
	if err != nil {
		return err
	}
	key, err := os.ReadFile(c.path("pki", user+".key"))
	if err != nil {
		return err
	}
	encode := base64.StdEncoding.EncodeToString
	text := fmt.Sprintf(`apiVersion: v1
kind: Config
current-context: localcluster-%[1]s
clusters:
- name: localcluster-%[1]s
  cluster:
    server: %[2]s
    certificate-authority-data: %[3]s
users:
- name: %[4]s
  user:
    client-certificate-data: %[5]s
    client-key-data: %[6]s
contexts:
- name: localcluster-%[1]s
  context:
    cluster: localcluster-%[1]s
    user: %[4]s
`, c.Name, c.Server(), encode(ca), user, encode(crt), encode(key))
	return writeChanged(path, []byte(text), 0o600)
}
