package proc

import (
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

// Running finds processes by the arguments that the system shows of them, recorded or not: on Linux, elsewhere
// none are known.
func Running(wanted func(args []string) bool) []Record {
	files, err := filepath.Glob("/proc/[0-9]*/cmdline")
	if err != nil {
		return nil
	}
	var found []Record
	for _, file := range files {
		pid, err := strconv.Atoi(filepath.Base(filepath.Dir(file)))
		if err != nil {
			continue
		}
		args := arguments(file)
		if len(args) == 0 || !wanted(args) {
			continue
		}
		start, err := startTime(pid)
		// The number may have become another process's in between.
		if err == nil && slices.Equal(arguments(file), args) {
			found = append(found, Record{Pid: pid, Start: start, Args: args})
		}
	}
	return found
}

// arguments reads a process's own. One without any has ended, or is the kernel's.
func arguments(file string) []string {
	data, err := os.ReadFile(file)
	if err != nil || len(data) == 0 {
		return nil
	}
	return strings.Split(strings.TrimSuffix(string(data), "\x00"), "\x00")
}
