package images

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// inRootScript runs a command inside a root directory, in a mount namespace of its own: the mounts are gone with the
// process, whatever ends it. The root is read-only, as in a pod: it is the cache's. Before "--" come threes: what to
// bind, where, and "ro" or "rw".
const inRootScript = `set -e
root=$1
shift
mount --bind "$root" "$root"
mount -o remount,bind,ro "$root"
mount -t proc proc "$root/proc"
mount --rbind /dev "$root/dev"
mount --rbind /sys "$root/sys"
mount -t tmpfs tmpfs "$root/tmp"
mount -t tmpfs tmpfs "$root/mnt"
while [ "$1" != -- ]; do
  mkdir -p "$root$2"
  mount --bind "$1" "$root$2"
  mount -o "remount,bind,$3" "$root$2"
  shift 3
done
shift
exec chroot "$root" "$@"`

// Bind shows a directory of this machine inside a root.
type Bind struct {
	// Source is the directory, Target its absolute path inside: /mnt, or a folder below it.
	Source, Target string
	ReadOnly       bool
}

// ParseBind reads SOURCE:TARGET or SOURCE:TARGET:ro.
func ParseBind(text string) (Bind, error) {
	rest, readOnly := strings.CutSuffix(text, ":ro")
	source, target, ok := strings.Cut(rest, ":")
	if !ok || target != filepath.Clean(target) || strings.Contains(target, ":") || target != "/mnt" && !strings.HasPrefix(target, "/mnt/") {
		return Bind{}, fmt.Errorf("%q is not SOURCE:TARGET or SOURCE:TARGET:ro with a target in /mnt", text)
	}
	if info, err := os.Stat(source); err != nil || !info.IsDir() {
		return Bind{}, fmt.Errorf("%q is no directory of this machine", source)
	}
	absolute, err := filepath.Abs(source)
	return Bind{absolute, target, readOnly}, err
}

// InRoot prepares a command that runs in an image's root directory with workDir at /mnt. It needs root.
func InRoot(ctx context.Context, root, workDir string, args ...string) *exec.Cmd {
	return InRootWith(ctx, root, []Bind{{Source: workDir, Target: "/mnt"}}, args...)
}

// InRootWith is InRoot with several directories. The command sees the image's environment, not this process's.
func InRootWith(ctx context.Context, root string, binds []Bind, args ...string) *exec.Cmd {
	unshare := []string{"--mount", "--propagation", "private", "sh", "-c", inRootScript, "sh", root}
	for _, b := range binds {
		mode := "rw"
		if b.ReadOnly {
			mode = "ro"
		}
		unshare = append(unshare, b.Source, b.Target, mode)
	}
	cmd := exec.CommandContext(ctx, "unshare", append(append(unshare, "--"), args...)...)
	cmd.Env = append(strings.Fields("HOME=/tmp LANG=C.UTF-8"), vllmCPUConfig.Env...)
	return cmd
}

// Root is the directory with the files of an image that Build has made.
func Root(name, cacheDir string) (string, error) {
	var dir string
	switch name {
	case "vllm-cpu":
		dir = vllmCPUDir(cacheDir)
	case "vllm-sim":
		source, err := sourceDir()
		if err != nil {
			return "", err
		}
		if dir, err = vllmSimDir(source, cacheDir); err != nil {
			return "", err
		}
	default:
		return "", fmt.Errorf("no image %q: it is one of %s", name, strings.Join(Names(), ", "))
	}
	root := filepath.Join(dir, "root")
	if _, err := os.Stat(root); err != nil {
		return "", fmt.Errorf("image %s is not built: run hack/localcluster.sh image %s: %w", name, name, err)
	}
	return root, nil
}
