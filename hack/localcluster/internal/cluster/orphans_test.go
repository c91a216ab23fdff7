package cluster

import (
	"strings"
	"testing"
)

func TestStarted(t *testing.T) {
	c := &Cluster{State: "/state/mine"}
	c.Name, c.NodeIP, c.Ports = "mine", "192.0.2.1", map[string]int{"hub": 7000}
	for line, want := range map[string]bool{
		"/cache/bin/etcd --name=localcluster --data-dir=/state/mine/etcd": true,
		"/cache/bin/etcd --data-dir=/state/mine-too/etcd":                 false,
		"containerd --config /state/mine/containerd.toml":                 true,
		"containerd --config /etc/containerd/config.toml":                 false,
		"/cache/bin/kwok --kubeconfig=/state/mine/kubeconfig":             true,
		"kubectl --kubeconfig /state/mine/kubeconfig get pods --watch":    false,
		"vi /state/mine/kubelet.yaml":                                     false,
		"/cache/cli/1/localcluster provisioner --name mine":               true,
		"/cache/cli/1/localcluster provisioner --name other":              false,
		"/cache/cli/1/localcluster hub serve --listen 192.0.2.1:7000":     true,
		"/cache/cli/1/localcluster hub serve --listen 192.0.2.1:7001":     false,
		"/cache/cli/1/localcluster up --name mine":                        false,
	} {
		if got := c.started(strings.Fields(line)); got != want {
			t.Errorf("%s: %v, want %v", line, got, want)
		}
	}
}
