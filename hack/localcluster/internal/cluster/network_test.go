package cluster

import (
	"net"
	"net/netip"
	"testing"
)

func TestFreeNetworksAvoidWhatIsUsed(t *testing.T) {
	used := []netip.Prefix{netip.MustParsePrefix("10.250.3.0/24"), netip.MustParsePrefix("10.248.0.0/15"), netip.MustParsePrefix("fd00::/64")}
	got, err := freeNetworks(2, used)
	if err != nil {
		t.Fatal(err)
	}
	if got[0] != "10.247.0.0/16" || got[1] != "10.246.0.0/16" {
		t.Errorf("got %v", got)
	}
	if _, err := freeNetworks(1, []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8")}); err == nil {
		t.Error("no error where everything is taken")
	}
}

func TestFreePortsSkipsTakenOnes(t *testing.T) {
	ports, err := freePorts("127.0.0.1")
	if err != nil {
		t.Fatal(err)
	}
	seen := map[int]bool{}
	for _, name := range listeners {
		port := ports[name]
		if port < firstPort || port > lastPort || seen[port] {
			t.Errorf("%s has port %d", name, port)
		}
		seen[port] = true
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	if free("127.0.0.1", listener.Addr().(*net.TCPAddr).Port) {
		t.Error("a port that somebody listens on counts as free")
	}
}

func TestAddressIn(t *testing.T) {
	if got := addressIn("10.9.0.0/16", 10); got != "10.9.0.10" {
		t.Error(got)
	}
}

func TestShapeValidate(t *testing.T) {
	for name, test := range map[string]struct {
		change func(*Shape)
		ok     bool
	}{
		"default":            {func(*Shape) {}, true},
		"shared":             {func(s *Shape) { s.Sharing, s.MaxSharedClients = "time-sharing", 2 }, true},
		"one client":         {func(s *Shape) { s.Sharing, s.MaxSharedClients = "time-sharing", 1 }, false},
		"clients, no mode":   {func(s *Shape) { s.MaxSharedClients = 2 }, false},
		"MIG is no sharing":  {func(s *Shape) { s.Sharing, s.MaxSharedClients = "mig", 2 }, false},
		"negative":           {func(s *Shape) { s.GPUs = -1 }, false},
		"label with a space": {func(s *Shape) { s.Accelerator = "nvidia l4" }, false},
	} {
		shape := DefaultShape()
		test.change(&shape)
		if err := shape.Validate(); (err == nil) != test.ok {
			t.Errorf("%s: %v", name, err)
		}
	}
}
