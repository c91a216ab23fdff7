package images

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"
)

// step says what is being done and how long it took, because every step here takes seconds.
func step(log io.Writer, what string, do func() error) error {
	fmt.Fprintf(log, "%s ...\n", what)
	start := time.Now()
	if err := do(); err != nil {
		return fmt.Errorf("%s: %w", what, err)
	}
	fmt.Fprintf(log, "%s: %.0f s\n", what, time.Since(start).Seconds())
	return nil
}

// command runs a program and puts the end of what it printed into the error.
func command(ctx context.Context, env []string, name string, args ...string) error {
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Env = append(os.Environ(), env...)
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	if err := cmd.Run(); err != nil {
		lines := strings.Split(strings.TrimSpace(out.String()), "\n")
		tail := strings.Join(lines[max(0, len(lines)-8):], "\n")
		return fmt.Errorf("%s: %w\n%s", filepath.Base(name), err, tail)
	}
	return nil
}

// lock keeps two processes from building the same thing at once: the second waits, then finds it.
func lock(path string, log io.Writer) (unlock func(), err error) {
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return nil, err
	}
	file, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o644)
	if err != nil {
		return nil, err
	}
	if syscall.Flock(int(file.Fd()), syscall.LOCK_EX|syscall.LOCK_NB) != nil {
		fmt.Fprintf(log, "waiting for another process that builds %s\n", strings.TrimSuffix(filepath.Base(path), ".lock"))
		if err := syscall.Flock(int(file.Fd()), syscall.LOCK_EX); err != nil {
			file.Close()
			return nil, fmt.Errorf("lock %s: %w", path, err)
		}
	}
	return func() { file.Close() }, nil
}

// hostPackages are the Debian packages that a build needs, by the file that shows one is there.
var hostPackages = map[string]string{
	"/usr/sbin/debootstrap": "debootstrap",
	"/usr/bin/gcc":          "gcc",
	"/usr/include/stdio.h":  "libc6-dev",
	"/usr/bin/strip":        "binutils",
	"/usr/bin/python3":      "python3",
	"/usr/lib/python3/dist-packages/virtualenv/__init__.py": "python3-virtualenv",
}

// ensureHostPackages installs those of the named packages that are missing with apt, and says so first.
func ensureHostPackages(ctx context.Context, log io.Writer, names ...string) error {
	var missing []string
	for file, name := range hostPackages {
		if _, err := os.Stat(file); err != nil && slices.Contains(names, name) {
			missing = append(missing, name)
		}
	}
	if len(missing) == 0 {
		return nil
	}
	if os.Geteuid() != 0 {
		return fmt.Errorf("the Debian packages %s are missing: install them, or run this as root", strings.Join(missing, " "))
	}
	return step(log, "installing the Debian packages "+strings.Join(missing, " "), func() error {
		env := []string{"DEBIAN_FRONTEND=noninteractive"}
		if err := command(ctx, env, "apt-get", "update"); err != nil {
			return err
		}
		return command(ctx, env, "apt-get", append([]string{"install", "-y", "--no-install-recommends"}, missing...)...)
	})
}

// uvVersion is the installer's version; its wheel on PyPI is one static program.
const uvVersion = "0.13.9"

// EnsureUV puts uv into a virtual environment of its own under cacheDir and returns the program; pip lies beside it.
func EnsureUV(ctx context.Context, cacheDir string, log io.Writer) (string, error) {
	dir := filepath.Join(cacheDir, "tools", "uv-"+uvVersion)
	uv := filepath.Join(dir, "bin", "uv")
	if _, err := os.Stat(uv); err == nil {
		return uv, nil
	}
	if err := ensureHostPackages(ctx, log, "python3", "python3-virtualenv"); err != nil {
		return "", err
	}
	err := step(log, "installing uv "+uvVersion+" from PyPI", func() error {
		if err := command(ctx, nil, "/usr/bin/python3", "-m", "virtualenv", "-q", dir); err != nil {
			return err
		}
		return command(ctx, nil, filepath.Join(dir, "bin", "pip"), "install", "-q", "uv=="+uvVersion)
	})
	return uv, err
}
