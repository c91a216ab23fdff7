package cluster

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// sysctls are the kernel settings that a node needs, and those that loading a module or the kubelet changes
// (an empty value): all are put back by `down`.
var sysctls = map[string]string{
	"net/ipv4/ip_forward": "1",
	// Replies between two pods of one bridge must pass connection tracking, or a Service's address
	// is not translated back.
	"net/bridge/bridge-nf-call-iptables":  "1",
	"net/bridge/bridge-nf-call-ip6tables": "",
	"net/bridge/bridge-nf-call-arptables": "",
	"vm/overcommit_memory":                "",
	"vm/panic_on_oom":                     "",
	"kernel/panic":                        "",
	"kernel/panic_on_oops":                "",
	"kernel/keys/root_maxkeys":            "",
	"kernel/keys/root_maxbytes":           "",
}

// absent stands for the value of a setting that was not there.
const absent = "absent"

// What the tests replace.
var (
	procSys          = "/proc/sys"
	loadBridgeFilter = func() { _ = exec.Command("modprobe", "br_netfilter").Run() }
)

// readSysctls reads all that `up` may change.
func readSysctls() map[string]string {
	found := map[string]string{}
	for name := range sysctls {
		found[name] = absent
		if data, err := os.ReadFile(filepath.Join(procSys, name)); err == nil {
			found[name] = strings.TrimSpace(string(data))
		}
	}
	return found
}

// setSysctls gives the node what it needs.
func setSysctls() error {
	if _, err := os.Stat(filepath.Join(procSys, "net/bridge")); err != nil {
		// Built in on some kernels, a module on most.
		loadBridgeFilter()
	}
	for name, value := range sysctls {
		if value == "" {
			continue
		}
		if err := os.WriteFile(filepath.Join(procSys, name), []byte(value), 0o644); err != nil {
			return fmt.Errorf("set %s: %w: the node needs it; on a machine that forbids it use --no-node", strings.ReplaceAll(name, "/", "."), err)
		}
	}
	return nil
}

// restoreSysctls puts back what readSysctls found. Those that were absent came with the module, which filters
// every bridge of the machine from then on: it stays, since others may use it by now, and filters none.
func restoreSysctls(before map[string]string) {
	for name, value := range before {
		if value == absent {
			value = "0"
		}
		path := filepath.Join(procSys, name)
		if _, err := os.Stat(path); err == nil {
			_ = os.WriteFile(path, []byte(value), 0o644)
		}
	}
}
