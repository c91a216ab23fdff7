package train_test

import (
	"bytes"
	"encoding/json"
	"testing"

	"github.com/kubectl-summarizer/kubectl-summarizer/pkg/train"
)

func TestParseEvent(t *testing.T) {
	for line, want := range map[string]string{
		`{"event":"step","time":"2026-11-25T10:02:00Z","step":55}`:                                 "step",
		"  {\"event\":\"step\",\"time\":\"2026-11-25T10:02:00Z\"}\r\n":                             "step",
		`{"event":"new kind","time":"2026-11-25T10:02:00Z","field":{"that":["is","not","known"]}}`: "new kind",
		`{"event":"step","time":"2026-11-25T10:02:00Z","step":"many","loss":1.5}`:                  "step",
		`{"event":"step"}`:         "",
		`{"time":"now"}`:           "",
		`{"event":7,"time":"now"}`: "",
		`{"event":"step","time":`:  "",
		`{} {"event":"a"}`:         "",
		`Downloading: 100%|####|`:  "",
		`["event","time"]`:         "",
		``:                         "",
	} {
		event, ok := train.ParseEvent([]byte(line))
		if ok != (want != "") || ok && event.Event != want {
			t.Errorf("%q: %q, %v", line, event.Event, ok)
		}
	}
	// One field of another type costs that field alone.
	event, _ := train.ParseEvent([]byte(`{"event":"step","time":"t","step":"many","loss":1.5}`))
	if event.Loss == nil || *event.Loss != 1.5 || event.Step != 0 {
		t.Errorf("got %+v", event)
	}
}

func TestParseResultRefusesAnotherVersion(t *testing.T) {
	for _, document := range []string{`{"version":2}`, `{}`, `{`, `[]`} {
		if _, err := train.ParseResult([]byte(document)); err == nil {
			t.Errorf("%s: accepted", document)
		}
	}
}

// Whatever a container prints, reading it ends well, and an event that is read can be written and read again.
func FuzzParseEvent(f *testing.F) {
	for line := range bytes.Lines(mustRead(f, "testdata/formats/events.jsonl")) {
		f.Add(line)
	}
	f.Add([]byte(`{"event":"result","time":"t","result":{"version":1,"evaluation":{"systems":{"tuned":{"rouge1":[1,2]}}}}}`))
	f.Add([]byte("{\"event\":\"a\",\"time\":\"b\"}\x00"))
	f.Fuzz(func(t *testing.T, line []byte) {
		event, ok := train.ParseEvent(line)
		if !ok {
			return
		}
		if event.Event == "" || event.Time == "" {
			t.Fatalf("%q became %+v", line, event)
		}
		written, err := json.Marshal(event)
		if err != nil {
			t.Fatalf("%q cannot be written: %v", line, err)
		}
		again, ok := train.ParseEvent(written)
		if !ok || again.Event != event.Event || again.Step != event.Step {
			t.Fatalf("%q became %s", line, written)
		}
	})
}
