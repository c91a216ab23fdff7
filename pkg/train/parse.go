package train

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
)

// ParseEvent reads one line of the training program's output; false for a line that is no event.
// Unknown events and fields are no error: a newer program may send them.
func ParseEvent(line []byte) (Event, bool) {
	line = bytes.TrimSpace(line)
	// Nearly all lines that are none are told apart here: a run has many.
	if len(line) == 0 || line[0] != '{' {
		return Event{}, false
	}
	var e Event
	err := json.Unmarshal(line, &e)
	// A field of another type is left at zero, as a field that is not there.
	if mistyped := (*json.UnmarshalTypeError)(nil); err != nil && !errors.As(err, &mistyped) {
		return Event{}, false
	}
	return e, e.Event != "" && e.Time != ""
}

// ParseResult reads a result.json, whole or short.
func ParseResult(data []byte) (Result, error) {
	var r Result
	if err := json.Unmarshal(data, &r); err != nil {
		return Result{}, fmt.Errorf("result.json cannot be read: %w", err)
	}
	if r.Version != ResultVersion {
		return Result{}, fmt.Errorf("result.json has version %d, this program reads %d: use the plugin's version that started the run", r.Version, ResultVersion)
	}
	return r, nil
}
