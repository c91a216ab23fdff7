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
func Explain(err error) error { return ExplainFor("", err) }

// ExplainFor explains an error of the cluster that these flags chose (" --context X", "" when
// none did): they are put on the commands of the remedy.
func ExplainFor(target string, err error) error {
	var told *failure.Error
	if err == nil || errors.As(err, &told) {
		return err
	}
	for _, explain := range []func(error, string) error{explainConfig, explainNetwork, explainStatus} {
		if told := explain(err, target); told != nil {
			return told
		}
	}
	return err
}

// unconfigured is where kubectl's loader looks when no kubeconfig names a cluster.
const unconfigured = "localhost:8080"

func explainConfig(err error, target string) error {
	switch {
	case clientcmd.IsEmptyConfig(err), hostOf(err) == unconfigured:
		return failure.New(failure.Failed, errors.New("no cluster is configured: the kubeconfig is empty or missing"),
			"give --kubeconfig FILE, or set KUBECONFIG; on GKE:\ngcloud container clusters get-credentials CLUSTER --location LOCATION")
	case clientcmd.IsContextNotFound(err):
		return failure.New(failure.Failed, err, "see which contexts there are: kubectl config get-contexts"+kubeconfigOf(target))
	case clientcmd.IsConfigurationInvalid(err):
		return failure.New(failure.Failed, fmt.Errorf("the kubeconfig cannot be used: %w", err), "look at it: kubectl config view"+kubeconfigOf(target))
	}
	return nil
}

// kubeconfigOf leaves of the flags the one that names the file: a context that is not in it
// is no help to find one that is.
func kubeconfigOf(target string) string {
	const flag = " --kubeconfig "
	if _, file, found := strings.Cut(target, flag); found {
		return flag + file
	}
	return ""
}

func explainNetwork(err error, target string) error {
	host := hostOf(err)
	var status apierrors.APIStatus
	var dns *net.DNSError
	var slow net.Error
	switch {
	case errors.As(err, &dns):
		return failure.New(failure.Failed, fmt.Errorf("the cluster's address %s cannot be found: is the network or VPN up?", dns.Name),
			"see which cluster this is: kubectl config view --minify"+target)
	case errors.Is(err, syscall.ECONNREFUSED):
		return failure.New(failure.Failed, fmt.Errorf("the cluster does not answer at %s: connection refused", host),
			"see which cluster this is: kubectl config view --minify"+target)
	case errors.As(err, &slow) && slow.Timeout() && host != "":
		return failure.New(failure.Failed, fmt.Errorf("the cluster does not answer at %s: no reply in time", host),
			"is the network or VPN up? see which cluster this is: kubectl config view --minify"+target)
	// Others than the API server's certificate may be wrong: what the API server says of one
	// (a webhook's), or what a pod's log says, is not about the connection to the cluster.
	case strings.Contains(err.Error(), "x509: ") && host != "" && !errors.As(err, &status):
		_, reason, _ := strings.Cut(err.Error(), "x509: ")
		return failure.New(failure.Failed, fmt.Errorf("the cluster's certificate is not trusted: %s", reason),
			"fetch the cluster's credentials anew, or see: kubectl config view --minify"+target)
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

func explainStatus(err error, target string) error {
	var status apierrors.APIStatus
	if !errors.As(err, &status) {
		return nil
	}
	message := status.Status().Message
	switch {
	case apierrors.IsUnauthorized(err):
		return failure.New(failure.Failed, errors.New("the cluster does not accept your credentials"),
			"sign in again; who you are: kubectl auth whoami"+target)
	case apierrors.IsForbidden(err) && strings.Contains(message, "exceeded quota"):
		return failure.New(failure.Failed, fmt.Errorf("a resource quota is full: %s", message),
			"see: kubectl describe resourcequota"+target)
	case apierrors.IsForbidden(err):
		return failure.New(failure.Failed, fmt.Errorf("you may not do this: %s", message),
			"ask whoever runs the cluster for this right; what you may do: kubectl auth can-i --list"+target)
	}
	return nil
}
