package train

import (
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	"k8s.io/apimachinery/pkg/util/validation"
)

// MaxLocalData is how many bytes Options.LocalData may have: a ConfigMap takes 1 MiB with its names.
const MaxLocalData = 1<<20 - 4096

// check returns an error with everything about the options that cannot be; they have their defaults.
func (o *Options) check(s *Spec) error {
	var problems []error
	refuse := func(format string, args ...any) { problems = append(problems, fmt.Errorf(format, args...)) }
	if o.Namespace == "" {
		refuse("no namespace is named")
	}
	for _, choice := range []struct {
		what, value string
		allowed     []string
	}{
		{"platform", o.Platform, []string{GKEAutopilot, GKEStandard, NVIDIANodes, EKSNodes, CustomNodes}},
		{"engine", o.Engine, []string{EngineJob, EngineTrainJob}},
	} {
		if !slices.Contains(choice.allowed, choice.value) {
			refuse("%s %q is not known: use one of %s", choice.what, choice.value, strings.Join(choice.allowed, ", "))
		}
	}
	for what, label := range map[string]string{"group": o.Group, "queue": o.Queue} {
		if wrong := validation.IsValidLabelValue(label); len(wrong) > 0 {
			refuse("%s %q cannot be a label: %s", what, label, wrong[0])
		}
	}
	for what, quantity := range map[string]string{"CPU": o.CPU, "memory": o.Memory, "volume size": o.VolumeSize} {
		if q, err := resource.ParseQuantity(quantity); quantity != "" && (err != nil || q.Sign() <= 0) {
			refuse("%s %q is no amount: write it like 500m, 16Gi", what, quantity)
		}
	}
	o.checkNodes(s, refuse)
	o.checkData(refuse)
	if index, err := url.Parse(o.PackageIndex); err != nil {
		refuse("package index: %w", err)
	} else if index.User != nil {
		refuse("the package index has a password in its address, which would be readable in the Job: " +
			"put PIP_INDEX_URL into a Secret and name that with --env-from")
	}
	return errors.Join(problems...)
}

func (o *Options) checkNodes(s *Spec, refuse func(string, ...any)) {
	if o.Nodes > 1 && o.Engine != EngineTrainJob {
		refuse("%d nodes need --engine trainjob: a Job trains on one", o.Nodes)
	}
	if o.Nodes > 1 && o.AccessMode != corev1.ReadWriteMany {
		refuse("%d nodes need a volume that all of them can write: a storage class and an access mode ReadWriteMany", o.Nodes)
	}
	if o.Nodes < 1 || s.Training.GPUs%max(o.Nodes, 1) != 0 {
		refuse("%d GPUs cannot be shared evenly by %d nodes", s.Training.GPUs, o.Nodes)
	}
	if o.Nodes > 1 && s.Training.Device == "cpu" {
		refuse("training on CPUs takes one node, not %d", o.Nodes)
	}
	if o.Engine != EngineTrainJob {
		return
	}
	for what, is := range map[string]bool{
		"sources of variables (--env-from)":   len(o.EnvFrom) > 0,
		"a priority class (--priority-class)": o.PriorityClass != "",
		"a time to live (--ttl)":              o.TTLSeconds != nil,
	} {
		if is {
			refuse("a TrainJob has no place for %s: leave it out, or use --engine job", what)
		}
	}
}

func (o *Options) checkData(refuse func(string, ...any)) {
	if len(o.LocalData) > MaxLocalData {
		refuse("the data are %d bytes, and %d is the most that travels with a run: "+
			"put them on a volume (--data pvc://CLAIM/PATH), in a bucket (gs://, s3://) or on the Hub (hf://datasets/)", len(o.LocalData), MaxLocalData)
	}
	if o.DataClaim == "" {
		return
	}
	if len(o.LocalData) > 0 {
		refuse("data come from this machine or from the claim %s, not from both", o.DataClaim)
	}
	if _, _, err := ParseDataClaim(o.DataClaim); err != nil {
		refuse("%w", err)
	}
}

// ParseDataClaim takes pvc://CLAIM/PATH apart; an empty path is the whole volume.
func ParseDataClaim(uri string) (claim, path string, err error) {
	rest, is := strings.CutPrefix(uri, "pvc://")
	claim, path, _ = strings.Cut(rest, "/")
	if !is || len(validation.IsDNS1123Subdomain(claim)) > 0 {
		return "", "", fmt.Errorf("data %q is no claim: write it like pvc://CLAIM/PATH", uri)
	}
	if slices.Contains(strings.Split(path, "/"), "..") {
		return "", "", fmt.Errorf("data %q: the path must stay in the volume", uri)
	}
	return claim, path, nil
}
