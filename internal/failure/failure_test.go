package failure

import (
	"errors"
	"testing"
)

// All refusals are told at once; a remedy that mends several is told once.
func TestJoin(t *testing.T) {
	refused := func(what, next string) *Error { return &Error{Kind: Refused, Err: errors.New(what), Next: next} }
	if Join(nil) != nil {
		t.Error("nothing stands in the way, and there is an error")
	}
	one := refused("a", "mend a")
	if got := Join([]*Error{one}); !errors.Is(got, one) {
		t.Errorf("%v", got)
	}
	err := Join([]*Error{refused("a", "mend it\nor leave it"), refused("b", ""), refused("c", "mend c"), refused("d", "mend it\nor leave it")})
	if KindOf(err) != Refused || err.Error() != "4 things stand in the way:\n1. a\n2. b\n3. c\n4. d" {
		t.Errorf("%v", err)
	}
	if next := NextOf(err); next != "1, 4. mend it\n   or leave it\n3. mend c" {
		t.Error(next)
	}
}
