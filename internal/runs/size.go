package runs

import (
	"regexp"
	"strconv"
	"strings"

	"github.com/kubectl-summarizer/kubectl-summarizer/pkg/train"
)

// sized finds the number of parameters in a model's name: 7B, 1.5B, 135M.
var sized = regexp.MustCompile(`(?i)(?:^|[-_.])([0-9]+(?:\.[0-9]+)?)([bm])(?:[-_.]|$)`)

// ParamsOf guesses the number of parameters from a model's name, 0 when it does not say.
func ParamsOf(id string) int64 {
	found := sized.FindStringSubmatch(id[strings.LastIndex(id, "/")+1:])
	if found == nil {
		return 0
	}
	n, err := strconv.ParseFloat(found[1], 64)
	if err != nil {
		return 0
	}
	if strings.EqualFold(found[2], "b") {
		n *= 1000
	}
	return int64(n * 1e6)
}

// ModelShape is the shape of a model that is known, or what its name says of its size.
func ModelShape(id string) train.Shape { return train.ShapeOf(id, ParamsOf(id)) }
