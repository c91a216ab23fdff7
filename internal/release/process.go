package release

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"
	"syscall"
)

// processLabel names the process that wrote a record, so that whoever finds it in progress
// on the same machine can tell at once whether that process still lives.
const processLabel = labelPrefix + "process"

// process returns this process as "PLACE.PID", "" where the system does not tell the place.
func process() string {
	if place := place(); place != "" {
		return place + "." + strconv.Itoa(os.Getpid())
	}
	return ""
}

// place identifies what a process number is unique in: one boot of one machine, and there
// one namespace of process numbers. Host names would not do: laptops share them. Only
// Linux tells; elsewhere a record in progress is waited for.
func place() string {
	boot, err := os.ReadFile("/proc/sys/kernel/random/boot_id")
	if err != nil {
		return ""
	}
	namespace, err := os.Readlink("/proc/self/ns/pid")
	if err != nil {
		return ""
	}
	sum := sha256.Sum256([]byte(string(boot) + namespace))
	return fmt.Sprintf("%x", sum[:8])
}

// gone says whether the process called name, as process returns it, is known to have ended.
func gone(name string) bool {
	at, number, found := strings.Cut(name, ".")
	pid, err := strconv.Atoi(number)
	if !found || err != nil || at != place() {
		return false
	}
	p, err := os.FindProcess(pid)
	if err != nil {
		return false
	}
	return errors.Is(p.Signal(syscall.Signal(0)), os.ErrProcessDone)
}
