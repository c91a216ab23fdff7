package cluster

import (
	"fmt"
	"math/rand/v2"
	"net"
	"net/netip"
	"os/exec"
	"strings"
)

// listeners are the ports that a cluster needs.
var listeners = []string{
	"apiserver", "etcd", "etcd-peer", "controller-manager", "scheduler",
	"kubelet", "kubelet-health", "proxy-health", "proxy-metrics", "dns", "dns-health", "hub", "kwok",
}

// Below the ephemeral range (from 32768 on Linux), from which any outgoing connection may take a
// port while its component is down, and below the NodePorts (from 30000).
const firstPort, lastPort = 20000, 29999

// freePorts finds a free TCP and UDP port for each listener.
func freePorts(address string) (map[string]int, error) {
	ports := map[string]int{}
	next := firstPort + rand.IntN(lastPort-firstPort)
	for tried := 0; len(ports) < len(listeners); tried++ {
		if tried > lastPort-firstPort {
			return nil, fmt.Errorf("no %d free ports from %d to %d on %s", len(listeners), firstPort, lastPort, address)
		}
		if free(address, next) && free("127.0.0.1", next) {
			ports[listeners[len(ports)]] = next
		}
		if next++; next > lastPort {
			next = firstPort
		}
	}
	return ports, nil
}

func free(address string, port int) bool {
	where := net.JoinHostPort(address, fmt.Sprint(port))
	listener, err := net.Listen("tcp", where)
	if err != nil {
		return false
	}
	defer listener.Close()
	packets, err := net.ListenPacket("udp", where)
	if err != nil {
		return false
	}
	packets.Close()
	return true
}

// machineIP is the address that the machine uses towards others. Connecting a UDP socket asks the
// routing table and sends nothing.
func machineIP() (string, error) {
	conn, err := net.Dial("udp4", "198.51.100.1:9")
	if err == nil {
		defer conn.Close()
		if ip := conn.LocalAddr().(*net.UDPAddr).IP; !ip.IsLoopback() {
			return ip.String(), nil
		}
	}
	addresses, err := net.InterfaceAddrs()
	if err != nil {
		return "", err
	}
	for _, address := range addresses {
		if ipNet, ok := address.(*net.IPNet); ok && ipNet.IP.To4() != nil && ipNet.IP.IsGlobalUnicast() {
			return ipNet.IP.String(), nil
		}
	}
	return "", fmt.Errorf("this machine has no IPv4 address but the loopback's, and pods need one to reach it by: add a dummy interface, or use --no-node")
}

// usedPrefixes are the networks that the machine has addresses in or routes to.
func usedPrefixes() []netip.Prefix {
	var used []netip.Prefix
	if addresses, err := net.InterfaceAddrs(); err == nil {
		for _, address := range addresses {
			if prefix, err := netip.ParsePrefix(address.String()); err == nil {
				used = append(used, prefix.Masked())
			}
		}
	}
	if out, err := exec.Command("ip", "-4", "route", "show", "table", "all").Output(); err == nil {
		for _, field := range strings.Fields(string(out)) {
			if prefix, err := netip.ParsePrefix(field); err == nil && prefix.Bits() > 0 {
				used = append(used, prefix.Masked())
			}
		}
	}
	return used
}

// freeNetworks picks count /16 networks in 10.0.0.0/8 that overlap none of used, from the top:
// what others take by default lies at the bottom.
func freeNetworks(count int, used []netip.Prefix) ([]string, error) {
	var found []string
	for second := 250; second > 0 && len(found) < count; second-- {
		candidate := netip.PrefixFrom(netip.AddrFrom4([4]byte{10, byte(second), 0, 0}), 16)
		overlaps := false
		for _, prefix := range used {
			overlaps = overlaps || candidate.Overlaps(prefix)
		}
		if !overlaps {
			found = append(found, candidate.String())
		}
	}
	if len(found) < count {
		return nil, fmt.Errorf("no %d free /16 networks in 10.0.0.0/8: this machine has routes to all of it", count)
	}
	return found, nil
}

// addressIn is the nth address of a network.
func addressIn(cidr string, n byte) string {
	prefix := netip.MustParsePrefix(cidr)
	bytes := prefix.Masked().Addr().As4()
	bytes[3] += n
	return netip.AddrFrom4(bytes).String()
}
