package main

import (
	"bytes"
	"errors"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"
)

// TestMain lets the test binary run as the program itself.
func TestMain(m *testing.M) {
	if os.Getenv("RUN_AS_VLLM") != "" {
		main()
		return
	}
	os.Exit(m.Run())
}

// vllm prepares the program with arguments and an environment of its own.
func vllm(t *testing.T, env []string, args ...string) (*exec.Cmd, *bytes.Buffer) {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	command := exec.Command(self, args...)
	command.Env = append([]string{"RUN_AS_VLLM=1", "PATH=/nowhere"}, env...)
	var stderr bytes.Buffer
	command.Stderr = &stderr
	return command, &stderr
}

func code(err error) int {
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		return exit.ExitCode()
	}
	return 0
}

func TestPlayedCrash(t *testing.T) {
	command, stderr := vllm(t, []string{"VLLM_SIM_EXIT_CODE=7", "VLLM_SIM_EXIT_MESSAGE=kv-cache", "VLLM_SIM_STARTUP_SECONDS=5", "VLLM_SIM_CRASH_AFTER_SECONDS=0.3"}, "serve", "m")
	start := time.Now()
	err := command.Run()
	if took := time.Since(start); code(err) != 7 || took < 300*time.Millisecond || took > 3*time.Second {
		t.Errorf("exit code %d after %s", code(err), took)
	}
	if !strings.Contains(stderr.String(), "ValueError: No available memory for the cache blocks.") {
		t.Error(stderr)
	}
}

func TestStartupIsSlowAndEndsOnSIGTERM(t *testing.T) {
	command, stderr := vllm(t, []string{"VLLM_SIM_STARTUP_SECONDS=30"}, "serve", "m")
	if err := command.Start(); err != nil {
		t.Fatal(err)
	}
	time.Sleep(500 * time.Millisecond)
	if err := command.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	start := time.Now()
	if err := command.Wait(); err != nil || time.Since(start) > 5*time.Second {
		t.Errorf("%v after %s\n%s", err, time.Since(start), stderr)
	}
}

func TestExitCodes(t *testing.T) {
	for want, args := range map[int][]string{
		2: {"serve", "m", "--bogus-flag", "3"},
		1: {"serve", "m", "--config", "none.yaml"},
		0: {"serve", "--help"},
	} {
		command, stderr := vllm(t, nil, args...)
		if err := command.Run(); code(err) != want {
			t.Errorf("%v: exit code %d, want %d\n%s", args, code(err), want, stderr)
		}
	}
	command, stderr := vllm(t, nil, "serve", t.TempDir())
	if err := command.Run(); code(err) != 1 || !strings.Contains(stderr.String(), "ValueError: Invalid repository ID or local directory specified") {
		t.Errorf("an empty model directory: exit code %d\n%s", code(err), stderr)
	}
	command, stderr = vllm(t, nil, "serve", "m", "--bogus-flag", "3")
	_ = command.Run()
	if lines := strings.Split(strings.TrimSpace(stderr.String()), "\n"); lines[len(lines)-1] != "vllm: error: unrecognized arguments: --bogus-flag 3" {
		t.Errorf("last line %q", lines[len(lines)-1])
	}
	if command, _ = vllm(t, nil, "bench"); code(command.Run()) != 2 {
		t.Error("a verb that is not there is accepted")
	}
}
