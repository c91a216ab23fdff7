package cluster

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

var bridgeFilters = []string{"net/bridge/bridge-nf-call-iptables", "net/bridge/bridge-nf-call-ip6tables", "net/bridge/bridge-nf-call-arptables"}

// fakeSysctls makes a folder of settings; what is not in values is not there. load stands for loading br_netfilter.
func fakeSysctls(t *testing.T, values map[string]string, load func()) {
	t.Helper()
	realDir, realLoad := procSys, loadBridgeFilter
	t.Cleanup(func() { procSys, loadBridgeFilter = realDir, realLoad })
	procSys, loadBridgeFilter = t.TempDir(), load
	for name, value := range values {
		writeSysctl(t, name, value)
	}
}

func writeSysctl(t *testing.T, name, value string) {
	t.Helper()
	path := filepath.Join(procSys, name)
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(value+"\n"), 0o644); err != nil {
		t.Fatal(err)
	}
}

func sysctl(t *testing.T, name string) string {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(procSys, name))
	if err != nil {
		t.Fatal(err)
	}
	return strings.TrimSpace(string(data))
}

// Loading br_netfilter makes the kernel filter every bridge, Docker's and libvirt's among them.
func TestBridgeFilteringEndsWithTheCluster(t *testing.T) {
	for name, test := range map[string]struct{ before, after string }{
		"the module was not loaded": {"", "0"},
		"loaded, and off":           {"0", "0"},
		"loaded, and on":            {"1", "1"},
	} {
		t.Run(name, func(t *testing.T) {
			setFilters := func(value string) {
				for _, name := range bridgeFilters {
					writeSysctl(t, name, value)
				}
			}
			fakeSysctls(t, map[string]string{"net/ipv4/ip_forward": "0", "kernel/panic": "3"}, func() { setFilters("1") })
			if test.before != "" {
				setFilters(test.before)
			}
			before := readSysctls()
			if err := setSysctls(); err != nil {
				t.Fatal(err)
			}
			if sysctl(t, bridgeFilters[0]) != "1" || sysctl(t, "net/ipv4/ip_forward") != "1" {
				t.Error("the node does not get what it needs")
			}
			writeSysctl(t, "kernel/panic", "10") // as the kubelet does
			restoreSysctls(before)
			for _, name := range bridgeFilters {
				if got := sysctl(t, name); got != test.after {
					t.Errorf("%s is %s afterwards, want %s", name, got, test.after)
				}
			}
			if sysctl(t, "net/ipv4/ip_forward") != "0" || sysctl(t, "kernel/panic") != "3" {
				t.Error("other settings are not put back")
			}
		})
	}
}

// What `up` is about to change is written down before it changes.
func TestHostIsRememberedBeforeItChanges(t *testing.T) {
	c := testCluster(t)
	if err := os.MkdirAll(c.State, 0o755); err != nil {
		t.Fatal(err)
	}
	loaded := false
	fakeSysctls(t, map[string]string{"net/ipv4/ip_forward": "0"}, func() {
		loaded = true
		if data, err := os.ReadFile(c.path("config.json")); err != nil || !strings.Contains(string(data), `"`+bridgeFilters[0]+`": "absent"`) {
			t.Errorf("the module is loaded before the machine's state is kept: %v\n%s", err, data)
		}
	})
	// It ends in an error: the setting does not appear.
	if err := c.prepareHost(); err == nil || !loaded {
		t.Errorf("loaded: %v, error %v", loaded, err)
	}
}
