package vllm

import (
	"bytes"
	"errors"
	"io"
	"strings"
	"testing"
	"testing/iotest"
)

func events(r io.Reader) ([]string, error) {
	reader := NewEventReader(r)
	var got []string
	for {
		data, err := reader.Next()
		if err != nil {
			return got, err
		}
		got = append(got, string(data))
	}
}

func TestEventReader(t *testing.T) {
	long := strings.Repeat("x", 100<<10) // longer than the reader's buffer
	for name, c := range map[string]struct {
		stream string
		want   []string
	}{
		"one":                      {"data: a\n\n", []string{"a"}},
		"no space after the colon": {"data:a\n\n", []string{"a"}},
		"one space only is syntax": {"data:  a\n\n", []string{" a"}},
		"CRLF":                     {"data: a\r\n\r\ndata: b\r\n\r\n", []string{"a", "b"}},
		"several lines":            {"data: a\ndata: b\n\n", []string{"a\nb"}},
		"comments and keep-alives": {": keep-alive\n\ndata: a\n: ping\n\n:\n\n", []string{"a"}},
		"other fields":             {"event: x\nid: 1\nretry: 5\ndata: a\n\nevent: y\n\n", []string{"a"}},
		"a field of no value":      {"data\n\ndata: a\n\n", []string{"", "a"}},
		"not quite data":           {"database: a\n\n", nil},
		"byte order mark":          {"\xef\xbb\xbfdata: a\n\n", []string{"a"}},
		"end without a blank line": {"data: a\n\ndata: [DONE]\n", []string{"a", "[DONE]"}},
		"end without a line end":   {"data: a\n\ndata: [DONE]", []string{"a", "[DONE]"}},
		"cut off inside a line":    {"data: a\n\ndata: {\"b\":", []string{"a"}},
		"a long line":              {"data: " + long + "\n\ndata: a\n\n", []string{long, "a"}},
		"nothing":                  {"", nil},
	} {
		t.Run(name, func(t *testing.T) {
			for kind, r := range map[string]io.Reader{
				"whole":        strings.NewReader(c.stream),
				"byte by byte": iotest.OneByteReader(strings.NewReader(c.stream)),
			} {
				got, err := events(r)
				if !errors.Is(err, io.EOF) {
					t.Fatalf("%s: ended with %v", kind, err)
				}
				if strings.Join(got, "|") != strings.Join(c.want, "|") || len(got) != len(c.want) {
					t.Fatalf("%s: got %q, want %q", kind, got, c.want)
				}
			}
		})
	}
}

func TestEventReaderRefusesEndlessEvents(t *testing.T) {
	for name, stream := range map[string]io.Reader{
		"line":  io.MultiReader(strings.NewReader("data: "), endless("x")),
		"event": endless("data: " + strings.Repeat("x", 1<<20) + "\n"),
	} {
		if _, err := events(stream); err == nil || !strings.Contains(err.Error(), "larger than 16 MiB") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestEventReaderGivesTheConnectionsError(t *testing.T) {
	reset := errors.New("connection reset")
	got, err := events(io.MultiReader(strings.NewReader("data: a\n\ndata: b\n"), iotest.ErrReader(reset)))
	if !errors.Is(err, reset) || len(got) != 1 {
		t.Fatalf("got %q, %v", got, err)
	}
}

type endless string

func (e endless) Read(p []byte) (int, error) { return copy(p, e), nil }

// FuzzEventReader: whatever comes, and however it is cut into reads, the events are the same
// and the reader ends.
func FuzzEventReader(f *testing.F) {
	for _, seed := range []string{
		"data: {\"a\":1}\n\ndata: [DONE]\n\n", "data:a\r\ndata: b\r\n\r\n", ": x\n\n\n", "data\n\n", "\xef\xbb\xbfdata: x\n\n", "data: [DONE]", "\r\n\r",
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, stream []byte) {
		whole, err := events(bytes.NewReader(stream))
		if !errors.Is(err, io.EOF) {
			t.Fatalf("ended with %v", err)
		}
		slow, err := events(iotest.OneByteReader(bytes.NewReader(stream)))
		if !errors.Is(err, io.EOF) || strings.Join(whole, "\x00") != strings.Join(slow, "\x00") {
			t.Fatalf("whole %q, byte by byte %q, %v", whole, slow, err)
		}
		for _, event := range whole {
			if len(event) > len(stream) {
				t.Fatalf("event %q of %q", event, stream)
			}
		}
	})
}
