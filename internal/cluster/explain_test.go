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

	"github.com/kubectl-summarizer/kubectl-summarizer/internal/failure"
)

func TestExplain(t *testing.T) {
	request := func(err error) error {
		return fmt.Errorf("cannot list: %w", &url.Error{Op: "Get", URL: "https://10.0.0.1:6443/api", Err: err})
	}
	pods := schema.GroupResource{Resource: "pods"}
	nowhere := &url.Error{Op: "Get", URL: "http://localhost:8080/api", Err: &net.OpError{Op: "dial", Err: syscall.ECONNREFUSED}}
	tests := map[string]struct {
		err        error
		says, next string
	}{
		"refused":        {request(&net.OpError{Op: "dial", Err: syscall.ECONNREFUSED}), "does not answer at 10.0.0.1:6443: connection refused", "config view"},
		"no kubeconfig":  {nowhere, "no cluster is configured", "KUBECONFIG"},
		"no such host":   {request(&net.DNSError{Name: "gone.example", Err: "no such host"}), "gone.example cannot be found", "config view"},
		"no answer":      {request(timeout{}), "does not answer at 10.0.0.1:6443: no reply in time", "VPN"},
		"certificate":    {request(errors.New("tls: failed to verify certificate: x509: certificate signed by unknown authority")), "not trusted: certificate signed by unknown authority", "credentials"},
		"not signed in":  {apierrors.NewUnauthorized("Unauthorized"), "does not accept your credentials", "whoami"},
		"no right":       {apierrors.NewForbidden(pods, "x", errors.New(`User "u" cannot list resource "pods"`)), `User "u" cannot list`, "can-i"},
		"quota":          {apierrors.NewForbidden(pods, "x", errors.New("exceeded quota: gpus")), "a resource quota is full", "describe resourcequota"},
		"something else": {errors.New("x"), "x", ""},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			err := Explain(tt.err)
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
