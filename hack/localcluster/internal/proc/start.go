package proc

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
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
	ticks, err := startTicks(string(stat), threadsLeft(pid))
	if err != nil {
		return "", fmt.Errorf("process %d: %w", pid, err)
	}
	boot, err := os.ReadFile("/proc/sys/kernel/random/boot_id")
	if err != nil {
		return "", err
	}
	return strings.TrimSpace(string(boot)) + "/" + ticks, nil
}

// threadsLeft says whether a thread of the process has not ended. The first one is a zombie while others
// still hold what the process had open, its ports among it.
func threadsLeft(pid int) bool {
	files, err := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/stat", pid))
	if err != nil {
		return false
	}
	for _, file := range files {
		if stat, err := os.ReadFile(file); err == nil && !ended(string(stat)) {
			return true
		}
	}
	return false
}

// dying says whether the first thread has ended and others have not.
func dying(pid int) bool {
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	return err == nil && ended(string(stat)) && threadsLeft(pid)
}

// ended reads the state of a process or thread from its stat file.
func ended(stat string) bool {
	fields := strings.Fields(stat[strings.LastIndexByte(stat, ')')+1:])
	return len(fields) > 0 && (fields[0] == "Z" || fields[0] == "X")
}

// startTicks reads field 22 of /proc/PID/stat. A zombie without living threads counts as gone: nothing runs,
// and where the first process of a machine does not reap, it stays for ever.
func startTicks(stat string, threads bool) (string, error) {
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
	if ended(stat) && !threads {
		return "", fmt.Errorf("it has ended")
	}
	return fields[19], nil
}
