package main_test

import (
	"encoding/json"
	"strings"
	"testing"
)

type object = map[string]any

// gpuDeployment is what Autopilot accepts; change makes it something else.
func gpuDeployment(t *testing.T, change func(spec, container, selector object)) string {
	t.Helper()
	selector := object{"cloud.google.com/gke-accelerator": "nvidia-l4"}
	container := object{"name": "c", "image": "x", "resources": object{"limits": object{"nvidia.com/gpu": 1, "ephemeral-storage": "1Gi"}}}
	spec := object{"nodeSelector": selector, "containers": []any{container}}
	change(spec, container, selector)
	labels := object{"app": "d"}
	data, err := json.Marshal(object{
		"apiVersion": "apps/v1", "kind": "Deployment", "metadata": object{"name": "d", "namespace": "autopilot"},
		"spec": object{"selector": object{"matchLabels": labels}, "template": object{"metadata": object{"labels": labels}, "spec": spec}},
	})
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

func admission(t *testing.T, p *program) {
	t.Helper()
	p.must("", "create", "namespace", "autopilot")
	p.must("", "label", "namespace", "autopilot", "localcluster/platform=gke-autopilot")
	const strategy, clients = "cloud.google.com/gke-gpu-sharing-strategy", "cloud.google.com/gke-max-shared-clients-per-gpu"
	limits := func(container object) object { return container["resources"].(object)["limits"].(object) }
	for name, test := range map[string]struct {
		change func(spec, container, selector object)
		// refusal is a part of the message; empty where it is accepted.
		refusal string
	}{
		"plain":  {func(_, _, _ object) {}, ""},
		"no GPU": {func(spec, container, _ object) { delete(spec, "nodeSelector"); delete(container, "resources") }, ""},
		"the taint of GPU nodes, without a GPU": {func(spec, container, _ object) {
			spec["tolerations"] = []any{object{"key": "nvidia.com/gpu", "operator": "Exists"}}
			delete(container, "resources")
			delete(spec, "nodeSelector")
		}, "cannot be specified if the pod does not request to use GPU"},
		"no selector":   {func(spec, _, _ object) { delete(spec, "nodeSelector") }, "must select cloud.google.com/gke-accelerator"},
		"compute class": {func(spec, _, _ object) { spec["nodeSelector"] = object{"cloud.google.com/compute-class": "l4"} }, ""},
		"only strategy": {func(_, _, selector object) { selector[strategy] = "time-sharing" }, "select both or neither"},
		"only clients":  {func(_, _, selector object) { selector[clients] = "2" }, "select both or neither"},
		"shared":        {func(_, _, selector object) { selector[strategy], selector[clients] = "time-sharing", "2" }, ""},
		"MPS":           {func(_, _, selector object) { selector[strategy], selector[clients] = "mps", "2" }, "only sharing strategy is time-sharing"},
		"two shared": {func(_, container, selector object) {
			selector[strategy], selector[clients] = "time-sharing", "2"
			limits(container)["nvidia.com/gpu"] = 2
		}, "at most 1 nvidia.com/gpu"},
		"three":        {func(_, container, _ object) { limits(container)["nvidia.com/gpu"] = 3 }, "1, 2, 4 or 8"},
		"no storage":   {func(_, container, _ object) { delete(limits(container), "ephemeral-storage") }, "must request ephemeral-storage"},
		"host IPC":     {func(spec, _, _ object) { spec["hostIPC"] = true }, "hostIPC is not allowed"},
		"host network": {func(spec, _, _ object) { spec["hostNetwork"] = true }, "hostNetwork is not allowed"},
		"host PID":     {func(spec, _, _ object) { spec["hostPID"] = true }, "hostPID is not allowed"},
	} {
		out, err := p.kubectl(gpuDeployment(t, test.change), "apply", "--dry-run=server", "-f", "-")
		switch {
		case test.refusal == "" && err != nil:
			t.Errorf("%s is refused: %s", name, out)
		case test.refusal != "" && err == nil:
			t.Errorf("%s is accepted", name)
		case test.refusal != "" && !strings.Contains(out, test.refusal):
			t.Errorf("%s: want a message with %q, got %s", name, test.refusal, out)
		}
	}
	p.must("", "label", "namespace", "autopilot", "pod-security.kubernetes.io/enforce=restricted")
	out, err := p.kubectl(strings.ReplaceAll(strings.Split(pods, "---")[0], "resources: {limits: {nvidia.com/gpu: 1}}", ""), "apply", "--namespace", "autopilot", "-f", "-")
	if err == nil || !strings.Contains(out, `violates PodSecurity "restricted`) {
		t.Errorf("a pod that is not restricted: %v, %s", err, out)
	}
}
