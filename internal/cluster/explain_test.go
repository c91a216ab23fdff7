package cluster

import (
	"errors"
	"fmt"
	"net"
	"net/url"
	"strings"
	"syscall"
	"testing"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/tools/clientcmd"
	api "k8s.io/client-go/tools/clientcmd/api"

	"github.com/kubectl-summarizer/kubectl-summarizer/internal/failure"
)

func TestExplain(t *testing.T) {
	request := func(err error) error {
		return fmt.Errorf("cannot list: %w", &url.Error{Op: "Get", URL: "https://10.0.0.1:6443/api", Err: err})
	}
	pods := schema.GroupResource{Resource: "pods"}
	nowhere := &url.Error{Op: "Get", URL: "http://localhost:8080/api", Err: &net.OpError{Op: "dial", Err: syscall.ECONNREFUSED}}
	_, noContext := clientcmd.NewNonInteractiveClientConfig(*api.NewConfig(), "gone", &clientcmd.ConfigOverrides{}, nil).ClientConfig()
	tests := map[string]struct {
		err        error
		says, next string
	}{
		"refused":                            {request(&net.OpError{Op: "dial", Err: syscall.ECONNREFUSED}), "does not answer at 10.0.0.1:6443: connection refused", "config view"},
		"no kubeconfig":                      {nowhere, "no cluster is configured", "KUBECONFIG"},
		"no such host":                       {request(&net.DNSError{Name: "gone.example", Err: "no such host"}), "gone.example cannot be found", "config view"},
		"no answer":                          {request(timeout{}), "does not answer at 10.0.0.1:6443: no reply in time", "VPN"},
		"certificate":                        {request(errors.New("tls: failed to verify certificate: x509: certificate signed by unknown authority")), "not trusted: certificate signed by unknown authority", "credentials"},
		"not signed in":                      {apierrors.NewUnauthorized("Unauthorized"), "does not accept your credentials", "whoami"},
		"no right":                           {apierrors.NewForbidden(pods, "x", errors.New(`User "u" cannot list resource "pods"`)), `User "u" cannot list`, "can-i"},
		"quota":                              {apierrors.NewForbidden(pods, "x", errors.New("exceeded quota: gpus")), "a resource quota is full", "describe resourcequota"},
		"a webhook's certificate":            {apierrors.NewInternalError(errors.New(`failed calling webhook "x": tls: failed to verify certificate: x509: certificate has expired`)), "failed calling webhook", ""},
		"a webhook's, told with the request": {request(apierrors.NewInternalError(errors.New("x509: certificate has expired"))), "x509", ""},
		"what a server says":                 {errors.New("the server's log: x509: certificate signed by unknown authority"), "the server's log", ""},
		"no such context":                    {noContext, "gone", "kubectl config get-contexts --kubeconfig file"},
		"something else":                     {errors.New("x"), "x", ""},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			err := ExplainFor(there, tt.err)
			for line := range strings.Lines(failure.NextOf(err)) {
				if !strings.Contains(line, "get-contexts") {
					aimed(t, line)
				}
			}
			if !strings.Contains(err.Error(), tt.says) || !strings.Contains(failure.NextOf(err), tt.next) {
				t.Errorf("%q, next %q; want %q, %q", err, failure.NextOf(err), tt.says, tt.next)
			}
			if strings.Contains(err.Error(), "\n") {
				t.Errorf("%q is more than one line", err)
			}
		})
	}
	told := failure.Refusedf("next", "told")
	if got := Explain(told); !errors.Is(got, told) || Explain(nil) != nil {
		t.Errorf("an error that is explained already came back as %v", got)
	}
}

type timeout struct{}

func (timeout) Error() string   { return "i/o timeout" }
func (timeout) Timeout() bool   { return true }
func (timeout) Temporary() bool { return true }
