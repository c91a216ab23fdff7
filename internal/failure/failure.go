// Package failure carries what an error means to the person at the keyboard: which exit
// code the program ends with and what to type next.
package failure

import (
	"context"
	"errors"
	"fmt"
	"strings"
)

// Kind is how a command ended; its number is the process's exit code.
type Kind int

// The exit codes of the program. Scripts rely on them: a number never changes its meaning.
const (
	Failed      Kind = 1   // something was tried and did not work
	Usage       Kind = 2   // the command line is wrong; nothing was tried
	Refused     Kind = 3   // a check said no before anything was changed
	Unhealthy   Kind = 4   // what was asked about is not healthy, or a run failed
	Timeout     Kind = 124 // time ran out
	Interrupted Kind = 130 // the user pressed Ctrl-C
)

// Error is an error with its exit code and its remedy.
type Error struct {
	Kind Kind
	Err  error
	// Next is what to type or do now, one step a line; empty when Err says it all.
	Next string
}

// Error returns the message without the remedy, which is printed on its own lines.
func (e *Error) Error() string { return e.Err.Error() }

// Unwrap gives the cause to errors.Is and errors.As.
func (e *Error) Unwrap() error { return e.Err }

// New returns an error of the given kind with what to do next.
func New(kind Kind, err error, next string) error {
	return &Error{Kind: kind, Err: err, Next: next}
}

// Usagef returns a usage error (exit code 2).
func Usagef(format string, args ...any) error {
	return &Error{Kind: Usage, Err: fmt.Errorf(format, args...)}
}

// Refusedf returns an error of a check that failed before anything was changed (exit code 3).
func Refusedf(next, format string, args ...any) error {
	return &Error{Kind: Refused, Err: fmt.Errorf(format, args...), Next: next}
}

// Failedf returns an error of something that was tried and did not work (exit code 1).
func Failedf(next, format string, args ...any) error {
	return &Error{Kind: Failed, Err: fmt.Errorf(format, args...), Next: next}
}

// Join makes one error of the refusals of several checks, so that all can be mended at
// once. It returns nil when there are none.
func Join(refusals []*Error) error {
	switch len(refusals) {
	case 0:
		return nil
	case 1:
		return refusals[0]
	}
	what := []string{fmt.Sprintf("%d things stand in the way:", len(refusals))}
	var remedies []string
	mends := map[string]string{} // a remedy, and the numbers of what it mends
	for i, r := range refusals {
		what = append(what, fmt.Sprintf("%d. %s", i+1, r.Error()))
		switch numbers, known := mends[r.Next]; {
		case r.Next == "":
		case known:
			mends[r.Next] = fmt.Sprintf("%s, %d", numbers, i+1)
		default:
			mends[r.Next] = fmt.Sprint(i + 1)
			remedies = append(remedies, r.Next)
		}
	}
	next := make([]string, len(remedies))
	for i, remedy := range remedies {
		next[i] = fmt.Sprintf("%s. %s", mends[remedy], strings.ReplaceAll(remedy, "\n", "\n   "))
	}
	return &Error{Kind: Refused, Err: errors.New(strings.Join(what, "\n")), Next: strings.Join(next, "\n")}
}

// KindOf returns the exit code that err stands for. Errors that say nothing themselves are
// Failed, but for an ended context: a deadline is Timeout, a cancellation Interrupted.
func KindOf(err error) Kind {
	var e *Error
	switch {
	case errors.As(err, &e):
		return e.Kind
	case errors.Is(err, context.DeadlineExceeded):
		return Timeout
	case errors.Is(err, context.Canceled):
		return Interrupted
	}
	return Failed
}

// NextOf returns what to do about err, or "" when nothing is known.
func NextOf(err error) string {
	var e *Error
	if errors.As(err, &e) {
		return e.Next
	}
	return ""
}
