//go:build e2e

package e2e

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
)

// env is what the tests run against; TestMain fills it.
var env struct {
	plugin     string // the built binary
	kubectl    string
	helm3      string
	helm4      string
	kubeconfig string
	root       string // of the checkout
	hub        string // the Hub stand-in of the local cluster, "" on another one
	config     *rest.Config
	client     kubernetes.Interface
}

func TestMain(m *testing.M) {
	if err := setUp(); err != nil {
		fmt.Fprintln(os.Stderr, "e2e:", err)
		os.Exit(2)
	}
	os.Exit(m.Run())
}

func setUp() error {
	for name, target := range map[string]*string{
		"E2E_PLUGIN": &env.plugin, "E2E_KUBECTL": &env.kubectl, "KUBECONFIG": &env.kubeconfig,
		"HELM3": &env.helm3, "HELM4": &env.helm4,
	} {
		if *target = os.Getenv(name); *target == "" {
			return fmt.Errorf("%s is not set: run these tests with `make e2e`", name)
		}
	}
	var err error
	if env.root, err = filepath.Abs("../.."); err != nil {
		return err
	}
	if env.config, err = clientcmd.BuildConfigFromFlags("", env.kubeconfig); err != nil {
		return err
	}
	if url, err := os.ReadFile(filepath.Join(filepath.Dir(env.kubeconfig), "hub.url")); err == nil {
		env.hub = strings.TrimSpace(string(url))
	}
	env.config.QPS, env.config.Burst = 100, 200
	env.client, err = kubernetes.NewForConfig(env.config)
	return err
}
