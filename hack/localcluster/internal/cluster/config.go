// Package cluster runs a Kubernetes cluster as background processes of one machine.
package cluster

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"syscall"

	"github.com/kubectl-summarizer/kubectl-summarizer/hack/localcluster/internal/proc"
)

// Config is what `up` decided; it is kept so that a later `up` repairs the same cluster.
type Config struct {
	// Name tells clusters on one machine apart.
	Name string `json:"name"`
	// RealNode is false where no container can run: without root, or off Linux.
	RealNode bool `json:"realNode"`
	// NodeIP is the machine's address that everything binds to and pods reach.
	NodeIP string `json:"nodeIP"`
	// Ports holds the port of each listener.
	Ports map[string]int `json:"ports"`
	// ServiceCIDR, PodCIDR and FakePodCIDR are free /16 networks.
	ServiceCIDR string `json:"serviceCIDR"`
	PodCIDR     string `json:"podCIDR"`
	FakePodCIDR string `json:"fakePodCIDR"`
	// Shape is the part that a later `up` may change.
	Shape Shape `json:"shape"`
	// Sysctls are the kernel settings as they were before `up`; `down` puts them back.
	Sysctls map[string]string `json:"sysctls,omitempty"`
	// Created are the folders outside the state directory that `up` made.
	Created []string `json:"created,omitempty"`
}

// Shape is what the nodes look like.
type Shape struct {
	// GPUs is the number of physical GPUs that the real node pretends to have.
	GPUs int `json:"gpus"`
	// FakeNodes is the number of simulated nodes, FakeGPUs the GPUs of each.
	FakeNodes int `json:"fakeNodes"`
	FakeGPUs  int `json:"fakeGPUs"`
	// Accelerator is GKE's name of the GPU on every node.
	Accelerator string `json:"accelerator"`
	// Sharing is empty, time-sharing or mps; MaxSharedClients is 2 to 48 then.
	Sharing          string `json:"sharing"`
	MaxSharedClients int    `json:"maxSharedClients"`
	// HPASyncSeconds is how often the HPA controller looks; Kubernetes' default is 15.
	HPASyncSeconds int `json:"hpaSyncSeconds"`
}

// DefaultShape is one real node with four L4s.
func DefaultShape() Shape {
	return Shape{GPUs: 4, FakeGPUs: 1, Accelerator: "nvidia-l4", HPASyncSeconds: 15}
}

// Validate says what is wrong with a shape, in the words of the flags.
func (s Shape) Validate() error {
	switch {
	case s.GPUs < 0 || s.FakeGPUs < 1 || s.FakeNodes < 0:
		return fmt.Errorf("--gpus and --nodes cannot be negative, --node-gpus is at least 1")
	case !labelValue.MatchString(s.Accelerator):
		return fmt.Errorf("--accelerator %q is no label value: GKE's name for the L4 is nvidia-l4", s.Accelerator)
	case s.Sharing != "" && s.Sharing != "time-sharing" && s.Sharing != "mps":
		return fmt.Errorf("--sharing %q is neither time-sharing nor mps", s.Sharing)
	case s.Sharing == "" && s.MaxSharedClients != 0:
		return fmt.Errorf("--max-shared-clients needs --sharing")
	// GKE's limits for gke-max-shared-clients-per-gpu.
	case s.Sharing != "" && (s.MaxSharedClients < 2 || s.MaxSharedClients > 48):
		return fmt.Errorf("--sharing needs --max-shared-clients from 2 to 48")
	case s.HPASyncSeconds < 1:
		return fmt.Errorf("--hpa-sync-seconds is at least 1")
	}
	return nil
}

var (
	labelValue  = regexp.MustCompile(`^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$`)
	clusterName = regexp.MustCompile(`^[a-z]([-a-z0-9]{0,18}[a-z0-9])?$`)
)

// Cluster is one cluster on disk and in the process table.
type Cluster struct {
	Config
	// Cache is where everything slow to make lies; it survives `down`.
	Cache string
	// State is this cluster's own directory; `down` removes it.
	State string
}

// ErrBroken says that a cluster's configuration makes no sense. What is left of the cluster can still be removed.
var ErrBroken = errors.New("broken configuration")

// Open reads the cluster of that name, which may not exist yet: then its NodeIP is empty. With ErrBroken
// it returns a cluster of which only the name is known.
func Open(name, cache string) (*Cluster, error) {
	if !clusterName.MatchString(name) {
		return nil, fmt.Errorf("--name %q: up to 20 lower-case letters, digits and dashes, a letter first", name)
	}
	base := os.Getenv("XDG_STATE_HOME")
	if base == "" {
		home, err := os.UserHomeDir()
		if err != nil {
			return nil, err
		}
		base = filepath.Join(home, ".local", "state")
	}
	c := &Cluster{Cache: cache, State: filepath.Join(base, "kubectl-summarizer", "localcluster", name)}
	c.Name = name
	data, err := os.ReadFile(c.path("config.json"))
	if os.IsNotExist(err) {
		return c, nil
	}
	if err != nil {
		return nil, err
	}
	if err := json.Unmarshal(data, &c.Config); err != nil {
		c.Config = Config{Name: name}
		return c, fmt.Errorf("%w %s: %w; `localcluster down --name %s` removes the cluster", ErrBroken, c.path("config.json"), err, name)
	}
	return c, nil
}

// Exists reports whether `up` has begun to make this cluster.
func (c *Cluster) Exists() bool { return c.NodeIP != "" }

// Kubeconfig is the path of the administrator's kubeconfig.
func (c *Cluster) Kubeconfig() string { return c.path("kubeconfig") }

// Table is the cluster's processes.
func (c *Cluster) Table() proc.Table {
	return proc.Table{Dir: c.path("pids"), Logs: c.path("logs")}
}

// hubRoot is what the Hub stand-in serves and all clusters share; what is uploaded to it is this cluster's own.
func (c *Cluster) hubRoot() string { return filepath.Join(c.Cache, "hub") }

// packages are the files of the Python package index that the Hub stand-in serves too.
func (c *Cluster) packages() string { return filepath.Join(c.Cache, "packages") }

// RunDir holds sockets and mounts: short, because a socket's path has at most 107 bytes.
func (c *Cluster) RunDir() string { return "/run/localcluster-" + c.Name }

// Lock keeps two calls from changing one cluster at once; the system frees it with the process.
func (c *Cluster) Lock() (func(), error) {
	if err := os.MkdirAll(filepath.Dir(c.State), 0o755); err != nil {
		return nil, err
	}
	file, err := os.OpenFile(c.State+".lock", os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, err
	}
	if err := syscall.Flock(int(file.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		file.Close()
		return nil, fmt.Errorf("another localcluster command is changing cluster %s: wait for it to end", c.Name)
	}
	// The one who held it before may have removed the file meanwhile: then the lock locks nothing.
	mine, err := file.Stat()
	if err == nil {
		var there os.FileInfo
		if there, err = os.Stat(file.Name()); err == nil && !os.SameFile(mine, there) {
			err = os.ErrNotExist
		}
	}
	if err != nil {
		file.Close()
		return c.Lock()
	}
	return func() {
		os.Remove(file.Name())
		file.Close()
	}, nil
}

func (c *Cluster) path(elem ...string) string {
	return filepath.Join(append([]string{c.State}, elem...)...)
}

func (c *Cluster) save() error {
	data, err := json.MarshalIndent(c.Config, "", "  ")
	if err != nil {
		return err
	}
	// A half-written file would make the cluster unknown to `down`.
	tmp := c.path("config.json.new")
	if err := os.WriteFile(tmp, data, 0o600); err != nil {
		return err
	}
	return os.Rename(tmp, c.path("config.json"))
}
