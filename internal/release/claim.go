package release

import (
	"fmt"
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

// nextForClaim is what to do about a claim that is there and cannot become what was asked
// for: claims outlive their releases, never shrink, and hold nothing that cannot be fetched.
func (k *checker) nextForClaim(live *unstructured.Unstructured, err error) string {
	if live == nil || live.GetKind() != "PersistentVolumeClaim" {
		return ""
	}
	message := err.Error()
	switch {
	case strings.Contains(message, "field can not be less than"):
		size, _, _ := unstructured.NestedString(live.Object, "spec", "resources", "requests", "storage")
		return "keep its size: --set cache.persistence.size=" + size
	case strings.Contains(message, "immutable"):
		remove := fmt.Sprintf("kubectl delete pvc -n %s %s%s", k.namespace, live.GetName(), k.of.Target)
		if k.applied != nil { // a claim goes only when no pod has it
			remove = fmt.Sprintf("kubectl delete deployment -n %s -l %s=%s%s\n%s", k.namespace, instanceLabel, k.release, k.of.Target, remove)
		}
		return "give cache.persistence what the claim has; or remove it, and what is on it is fetched anew:\n" + remove
	}
	return ""
}
