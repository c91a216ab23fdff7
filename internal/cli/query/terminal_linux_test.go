package query_test

import (
	"fmt"
	"os"
	"strings"
	"syscall"
	"testing"
	"time"
	"unsafe"

	"github.com/kubectl-summarizer/kubectl-summarizer/internal/vllm/vllmtest"
)

// openTerminal returns a terminal, and what gives all that was written to it once it is closed.
func openTerminal(t *testing.T) (terminal *os.File, written func() string) {
	t.Helper()
	master, err := os.OpenFile("/dev/ptmx", os.O_RDWR, 0)
	if err != nil {
		t.Skipf("there are no terminals here: %v", err)
	}
	var number, unlocked int32
	for request, value := range map[uintptr]*int32{syscall.TIOCGPTN: &number, syscall.TIOCSPTLCK: &unlocked} {
		if _, _, errno := syscall.Syscall(syscall.SYS_IOCTL, master.Fd(), request, uintptr(unsafe.Pointer(value))); errno != 0 {
			t.Fatal(errno)
		}
	}
	terminal, err = os.OpenFile(fmt.Sprintf("/dev/pts/%d", number), os.O_RDWR|syscall.O_NOCTTY, 0)
	if err != nil {
		t.Fatal(err)
	}
	read := make(chan string)
	go func() {
		var all strings.Builder
		buffer := make([]byte, 4096)
		for {
			n, err := master.Read(buffer) // ends with an error when the terminal is closed
			all.Write(buffer[:n])
			if err != nil {
				read <- all.String()
				return
			}
		}
	}()
	return terminal, func() string {
		terminal.Close()
		defer master.Close()
		return <-read
	}
}

// screen is what stays on a terminal that got this.
func screen(written string) string {
	var lines []string
	for line := range strings.Lines(written) {
		var shown []rune
		at := 0
		for rest := []rune(line); len(rest) > 0; rest = rest[1:] {
			switch {
			case rest[0] == '\r':
				at = 0
			case strings.HasPrefix(string(rest), "\x1b[K"):
				shown, rest = shown[:at], rest[2:]
			case rest[0] != '\n':
				shown = append(shown[:at], append([]rune{rest[0]}, shown[min(at+1, len(shown)):]...)...)
				at++
			}
		}
		lines = append(lines, string(shown))
	}
	return strings.Join(lines, "\n")
}

// TestNothingOfTheWaitIsLeft: on a terminal the line that says what is waited for makes room
// for the answer, in every form of it.
func TestNothingOfTheWaitIsLeft(t *testing.T) {
	for output, want := range map[string]string{"text": "Amanda.", "json": "{\n  \"model\": \"smol\",\n  \"text\": \"Amanda.\","} {
		t.Run(output, func(t *testing.T) {
			t.Parallel()
			server := vllmtest.Start(t)
			server.Pieces, server.Pause = []string{"Amanda."}, 2800*time.Millisecond
			terminal, written := openTerminal(t)
			execute(t, terminal, terminal, "--url", server.URL, "-o", output, dialogue)
			all := written()
			if !strings.Contains(all, "waiting for the first token from "+server.URL) {
				t.Errorf("no word of the wait: %q", all)
			}
			if !strings.HasPrefix(screen(all), want) {
				t.Errorf("on the screen: %q, want %q", screen(all), want)
			}
		})
	}
}
