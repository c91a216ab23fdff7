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
	"strings"
	"unicode/utf8"
)

const (
	fontSize   = 14
	lineHeight = 19
	charWidth  = 8.43 // of common monospace fonts at 14 px
	margin     = 16
	columns    = 118
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

var escapes = regexp.MustCompile(`\x1b\[[0-9;?]*[A-Za-z]`)

// screen plays the two controls that the program uses, carriage return and erase-to-end,
// and wraps what is too long.
func screen(session string) []string {
	var lines []string
	for line := range strings.SplitSeq(strings.ReplaceAll(session, "\r\n", "\n"), "\n") {
		if strings.HasPrefix(line, "Script started") || strings.HasPrefix(line, "Script done") {
			continue
		}
		if i := strings.LastIndexByte(line, '\r'); i >= 0 {
			line = line[i+1:]
		}
		line = strings.TrimRight(escapes.ReplaceAllString(line, ""), " ")
		switch {
		case strings.HasPrefix(line, "== done"):
			return lines
		case len(lines) == 0 && !strings.HasPrefix(line, "$ "), strings.HasPrefix(line, "== "):
		case line == "" && lines[len(lines)-1] == "":
		default:
			lines = append(lines, wrap(line)...)
		}
	}
	return lines
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
