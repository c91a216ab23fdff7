// Command picture draws a recorded demo as an SVG: the commands and what they left on the
// screen, without the lines that were drawn over and the demo's own headings.
//
//	script -qec 'hack/demo.sh' session.txt; go run ./hack/picture <session.txt >docs/demo.svg
package main

import (
	"fmt"
	"html"
	"io"
	"os"
	"regexp"
	"strconv"
	"strings"
	"unicode/utf8"
)

const (
	fontSize   = 14
	lineHeight = 19
	charWidth  = 8.43 // of common monospace fonts at 14 px
	margin     = 16
	columns    = 128
)

func main() {
	data, err := io.ReadAll(os.Stdin)
	if err == nil {
		_, err = io.WriteString(os.Stdout, draw(screen(string(data))))
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "picture:", err)
		os.Exit(1)
	}
}

// screen plays a session as a terminal does, and leaves out the demo's own headings and its cleaning up.
func screen(session string) []string {
	var lines []string
	for _, line := range play(session) {
		line = strings.TrimRight(line, " ")
		switch {
		case strings.HasPrefix(line, "== done"), strings.HasPrefix(line, "== remove"):
			return lines
		case len(lines) == 0 && !strings.HasPrefix(line, "$ "), strings.HasPrefix(line, "== "):
		case line == "" && lines[len(lines)-1] == "":
		default:
			lines = append(lines, wrap(line)...)
		}
	}
	return lines
}

var control = regexp.MustCompile(`^\x1b\[[?]?(\d*)[0-9;]*([A-Za-z])`)

// play returns the lines of a session after the controls that the program uses: carriage return, cursor up, and erase to
// the end of the line or of the screen.
func play(session string) []string {
	t := terminal{lines: [][]rune{nil}}
	for rest := session; rest != ""; {
		if m := control.FindStringSubmatch(rest); m != nil {
			t.control(m[2], m[1])
			rest = rest[len(m[0]):]
			continue
		}
		r, size := utf8.DecodeRuneInString(rest)
		t.put(r)
		rest = rest[size:]
	}
	lines := make([]string, len(t.lines))
	for i, line := range t.lines {
		lines[i] = string(line)
	}
	return lines
}

type terminal struct {
	lines       [][]rune
	row, column int
}

func (t *terminal) control(name, count string) {
	line := &t.lines[t.row]
	switch name {
	case "A":
		n, err := strconv.Atoi(count)
		if err != nil {
			n = 1
		}
		t.row = max(t.row-n, 0)
	case "J":
		t.lines = t.lines[:t.row+1]
		*line = (*line)[:min(t.column, len(*line))]
	case "K":
		*line = (*line)[:min(t.column, len(*line))]
	}
}

func (t *terminal) put(r rune) {
	switch r {
	case '\r':
		t.column = 0
	case '\n':
		t.row, t.column = t.row+1, 0
		if t.row == len(t.lines) {
			t.lines = append(t.lines, nil)
		}
	default:
		line := &t.lines[t.row]
		for len(*line) <= t.column {
			*line = append(*line, ' ')
		}
		(*line)[t.column] = r
		t.column++
	}
}

func wrap(line string) []string {
	runes := []rune(line)
	var parts []string
	for len(runes) > columns {
		parts = append(parts, string(runes[:columns]))
		runes = runes[columns:]
	}
	return append(parts, string(runes))
}

func draw(lines []string) string {
	for len(lines) > 0 && lines[len(lines)-1] == "" {
		lines = lines[:len(lines)-1]
	}
	widest := 60
	for _, line := range lines {
		widest = max(widest, utf8.RuneCountInString(line))
	}
	width, height := int(float64(widest)*charWidth)+2*margin, len(lines)*lineHeight+2*margin
	var b strings.Builder
	fmt.Fprintf(&b, `<svg xmlns="http://www.w3.org/2000/svg" width="%d" height="%d" viewBox="0 0 %[1]d %[2]d">`+"\n", width, height)
	fmt.Fprintf(&b, `<rect width="%d" height="%d" rx="8" fill="#16181d"/>`+"\n", width, height)
	fmt.Fprintf(&b, `<g font-family="ui-monospace,SFMono-Regular,Menlo,Consolas,'DejaVu Sans Mono',monospace" font-size="%d" fill="#d5d8de" xml:space="preserve">`+"\n", fontSize)
	for i, line := range lines {
		colour := ""
		if strings.HasPrefix(line, "$ ") {
			colour = ` fill="#8fd48f" font-weight="bold"`
		}
		if line != "" {
			fmt.Fprintf(&b, `<text x="%d" y="%d"%s>%s</text>`+"\n", margin, margin+(i+1)*lineHeight-5, colour, html.EscapeString(line))
		}
	}
	b.WriteString("</g>\n</svg>\n")
	return b.String()
}
