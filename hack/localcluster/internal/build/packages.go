package build

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
)

// Plugins is where Debian puts the CNI plugins (upstream's own packages use /opt/cni/bin).
const Plugins = "/usr/lib/cni"

// needs are the programs that a real node runs, with the Debian package of each.
var needs = []struct{ program, pkg string }{
	{"containerd", "containerd"},
	{"runc", "runc"},
	{Plugins + "/bridge", "containernetworking-plugins"},
	{"nft", "nftables"},
	{"ip", "iproute2"},
	{"mount", "mount"},
}

// missing are the needs that are not met.
func missing() (programs, packages []string) {
	for _, need := range needs {
		if _, err := exec.LookPath(need.program); err != nil {
			programs = append(programs, need.program)
			packages = append(packages, need.pkg)
		}
	}
	return programs, packages
}

// EnsurePackages installs the Debian packages that a real node needs, after saying which.
func EnsurePackages(ctx context.Context, log io.Writer) error {
	programs, packages := missing()
	if len(packages) == 0 {
		return nil
	}
	if _, err := exec.LookPath("apt-get"); err != nil {
		return fmt.Errorf("a real node needs %s: install them with this system's package manager, or use --no-node", strings.Join(programs, ", "))
	}
	fmt.Fprintf(log, "installing the Debian packages %s\n", strings.Join(packages, ", "))
	for _, args := range [][]string{
		{"update", "-qq"},
		append([]string{"install", "-y", "-qq", "--no-install-recommends"}, packages...),
	} {
		cmd := exec.CommandContext(ctx, "apt-get", args...)
		cmd.Env = append(os.Environ(), "DEBIAN_FRONTEND=noninteractive")
		if out, err := cmd.CombinedOutput(); err != nil {
			return fmt.Errorf("apt-get %s: %w\n%s", args[0], err, out)
		}
	}
	if programs, _ = missing(); len(programs) > 0 {
		return fmt.Errorf("%s still missing after apt-get install", strings.Join(programs, ", "))
	}
	return nil
}
