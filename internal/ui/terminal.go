// Package ui writes to the terminal: a live status line and tables.
package ui

import (
	"io"
	"os"

	"golang.org/x/term"
)

// IsTerminal says whether w is a terminal, and so may be drawn on.
func IsTerminal(w io.Writer) bool {
	file, ok := w.(*os.File)
	return ok && term.IsTerminal(int(file.Fd()))
}

// width returns the columns of the terminal behind w, or 80 when that is unknown.
func width(w io.Writer) int {
	if file, ok := w.(*os.File); ok {
		if columns, _, err := term.GetSize(int(file.Fd())); err == nil && columns > 0 {
			return columns
		}
	}
	return 80
}
