// Package runstest is a cluster for tests that has training runs: the objects are those that
// package train makes, and their pods write the logs that the test gives them.
package runstest

import (
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/kubernetes/fake"
	"k8s.io/client-go/kubernetes/scheme"
	typed "k8s.io/client-go/kubernetes/typed/core/v1"
	"k8s.io/client-go/rest"
	fakerest "k8s.io/client-go/rest/fake"

	"github.com/kubectl-summarizer/kubectl-summarizer/pkg/train"
)

// Namespace is where the objects are.
const Namespace = "ml"

// Began is when the runs were created.
var Began = time.Date(2026, 11, 25, 10, 0, 0, 0, time.UTC)

// Client is a fake clientset whose pods have logs.
type Client struct {
	*fake.Clientset

	mu   sync.Mutex
	logs map[string][]string
	// Refuse is what asking for a log is answered with, nil for the log.
	Refuse func() *http.Response
}

// New returns a client with these objects.
func New(objects ...runtime.Object) *Client {
	return &Client{Clientset: fake.NewClientset(objects...), logs: map[string][]string{}}
}

// Say has a pod write lines, each at a time of its own.
func (c *Client) Say(pod string, lines ...string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, line := range lines {
		at := Began.Add(time.Duration(len(c.logs[pod])) * time.Millisecond)
		c.logs[pod] = append(c.logs[pod], at.Format(time.RFC3339Nano)+" "+line)
	}
}

// CoreV1 has pods with logs.
func (c *Client) CoreV1() typed.CoreV1Interface { return core{c.Clientset.CoreV1(), c} }

type core struct {
	typed.CoreV1Interface
	client *Client
}

func (c core) Pods(namespace string) typed.PodInterface {
	return pods{c.CoreV1Interface.Pods(namespace), c.client}
}

type pods struct {
	typed.PodInterface
	client *Client
}

// GetLogs answers with what was said so far, and the end of the stream.
func (p pods) GetLogs(name string, options *corev1.PodLogOptions) *rest.Request {
	answer := fakerest.CreateHTTPClient(func(*http.Request) (*http.Response, error) {
		if p.client.Refuse != nil {
			return p.client.Refuse(), nil
		}
		p.client.mu.Lock()
		defer p.client.mu.Unlock()
		var text strings.Builder
		for _, line := range p.client.logs[name] {
			stamp, rest, _ := strings.Cut(line, " ")
			at, err := time.Parse(time.RFC3339Nano, stamp)
			// As the kubelet does, from the whole second on.
			if err == nil && options.SinceTime != nil && at.Before(options.SinceTime.Truncate(time.Second)) {
				continue
			}
			if !options.Timestamps {
				line = rest
			}
			fmt.Fprintln(&text, line)
		}
		return &http.Response{StatusCode: http.StatusOK, Body: io.NopCloser(strings.NewReader(text.String()))}, nil
	})
	client := &fakerest.RESTClient{
		Client: answer, NegotiatedSerializer: scheme.Codecs.WithoutConversion(),
		GroupVersion: schema.GroupVersion{Version: "v1"}, VersionedAPIPath: "/api/v1/namespaces/" + Namespace + "/pods/" + name + "/log",
	}
	return client.Request()
}

// Spec is a specification that is whole.
func Spec(name string) train.Spec {
	spec := train.Default()
	spec.Name, spec.Model.ID = name, "HuggingFaceTB/SmolLM2-135M-Instruct"
	return spec
}

// Objects are the objects of a run as they are when it has just been created.
func Objects(t testing.TB, spec train.Spec, options train.Options) []runtime.Object {
	t.Helper()
	options.Namespace = Namespace
	made, err := train.Objects(spec, options)
	if err != nil {
		t.Fatal(err)
	}
	var objects []runtime.Object
	for _, o := range made {
		o.SetCreationTimestamp(metav1.NewTime(Began))
		object, err := scheme.Scheme.New(o.GroupVersionKind())
		if err != nil {
			continue // a TrainJob
		}
		if err := runtime.DefaultUnstructuredConverter.FromUnstructured(o.Object, object); err != nil {
			t.Fatal(err)
		}
		objects = append(objects, object)
	}
	return objects
}

// Status answers requests for logs with an error of the API server.
func Status(code int, reason metav1.StatusReason) func() *http.Response {
	return func() *http.Response {
		body := fmt.Sprintf(`{"kind":"Status","apiVersion":"v1","status":"Failure","reason":%q,"message":%q,"code":%d}`, reason, reason, code)
		return &http.Response{StatusCode: code, Header: http.Header{"Content-Type": {"application/json"}}, Body: io.NopCloser(strings.NewReader(body))}
	}
}
