package query

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"unicode/utf8"

	"golang.org/x/term"

	"github.com/kubectl-summarizer/kubectl-summarizer/internal/failure"
)

// maxText is more than any served model reads: a million tokens of prose are about 4 MiB.
const maxText = 4 << 20

// readText returns the text to summarize, checked.
func (o *options) readText(ctx context.Context) (string, error) {
	if o.argumentGiven {
		return checkText([]byte(o.argument), "the text")
	}
	if o.file != "" && o.file != "-" {
		file, err := os.Open(o.file)
		if err != nil {
			return "", failure.New(failure.Usage, fmt.Errorf("cannot read the text: %w", err), "")
		}
		defer file.Close()
		return readAll(ctx, file, o.file)
	}
	if in, ok := o.f.Streams.In.(*os.File); ok && !o.inPipe && term.IsTerminal(int(in.Fd())) {
		return "", failure.New(failure.Usage, errors.New("there is no text to summarize"),
			"give it in quotes, as a file (-f FILE), or through a pipe")
	}
	return readAll(ctx, o.f.Streams.In, "the standard input")
}

// readAll reads at most maxText. A pipe that nobody writes to must not outlast a Ctrl-C, so
// the read that cannot be cancelled is left behind.
func readAll(ctx context.Context, r io.Reader, name string) (string, error) {
	type result struct {
		data []byte
		err  error
	}
	done := make(chan result, 1)
	go func() {
		data, err := io.ReadAll(io.LimitReader(r, maxText+1))
		done <- result{data, err}
	}()
	select {
	case <-ctx.Done():
		return "", interrupted()
	case r := <-done:
		if r.err != nil {
			return "", failure.New(failure.Usage, fmt.Errorf("cannot read the text: %w", r.err), "")
		}
		return checkText(r.data, name)
	}
}

var byteOrderMark = []byte("\xef\xbb\xbf")

func checkText(data []byte, name string) (string, error) {
	if len(data) > maxText {
		return "", failure.Refusedf("send it in parts",
			"%s is larger than %d MiB: no model reads that much at once", name, maxText>>20)
	}
	data = bytes.TrimPrefix(data, byteOrderMark)
	if utf16(data) {
		return "", failure.New(failure.Usage, fmt.Errorf("%s is UTF-16 text, not UTF-8", name),
			"convert it: iconv -f UTF-16 -t UTF-8 FILE")
	}
	if at := notText(data); at >= 0 {
		return "", failure.Usagef("%s is not UTF-8 text: byte %d is 0x%02x", name, at+1, data[at])
	}
	if strings.TrimSpace(string(data)) == "" {
		return "", failure.Usagef("%s is empty: there is nothing to summarize", name)
	}
	return string(data), nil
}

func utf16(data []byte) bool {
	return bytes.HasPrefix(data, []byte("\xff\xfe")) || bytes.HasPrefix(data, []byte("\xfe\xff"))
}

// notText returns the place of the first byte that text does not have, or -1.
func notText(data []byte) int {
	for at := 0; at < len(data); {
		r, size := utf8.DecodeRune(data[at:])
		if r == 0 || r == utf8.RuneError && size == 1 {
			return at
		}
		at += size
	}
	return -1
}
