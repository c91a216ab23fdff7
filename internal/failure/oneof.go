package failure

import (
	"slices"
	"strings"
)

// OneOf returns a Usage error when a value is none of those allowed; what names it, such as "output format". An empty
// string among them is the value of a flag that was not given, and is not named.
func OneOf(what, value string, allowed ...string) error {
	if slices.Contains(allowed, value) {
		return nil
	}
	named := slices.DeleteFunc(slices.Clone(allowed), func(s string) bool { return s == "" })
	last := len(named) - 1
	return Usagef("unknown %s %q: use %s or %s", what, value, strings.Join(named[:last], ", "), named[last])
}
