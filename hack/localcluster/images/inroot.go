package images

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// inRootScript runs its arguments inside a root directory, in a mount namespace of its own: the
// mounts are gone with the process, whatever ends it.
const inRootScript = `set -e
root=$1 work=$2
shift 2
mount --bind "$work" "$root/mnt"
mount -t proc proc "$root/proc"
mount --rbind /dev "$root/dev"
mount --rbind /sys "$root/sys"
mount -t tmpfs tmpfs "$root/tmp"
exec chroot "$root" "$@"`

// InRoot prepares a command that runs in an image's root directory with workDir at /mnt. It needs root.
func InRoot(ctx context.Context, root, workDir string, args ...string) *exec.Cmd {
	unshare := []string{"--mount", "--propagation", "private", "sh", "-c", inRootScript, "sh", root, workDir}
	cmd := exec.CommandContext(ctx, "unshare", append(unshare, args...)...)
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
