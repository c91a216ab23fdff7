package ui

import (
	"math"
	"testing"
	"unicode/utf8"
)

func TestBar(t *testing.T) {
	for _, test := range []struct {
		done, total float64
		width       int
		want        string
	}{
		{0, 10, 12, "│          │"},
		{5, 10, 12, "│█████     │"},
		{5.5, 10, 12, "│█████▌    │"},
		{10, 10, 12, "│██████████│"},
		{20, 10, 12, "│██████████│"},
		{-1, 10, 12, "│          │"},
		{3, 0, 12, "│          │"}, // nobody knows how much there is
		{math.NaN(), 10, 5, "│   │"},
		{1, 3, 0, "│▎│"}, // no room: still a bar
	} {
		got := Bar(test.done, test.total, test.width)
		if got != test.want {
			t.Errorf("%v of %v in %d columns: %q, want %q", test.done, test.total, test.width, got, test.want)
		}
		if n := utf8.RuneCountInString(got); n != max(test.width, 3) {
			t.Errorf("%q is %d columns wide, want %d", got, n, test.width)
		}
	}
}

func TestBytes(t *testing.T) {
	for n, want := range map[int64]string{
		0: "0 B", 999: "999 B", 1000: "1.0 kB", 99_949: "99.9 kB", 269_060_552: "269 MB", 999_949_999: "1000 MB",
		999_950_000: "1.0 GB", 14_500_000_000: "14.5 GB", math.MaxInt64: "9.2 EB",
	} {
		if got := Bytes(n); got != want {
			t.Errorf("%d: %q, want %q", n, got, want)
		}
	}
}
