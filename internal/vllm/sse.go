package vllm

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
)

// maxEvent bounds one event, so that a server gone mad cannot fill the memory.
const maxEvent = 16 << 20

// EventReader reads the data of server-sent events (text/event-stream). Only `data` fields
// matter here; comments, which servers send to keep a connection alive, and all other
// fields are skipped. Lines end in LF or CRLF.
type EventReader struct {
	r     *bufio.Reader
	data  []byte // of the event being read
	line  []byte // of a line longer than the buffer
	begun bool
}

// NewEventReader returns a reader of the events in r.
func NewEventReader(r io.Reader) *EventReader {
	return &EventReader{r: bufio.NewReaderSize(r, 32<<10)}
}

// Next returns the data of the next event, valid until the following call. Several data
// fields of one event are joined by newlines. At the end it returns io.EOF; an event that
// the end cuts off inside a line is dropped.
func (e *EventReader) Next() ([]byte, error) {
	e.data = e.data[:0]
	found := false
	for {
		line, err := e.readLine()
		if err != nil {
			if found && errors.Is(err, io.EOF) {
				return e.data, nil
			}
			return nil, err
		}
		if len(line) == 0 {
			if found {
				return e.data, nil
			}
			continue
		}
		value, isData := dataField(line)
		if !isData {
			continue
		}
		if found {
			e.data = append(e.data, '\n')
		}
		if len(e.data)+len(value) > maxEvent {
			return nil, fmt.Errorf("an event of the stream is larger than %d MiB", maxEvent>>20)
		}
		e.data = append(e.data, value...)
		found = true
	}
}

// readLine returns the next whole line without its end. A last line without an end counts
// as cut off, but for the marker that a stream closes with.
func (e *EventReader) readLine() ([]byte, error) {
	e.line = e.line[:0]
	for {
		part, err := e.r.ReadSlice('\n')
		if err != nil && !errors.Is(err, bufio.ErrBufferFull) {
			if rest := bytes.TrimSpace(part); errors.Is(err, io.EOF) && len(e.line) == 0 && string(rest) == "data: [DONE]" {
				return rest, nil
			}
			return nil, err
		}
		if err == nil && len(e.line) == 0 {
			return e.trim(part), nil
		}
		if len(e.line)+len(part) > maxEvent {
			return nil, fmt.Errorf("a line of the stream is larger than %d MiB", maxEvent>>20)
		}
		e.line = append(e.line, part...)
		if err == nil {
			return e.trim(e.line), nil
		}
	}
}

var byteOrderMark = []byte("\xef\xbb\xbf")

func (e *EventReader) trim(line []byte) []byte {
	if !e.begun {
		e.begun = true
		line = bytes.TrimPrefix(line, byteOrderMark)
	}
	line = bytes.TrimSuffix(line, []byte("\n"))
	return bytes.TrimSuffix(line, []byte("\r"))
}

// dataField returns the value of a line `data: value`, of which one leading space is not part.
func dataField(line []byte) ([]byte, bool) {
	name, value, _ := bytes.Cut(line, []byte(":"))
	if string(name) != "data" {
		return nil, false
	}
	return bytes.TrimPrefix(value, []byte(" ")), true
}
