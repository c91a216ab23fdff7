package doctor

import (
	"context"
	"fmt"
	"strings"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
)

var apiServices = schema.GroupVersionResource{Group: "apiregistration.k8s.io", Version: "v1", Resource: "apiservices"}

// metricsAPIs are what an autoscaler reads, with what each is good for.
var metricsAPIs = []struct{ group, use string }{
	{"metrics.k8s.io", "CPU and memory, kubectl top"},
	{"custom.metrics.k8s.io", "vLLM's own metrics by pod"},
	{"external.metrics.k8s.io", "metrics from elsewhere"},
}

// adapters are known by the Service that answers.
var adapters = []struct{ part, name string }{
	{"keda", "KEDA"},
	{"stackdriver", "Google's Stackdriver adapter"},
	{"prometheus-adapter", "prometheus-adapter"},
	{"metrics-server", "metrics-server"},
	{"datadog", "Datadog"},
}

// collectors are the kinds by which somebody's metrics are collected, or scaled on.
var collectors = []struct{ group, resource, name string }{
	{"keda.sh", "scaledobjects", "KEDA"},
	{"monitoring.coreos.com", "podmonitors", "Prometheus operator (PodMonitor)"},
	{"monitoring.googleapis.com", "podmonitorings", "Google Managed Prometheus (PodMonitoring)"},
	{"autoscaling.gke.io", "autoscalingmetrics", "GKE AutoscalingMetric"},
}

func (s *Subject) metrics(ctx context.Context) Finding {
	var items []Item
	broken, custom := "", false
	for _, api := range metricsAPIs {
		item, answers, err := s.metricsAPI(ctx, api.group, api.use)
		if err != nil {
			return s.unknown("see which APIs there are", err)
		}
		if item.Result == Warn && answers {
			broken = api.group
		}
		custom = custom || answers && item.Result == Pass && api.group == "custom.metrics.k8s.io"
		items = append(items, item)
	}
	for _, kind := range collectors {
		there, err := s.serves(kind.group, kind.resource)
		if err != nil {
			return s.unknown("see which APIs there are", err)
		}
		item := Item{Name: kind.group, Result: Skipped, Detail: kind.name + ": not installed"}
		if there {
			item.Result, item.Detail = Pass, kind.name
			custom = custom || kind.group == "keda.sh" || kind.group == "autoscaling.gke.io"
		}
		items = append(items, item)
	}
	switch {
	case broken != "":
		return warn("see why: kubectl get apiservice"+s.Target+" | grep "+broken, "%s is registered and does not answer", broken).with(items)
	case !custom:
		return warn("install one of: KEDA (https://keda.sh), prometheus-adapter, on GKE the Custom Metrics Stackdriver Adapter; two for one API cannot stand side by side",
			"nothing here lets an autoscaler read vLLM's own metrics, such as the requests that wait; a fixed number of replicas needs none").with(items)
	}
	return pass("an autoscaler can read vLLM's own metrics, once they are collected").with(items)
}

// metricsAPI says who answers for a group; answers is whether it is registered at all.
func (s *Subject) metricsAPI(ctx context.Context, group, use string) (item Item, answers bool, err error) {
	item = Item{Name: group, Result: Skipped, Detail: use + ": nothing answers"}
	served, err := s.group(group)
	if err != nil {
		return item, false, err
	}
	// A group whose server is down is not in the list of groups: its APIService is there all the same.
	list, err := s.Dynamic.Resource(apiServices).List(ctx, metav1.ListOptions{})
	if err != nil {
		if served != nil {
			item.Result, item.Detail = Pass, use+": something answers; which adapter, you may not see"
		}
		return item, served != nil, nil
	}
	for i := range list.Items {
		if of, _, _ := unstructured.NestedString(list.Items[i].Object, "spec", "group"); of != group {
			continue
		}
		item.Result, item.Detail = Pass, use+": "+adapterOf(&list.Items[i])
		if why := unavailable(&list.Items[i]); why != "" {
			item.Result = Warn
			item.Detail += ", which does not answer: " + why
		}
		return item, true, nil
	}
	return item, false, nil
}

// adapterOf names what answers for an APIService.
func adapterOf(service *unstructured.Unstructured) string {
	name, _, _ := unstructured.NestedString(service.Object, "spec", "service", "name")
	namespace, _, _ := unstructured.NestedString(service.Object, "spec", "service", "namespace")
	at := fmt.Sprintf("Service %s/%s", namespace, name)
	for _, adapter := range adapters {
		if strings.Contains(namespace+"/"+name, adapter.part) {
			return adapter.name + " (" + at + ")"
		}
	}
	return at
}

// unavailable returns why an APIService does not answer, "" when it does.
func unavailable(service *unstructured.Unstructured) string {
	conditions, _, _ := unstructured.NestedSlice(service.Object, "status", "conditions")
	for _, c := range conditions {
		if condition, ok := c.(map[string]any); ok && condition["type"] == "Available" && condition["status"] != "True" {
			return fmt.Sprint(condition["message"])
		}
	}
	return ""
}
