// Package proc starts, finds and stops background processes by records on disk.
package proc

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"syscall"
	"time"
)

// Record identifies one process beyond its number, which the system uses again.
type Record struct {
	// Pid is the process number.
	Pid int `json:"pid"`
	// Start is when the process began, as the system counts it (see startTime).
	Start string `json:"start"`
	// Args is the command line that it was started with.
	Args []string `json:"args"`
	// Stamp changes with what else it was started from: its configuration files.
	Stamp string `json:"stamp,omitempty"`
}

// Table is the processes of one cluster.
type Table struct {
	// Dir holds NAME.json for each process.
	Dir string
	// Logs holds NAME.log for each process; a restart appends.
	Logs string
}

// Get is the record of a process and whether exactly that process still runs.
func (t Table) Get(name string) (Record, bool) {
	var record Record
	data, err := os.ReadFile(t.path(name))
	if err != nil || json.Unmarshal(data, &record) != nil {
		return record, false
	}
	if dying(record.Pid) {
		// Neither: whoever starts the next one needs what this one still holds.
		record.waitGone(10 * time.Second)
	}
	return record, record.alive()
}

// StartedAt is when a process was last started; zero when it never was.
func (t Table) StartedAt(name string) time.Time {
	info, err := os.Stat(t.path(name))
	if err != nil {
		return time.Time{}
	}
	return info.ModTime()
}

// LogPath is where a process writes.
func (t Table) LogPath(name string) string { return filepath.Join(t.Logs, name+".log") }

// Start runs args in a session of its own and records it. It reports false when the process already
// ran with these args and this stamp; one that runs with others is replaced.
func (t Table) Start(name string, args []string, stamp string) (bool, error) {
	if record, alive := t.Get(name); alive {
		if slices.Equal(record.Args, args) && record.Stamp == stamp {
			return false, nil
		}
		if err := t.Stop(name, 10*time.Second); err != nil {
			return false, err
		}
	}
	log, err := os.OpenFile(t.LogPath(name), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
	if err != nil {
		return false, err
	}
	defer log.Close()
	cmd := exec.Command(args[0], args[1:]...)
	cmd.Stdout, cmd.Stderr = log, log
	cmd.Dir = "/"
	// Its own session, so that neither a closed terminal nor Ctrl-C here ends it.
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	if err := cmd.Start(); err != nil {
		return false, fmt.Errorf("start %s: %w", name, err)
	}
	// Reap it if it dies while this program still waits for the others.
	go func() { _ = cmd.Wait() }()
	start, err := startTime(cmd.Process.Pid)
	if err != nil {
		return false, fmt.Errorf("%s ended at once: see %s", name, t.LogPath(name))
	}
	return true, t.save(name, Record{Pid: cmd.Process.Pid, Start: start, Args: args, Stamp: stamp})
}

// save replaces a record in one step: half of one would leave a process that nobody knows.
func (t Table) save(name string, record Record) error {
	data, err := json.Marshal(record)
	if err != nil {
		return err
	}
	tmp := t.path(name) + ".new"
	if err := os.WriteFile(tmp, data, 0o644); err != nil {
		return err
	}
	return os.Rename(tmp, t.path(name))
}

// Stop ends a process, by SIGTERM and after grace by SIGKILL, and forgets it. A grace of 0 kills
// at once. A recycled process number is left alone.
func (t Table) Stop(name string, grace time.Duration) error {
	if record, alive := t.Get(name); alive {
		if err := record.End(name, grace); err != nil {
			return err
		}
	}
	if err := os.Remove(t.path(name)); err != nil && !os.IsNotExist(err) {
		return err
	}
	return nil
}

// End ends exactly this process, as Stop does; name is for messages.
func (r Record) End(name string, grace time.Duration) error {
	alive := r.alive()
	if alive && grace > 0 {
		if err := syscall.Kill(r.Pid, syscall.SIGTERM); err != nil && !errors.Is(err, syscall.ESRCH) {
			return fmt.Errorf("stop %s (process %d): %w", name, r.Pid, err)
		}
		alive = !r.waitGone(grace)
	}
	if !alive {
		return nil
	}
	if err := syscall.Kill(r.Pid, syscall.SIGKILL); err != nil && !errors.Is(err, syscall.ESRCH) {
		return fmt.Errorf("kill %s (process %d): %w", name, r.Pid, err)
	}
	if !r.waitGone(10 * time.Second) {
		return fmt.Errorf("%s (process %d) does not die: it hangs in the kernel", name, r.Pid)
	}
	return nil
}

func (t Table) path(name string) string { return filepath.Join(t.Dir, name+".json") }

func (r Record) alive() bool {
	if r.Pid <= 1 {
		return false
	}
	start, err := startTime(r.Pid)
	return err == nil && start == r.Start
}

func (r Record) waitGone(limit time.Duration) bool {
	for deadline := time.Now().Add(limit); time.Now().Before(deadline); time.Sleep(20 * time.Millisecond) {
		if !r.alive() {
			return true
		}
	}
	return !r.alive()
}
