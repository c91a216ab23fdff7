package release

import "context"

// until returns what work returns, or the end of ctx: Helm and the REST mapper know no
// context, and a network that hangs must not hold whoever presses Ctrl-C. Work that is left
// goes on unheard, so it must only read.
func until[T any](ctx context.Context, work func() (T, error)) (T, error) {
	type result struct {
		value T
		err   error
	}
	done := make(chan result, 1)
	go func() {
		value, err := work()
		done <- result{value, err}
	}()
	select {
	case r := <-done:
		return r.value, r.err
	case <-ctx.Done():
		var zero T
		return zero, ctx.Err()
	}
}
