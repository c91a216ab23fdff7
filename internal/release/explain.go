package release

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/kubectl-summarizer/kubectl-summarizer/internal/failure"
	"github.com/kubectl-summarizer/kubectl-summarizer/internal/product"
)

// explain adds to an error of Helm's what people can do about it. Errors of the Kubernetes
// client stay in the chain, for whoever explains those.
func (c *Client) explain(name string, err error) error {
	text := err.Error()
	var told *failure.Error
	var left *leftError
	switch {
	case errors.As(err, &told):
		return err
	case errors.As(err, &left):
		return c.givenUp(name, "installed", err)
	case strings.Contains(text, "invalid ownership metadata"):
		return failure.Refusedf(
			"choose another release name, or remove the object, or hand it over:\n"+c.handOver("KIND/NAME", name),
			"release %s cannot take over an object that is there already: %s", name, ownershipPart(text))
	case strings.Contains(text, "has no deployed releases"):
		return failure.Failedf(fmt.Sprintf("remove what is left of it: kubectl delete secret -n %s -l owner=helm,name=%s%s", c.namespace, name, c.Target),
			"release %s is in a state that Helm cannot upgrade: %w", name, err)
	}
	return fmt.Errorf("release %s could not be applied: %w", name, err)
}

// givenUp explains a *leftError; any other error comes back as it is. Without it whoever
// pressed Ctrl-C would take the release for untouched.
func (c *Client) givenUp(name, done string, err error) error {
	var left *leftError
	if !errors.As(err, &left) {
		return err
	}
	kind, why := failure.Interrupted, "interrupted"
	if errors.Is(err, context.DeadlineExceeded) {
		kind, why = failure.Timeout, fmt.Sprintf("the cluster took more than %s", applyLimit)
	}
	return failure.New(kind, fmt.Errorf("%s before release %s was %s whole: part of it may be, and its record may say that it goes on", why, name, done),
		fmt.Sprintf("run the same command again: it goes on from there\nsee how far it came: %s status %s -n %s%s", product.Command, name, c.namespace, c.Target))
}

// ownershipPart leaves out what Helm wraps around "KIND NAME in namespace NS exists and ...".
func ownershipPart(text string) string {
	if _, after, ok := strings.Cut(text, "Unable to continue with install: "); ok {
		return after
	}
	_, after, ok := strings.Cut(text, "Unable to continue with update: ")
	if ok {
		return after
	}
	return text
}

// handOver is the command that makes an object part of a release.
func (c *Client) handOver(object, name string) string {
	return fmt.Sprintf("kubectl label -n %[3]s --overwrite %[1]s %[4]s=%[5]s%[8]s\nkubectl annotate -n %[3]s --overwrite %[1]s %[6]s=%[2]s %[7]s=%[3]s%[8]s",
		object, name, c.namespace, managedByLabel, managedByHelm, nameAnnotation, namespaceAnnotation, c.Target)
}
