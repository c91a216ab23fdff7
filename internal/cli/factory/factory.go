// Package factory gives commands what they need from the outside world, built only when
// asked for: help, completion and render must never read a kubeconfig.
package factory

import (
	"fmt"
	"strings"
	"sync"
	"time"

	"k8s.io/cli-runtime/pkg/genericclioptions"
	"k8s.io/cli-runtime/pkg/genericiooptions"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"

	"github.com/kubectl-summarizer/kubectl-summarizer/internal/product"
	"github.com/kubectl-summarizer/kubectl-summarizer/internal/version"
)

// Factory holds the process's streams and lazily built clients.
type Factory struct {
	Streams genericiooptions.IOStreams
	// Config are kubectl's own connection flags, shared by every verb.
	Config *genericclioptions.ConfigFlags
	// Now is the clock; tests replace it.
	Now func() time.Time

	clients clients
}

type clients struct {
	once sync.Once
	set  kubernetes.Interface
	err  error

	dynamicOnce sync.Once
	dynamic     dynamic.Interface
	dynamicErr  error
}

// New returns a factory over the given streams.
func New(streams genericiooptions.IOStreams) *Factory {
	config := genericclioptions.NewConfigFlags(true)
	config.WrapConfigFn = func(c *rest.Config) *rest.Config {
		// The defaults (5 requests a second) make one status call wait on itself.
		c.QPS, c.Burst = 50, 100
		c.UserAgent = fmt.Sprintf("%s/%s", product.Binary, version.Get().Version)
		return c
	}
	return &Factory{Streams: streams, Config: config, Now: time.Now}
}

// Namespace returns the namespace to work in, and pins it: Helm's client reads the
// kubeconfig's namespace on its own, so it must be told the very same one.
func (f *Factory) Namespace() (string, error) {
	namespace, _, err := f.Config.ToRawKubeConfigLoader().Namespace()
	if err != nil {
		return "", fmt.Errorf("cannot read the kubeconfig: %w", err)
	}
	*f.Config.Namespace = namespace
	return namespace, nil
}

// Target returns the flags that chose this cluster, with a space before each, to be put on
// the commands that a message tells users to type: without them they would mean another.
func (f *Factory) Target() string {
	target := ""
	if given := f.Config.Context; given != nil && *given != "" {
		target += " --context " + Quote(*given)
	}
	if given := f.Config.KubeConfig; given != nil && *given != "" {
		target += " --kubeconfig " + Quote(*given)
	}
	return target
}

// Quote writes a word so that a shell reads it as it is; what needs no quotes gets none.
func Quote(word string) string {
	const plain = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789@%+=:,./_-"
	if strings.Trim(word, plain) == "" {
		return word
	}
	return "'" + strings.ReplaceAll(word, "'", `'\''`) + "'"
}

// RESTConfig returns the connection settings of the chosen cluster.
func (f *Factory) RESTConfig() (*rest.Config, error) {
	return f.Config.ToRESTConfig()
}

// Clientset returns the typed client, built once.
func (f *Factory) Clientset() (kubernetes.Interface, error) {
	f.clients.once.Do(func() {
		config, err := f.RESTConfig()
		if err != nil {
			f.clients.err = err
			return
		}
		f.clients.set, f.clients.err = kubernetes.NewForConfig(config)
	})
	return f.clients.set, f.clients.err
}

// Dynamic returns the client for objects whose kinds are not built in, built once.
func (f *Factory) Dynamic() (dynamic.Interface, error) {
	f.clients.dynamicOnce.Do(func() {
		config, err := f.RESTConfig()
		if err != nil {
			f.clients.dynamicErr = err
			return
		}
		f.clients.dynamic, f.clients.dynamicErr = dynamic.NewForConfig(config)
	})
	return f.clients.dynamic, f.clients.dynamicErr
}
