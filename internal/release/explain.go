package release

import (
	"errors"
	"fmt"
	"strings"

	"github.com/kubectl-summarizer/kubectl-summarizer/internal/failure"
)

// explain adds to an error of Helm's what people can do about it. Errors of the Kubernetes
// client stay in the chain, for whoever explains those.
func explain(name, namespace string, err error) error {
	text := err.Error()
	var told *failure.Error
	switch {
	case errors.As(err, &told):
		return err
	case strings.Contains(text, "invalid ownership metadata"):
		return failure.Refusedf(
			"choose another release name, or remove the object, or hand it over:\n"+handOver("KIND/NAME", name, namespace),
			"release %s cannot take over an object that is there already: %s", name, ownershipPart(text))
	case strings.Contains(text, "has no deployed releases"):
		return failure.Failedf(fmt.Sprintf("remove what is left of it: kubectl delete secret -n %s -l owner=helm,name=%s", namespace, name),
			"release %s is in a state that Helm cannot upgrade: %w", name, err)
	}
	return fmt.Errorf("release %s could not be applied: %w", name, err)
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
func handOver(object, name, namespace string) string {
	return fmt.Sprintf("kubectl label -n %[3]s --overwrite %[1]s %[4]s=%[5]s\nkubectl annotate -n %[3]s --overwrite %[1]s %[6]s=%[2]s %[7]s=%[3]s",
		object, name, namespace, managedByLabel, managedByHelm, nameAnnotation, namespaceAnnotation)
}
