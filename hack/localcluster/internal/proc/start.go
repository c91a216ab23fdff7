package proc

import (
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"strconv"
	"strings"
)

// startTime tells two processes apart that had the same number one after the other. On Linux it is
// the boot's id with the start in clock ticks since that boot, elsewhere the date that ps prints.
func startTime(pid int) (string, error) {
	if runtime.GOOS != "linux" {
		out, err := exec.Command("ps", "-o", "lstart=", "-p", strconv.Itoa(pid)).Output()
		return strings.TrimSpace(string(out)), err
	}
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return "", err
	}
	ticks, err := startTicks(string(stat))
	if err != nil {
		return "", fmt.Errorf("process %d: %w", pid, err)
	}
	boot, err := os.ReadFile("/proc/sys/kernel/random/boot_id")
	if err != nil {
		return "", err
	}
	return strings.TrimSpace(string(boot)) + "/" + ticks, nil
}

// startTicks reads field 22 of /proc/PID/stat. A zombie counts as gone: nothing runs, and where
// the first process of a machine does not reap, it stays for ever.
func startTicks(stat string) (string, error) {
	// The command's name is in parentheses and may hold spaces and parentheses itself.
	end := strings.LastIndexByte(stat, ')')
	if end < 0 {
		return "", fmt.Errorf("stat has no command name: %q", stat)
	}
	fields := strings.Fields(stat[end+1:])
	// What follows the name starts with field 3.
	if len(fields) < 20 {
		return "", fmt.Errorf("stat has %d fields after the name, want at least 20", len(fields))
	}
	if fields[0] == "Z" || fields[0] == "X" {
		return "", fmt.Errorf("it has ended")
	}
	return fields[19], nil
}
