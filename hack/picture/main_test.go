package main

import (
	"slices"
	"testing"
)

func TestScreen(t *testing.T) {
	session := "Script started\r\n== a heading\r\n\r\n$ one\r\nloading 1\r\x1b[Kloading 2\r\x1b[Kready\r\n" +
		"curve 1\x1b[K\r\nstep 1\x1b[K\r\x1b[1Acurve 22\x1b[K\r\nstep 2\x1b[K\r\x1b[1A\x1b[Jresult\r\n\r\n== done in 3 s\r\nafter\r\n"
	want := []string{"$ one", "ready", "result", ""}
	if got := screen(session); !slices.Equal(got, want) {
		t.Errorf("%q", got)
	}
}
