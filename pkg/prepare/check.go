package prepare

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// check refuses what the platform or the GPU cannot do.
func (r Request) check() error {
	for _, check := range []func() error{r.checkWords, r.checkAccelerator, r.checkSharing, r.checkCapacity} {
		if err := check(); err != nil {
			return err
		}
	}
	return nil
}

func (r Request) checkWords() error {
	for _, choice := range []struct {
		what, value string
		known       []string
	}{
		{"platform", r.Platform, []string{Autopilot, Standard, NVIDIA, EKS, Custom}},
		{"sharing strategy", r.Sharing, []string{None, TimeSharing, MPS, MIG}},
		{"capacity", r.Capacity, []string{OnDemand, Spot, FlexStart}},
	} {
		if !slices.Contains(choice.known, choice.value) {
			return refuse("one of "+strings.Join(choice.known, ", "), "the %s %q is not known", choice.what, choice.value)
		}
	}
	for _, word := range []struct{ what, value string }{
		{"project", r.Project}, {"location", r.Location}, {"cluster", r.Cluster}, {"release", r.Release}, {"namespace", r.Namespace},
	} {
		if word.value != "" && !name().MatchString(word.value) {
			return refuse("letters, digits, '-', '.', '_' and ':'", "the %s %q is no name", word.what, word.value)
		}
	}
	if r.Platform == Autopilot && zone().MatchString(r.Location) {
		return refuse("location "+zone().ReplaceAllString(r.Location, ""), "%s is a zone, and a cluster of GKE Autopilot is in a region", r.Location)
	}
	if r.Nodes < 1 {
		return refuse("1 or more", "%d nodes are none", r.Nodes)
	}
	return nil
}

func (r Request) checkAccelerator() error {
	if r.Platform == Custom {
		return nil
	}
	_, known := machines()[r.Accelerator]
	if r.Platform == NVIDIA && len(r.gpu().Products) > 0 {
		return nil // in whatever machines
	}
	if !known {
		return refuse("one of "+strings.Join(slices.Sorted(maps.Keys(machines())), ", "), "nothing is known of machines with the accelerator %q", r.Accelerator)
	}
	cloud, types := "Google Cloud", r.types()
	if r.Platform == EKS {
		cloud = "Amazon EC2"
	}
	if len(types) == 0 {
		return refuse("another accelerator, or platform eks", "%s has no machines with the %s", cloud, r.gpu().Name)
	}
	if len(types[r.GPUs]) == 0 {
		return refuse(counts(types)+" GPUs", "%s has no machine with %d %s: there are some with %s", cloud, r.GPUs, r.gpu().Name, counts(types))
	}
	return nil
}

func (r Request) checkSharing() error {
	shared := r.Sharing == TimeSharing || r.Sharing == MPS
	switch {
	case shared && (r.Clients < 2 || r.Clients > 48):
		return refuse("2 to 48 clients", "%d clients cannot share a GPU by %s: 2 to 48 can", r.Clients, r.Sharing)
	case !shared && r.Clients > 1:
		return refuse("time-sharing or mps", "%d clients share no GPU by %s", r.Clients, r.Sharing)
	case r.Sharing == MPS && r.Platform == Autopilot:
		return refuse("time-sharing, or platform gke-standard", "GKE Autopilot has no MPS: its clients need hostIPC, which Autopilot does not allow")
	case r.Sharing != MIG && r.Partition != "":
		return refuse("sharing strategy mig", "the partition %s is for MIG, and the sharing strategy is %s", r.Partition, r.Sharing)
	case r.Sharing != MIG:
		return nil
	case r.Platform == Custom:
		if !name().MatchString(r.Partition) {
			return refuse("a profile such as 1g.10gb", "the partition %q is no profile of MIG", r.Partition)
		}
		return nil
	}
	partitions := r.gpu().PartitionNames()
	if len(partitions) == 0 {
		return refuse("time-sharing", "the %s has no MIG: it cannot be cut into parts", r.gpu().Name)
	}
	if !slices.Contains(partitions, r.Partition) {
		return refuse("one of "+strings.Join(partitions, ", "), "the %s has no MIG partition %q", r.gpu().Name, r.Partition)
	}
	return nil
}

func (r Request) checkCapacity() error {
	google := r.Platform == Autopilot || r.Platform == Standard
	switch {
	case r.Capacity == FlexStart && !google:
		return refuse("on-demand or spot", "flex-start is sold by Google Cloud alone")
	case r.Capacity == Spot && !google && r.Platform != EKS:
		return refuse("on-demand", "on platform %s the nodes are there already: how they are paid for is not asked here", r.Platform)
	}
	return nil
}

// spotNote warns where Google does not sell such a machine on demand.
func (r Request) spotNote() []string {
	if r.Capacity != OnDemand || !slices.Contains(r.machine().spotOnly, r.GPUs) {
		return nil
	}
	return []string{fmt.Sprintf("# Google sells machines with %d %s as Spot or flex-start only: expect this to be refused without one of the two.", r.GPUs, r.gpu().Name)}
}
