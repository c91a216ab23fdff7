package release

import (
	"fmt"
	"strings"

	"github.com/kubectl-summarizer/kubectl-summarizer/internal/failure"
	"github.com/kubectl-summarizer/kubectl-summarizer/internal/product"
	"github.com/kubectl-summarizer/kubectl-summarizer/pkg/nearest"
)

// Missing is the error for a release that is not there; it names those that are.
func (c *Client) Missing(name string) error {
	infos, err := c.List()
	if err != nil {
		return err
	}
	names := make([]string, len(infos))
	for i, info := range infos {
		names[i] = info.Name
	}
	next := fmt.Sprintf("there is none in this namespace; is it another one? -n NAMESPACE\ninstall it: %s install %s -n %s",
		product.Command, name, c.namespace)
	if len(names) > 0 {
		next = "there are: " + strings.Join(names, ", ")
	}
	if near, ok := nearest.Name(name, names); ok {
		next = "did you mean " + near + "?\n" + next
	}
	return failure.Failedf(next, "no release %q in namespace %s", name, c.namespace)
}
