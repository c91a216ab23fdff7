package cluster

import (
	"errors"
	"fmt"
	"net"
	"net/url"
	"strings"
	"syscall"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/client-go/tools/clientcmd"

	"github.com/kubectl-summarizer/kubectl-summarizer/internal/failure"
)

// Explain turns an error of the Kubernetes client into one sentence with a remedy. An
// error that already carries a remedy, or that is not the client's, comes back as it is.
func Explain(err error) error {
	var told *failure.Error
	if err == nil || errors.As(err, &told) {
		return err
	}
	for _, explain := range []func(error) error{explainConfig, explainNetwork, explainStatus} {
		if told := explain(err); told != nil {
			return told
		}
	}
	return err
}

// unconfigured is where kubectl's loader looks when no kubeconfig names a cluster.
const unconfigured = "localhost:8080"

func explainConfig(err error) error {
	switch {
	case clientcmd.IsEmptyConfig(err), hostOf(err) == unconfigured:
		return failure.New(failure.Failed, errors.New("no cluster is configured: the kubeconfig is empty or missing"),
			"give --kubeconfig FILE, or set KUBECONFIG; on GKE:\ngcloud container clusters get-credentials CLUSTER --location LOCATION")
	case clientcmd.IsContextNotFound(err):
		return failure.New(failure.Failed, err, "see which contexts there are: kubectl config get-contexts")
	case clientcmd.IsConfigurationInvalid(err):
		return failure.New(failure.Failed, fmt.Errorf("the kubeconfig cannot be used: %w", err), "look at it: kubectl config view")
	}
	return nil
}

func explainNetwork(err error) error {
	host := hostOf(err)
	var dns *net.DNSError
	var slow net.Error
	switch {
	case errors.As(err, &dns):
		return failure.New(failure.Failed, fmt.Errorf("the cluster's address %s cannot be found: is the network or VPN up?", dns.Name),
			"see which cluster this is: kubectl config view --minify")
	case errors.Is(err, syscall.ECONNREFUSED):
		return failure.New(failure.Failed, fmt.Errorf("the cluster does not answer at %s: connection refused", host),
			"see which cluster this is: kubectl config view --minify")
	case errors.As(err, &slow) && slow.Timeout() && host != "":
		return failure.New(failure.Failed, fmt.Errorf("the cluster does not answer at %s: no reply in time", host),
			"is the network or VPN up? see which cluster this is: kubectl config view --minify")
	case strings.Contains(err.Error(), "x509: "):
		_, reason, _ := strings.Cut(err.Error(), "x509: ")
		return failure.New(failure.Failed, fmt.Errorf("the cluster's certificate is not trusted: %s", reason),
			"fetch the cluster's credentials anew, or see: kubectl config view --minify")
	}
	return nil
}

func hostOf(err error) string {
	var at *url.Error
	if !errors.As(err, &at) {
		return ""
	}
	u, parseErr := url.Parse(at.URL)
	if parseErr != nil {
		return at.URL
	}
	return u.Host
}

func explainStatus(err error) error {
	var status apierrors.APIStatus
	if !errors.As(err, &status) {
		return nil
	}
	message := status.Status().Message
	switch {
	case apierrors.IsUnauthorized(err):
		return failure.New(failure.Failed, errors.New("the cluster does not accept your credentials"),
			"sign in again; who you are: kubectl auth whoami")
	case apierrors.IsForbidden(err) && strings.Contains(message, "exceeded quota"):
		return failure.New(failure.Failed, fmt.Errorf("a resource quota is full: %s", message),
			"see: kubectl describe resourcequota")
	case apierrors.IsForbidden(err):
		return failure.New(failure.Failed, fmt.Errorf("you may not do this: %s", message),
			"ask whoever runs the cluster for this right; what you may do: kubectl auth can-i --list")
	}
	return nil
}
