package doctor

import (
	"testing"

	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	storagev1 "k8s.io/api/storage/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/util/intstr"
	"k8s.io/apimachinery/pkg/version"
	fakediscovery "k8s.io/client-go/discovery/fake"
)

const (
	l4     = gkeAccelerator + "=nvidia-l4"
	latest = gkeDriver + "=latest"
)

func autoscaler() *corev1.ConfigMap {
	return &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Namespace: "kube-system", Name: "cluster-autoscaler-status"}}
}

func taint(n *corev1.Node) {
	n.Spec.Taints = []corev1.Taint{{Key: "team", Value: "ml", Effect: corev1.TaintEffectNoSchedule}}
}

func quotaOf(resources ...string) *corev1.ResourceQuota {
	q := &corev1.ResourceQuota{ObjectMeta: metav1.ObjectMeta{Namespace: "ml", Name: "team"}}
	q.Status.Hard, q.Status.Used = corev1.ResourceList{}, corev1.ResourceList{}
	for i := 0; i < len(resources); i += 3 {
		name := corev1.ResourceName(resources[i])
		q.Status.Hard[name], q.Status.Used[name] = resource.MustParse(resources[i+1]), resource.MustParse(resources[i+2])
	}
	return q
}

func class(name, provisioner string, isDefault bool, binding storagev1.VolumeBindingMode) *storagev1.StorageClass {
	c := &storagev1.StorageClass{ObjectMeta: metav1.ObjectMeta{Name: name, Annotations: map[string]string{}}, Provisioner: provisioner, VolumeBindingMode: &binding}
	if isDefault {
		c.Annotations[defaultClass] = "true"
	}
	return c
}

func egressPolicy(name string, pods map[string]string, rules ...networkingv1.NetworkPolicyEgressRule) *networkingv1.NetworkPolicy {
	return &networkingv1.NetworkPolicy{ObjectMeta: metav1.ObjectMeta{Namespace: "ml", Name: name}, Spec: networkingv1.NetworkPolicySpec{
		PodSelector: metav1.LabelSelector{MatchLabels: pods}, PolicyTypes: []networkingv1.PolicyType{networkingv1.PolicyTypeEgress}, Egress: rules,
	}}
}

func port(n int) []networkingv1.NetworkPolicyPort {
	at := intstr.FromInt(n)
	return []networkingv1.NetworkPolicyPort{{Port: &at}}
}

func TestCluster(t *testing.T) {
	limits := &corev1.LimitRange{ObjectMeta: metav1.ObjectMeta{Namespace: "ml", Name: "small"}, Spec: corev1.LimitRangeSpec{Limits: []corev1.LimitRangeItem{
		{Type: corev1.LimitTypeContainer, Max: corev1.ResourceList{"memory": resource.MustParse("4Gi")}},
	}}}
	internet := networkingv1.NetworkPolicyEgressRule{Ports: port(443), To: []networkingv1.NetworkPolicyPeer{{IPBlock: &networkingv1.IPBlock{CIDR: "0.0.0.0/0"}}}}
	tests := map[string]struct {
		objects []runtime.Object
		change  func(*Subject)
		want    expect
	}{
		"version": {nil, nil, expect{"cluster", Pass, "Kubernetes v1.35.2-gke.100", ""}},
		"old version": {nil, func(s *Subject) {
			discovery, _ := s.Client.Discovery().(*fakediscovery.FakeDiscovery)
			discovery.FakedServerVersion = &version.Info{GitVersion: "v1.28.9"}
		}, expect{"cluster", Fail, "Kubernetes v1.28.9: the chart needs 1.29.0 or newer", "upgrade"}},
		"namespace":    {[]runtime.Object{namespace()}, nil, expect{"namespace", Pass, "ml", ""}},
		"no namespace": {nil, nil, expect{"namespace", Fail, "namespace ml does not exist", "kubectl create namespace ml --context lab\n"}},
		"namespace unseen": {nil, func(s *Subject) { forbid(s, "get", "namespaces") },
			expect{"namespace", Skipped, "you may not look at namespace ml", ""}},

		"no GPU":        {[]runtime.Object{node("n", 0)}, nil, expect{"gpu-nodes", Fail, "no node has an NVIDIA GPU, and nothing in this cluster adds nodes", "helm install gpu-operator"}},
		"no GPU on GKE": {[]runtime.Object{node("n", 0, gkePool+"=p")}, nil, expect{"gpu-nodes", Fail, "no node has", "--machine-type g2-standard-8 --accelerator type=nvidia-l4,count=1,gpu-driver-version=latest"}},
		"Autopilot":     {[]runtime.Object{node("gk3-n", 0)}, nil, expect{"gpu-nodes", Pass, "GKE Autopilot adds one when a pod asks", ""}},
		"GPU pool at 0": {[]runtime.Object{node("n", 0), autoscaler()}, nil, expect{"gpu-nodes", Warn, "the cluster autoscaler adds one only if it has a pool of nodes with nvidia-l4", "if it has no GPU node pool"}},
		"GPUs free":     {[]runtime.Object{node("a", 4, l4, latest), node("b", 2, l4, latest), holder("p", "a", 1)}, nil, expect{"gpu-nodes", Pass, "2 nodes with 6 GPUs (nvidia-l4), 5 free", ""}},
		"GPUs in use":   {[]runtime.Object{node("a", 1, l4, latest), holder("p", "a", 1)}, nil, expect{"gpu-nodes", Warn, "1 node with 1 GPU (nvidia-l4), all in use", "kubectl get pods -A"}},
		"pods unseen":   {[]runtime.Object{node("a", 1, l4, latest)}, func(s *Subject) { forbid(s, "list", "pods") }, expect{"gpu-nodes", Pass, "how many are free is not known", ""}},
		"nodes unseen":  {nil, func(s *Subject) { forbid(s, "list", "nodes") }, expect{"gpu-nodes", Skipped, "you may not list nodes", ""}},
		"outside GKE": {[]runtime.Object{node("a", 1, gfdProduct+"=NVIDIA-L4")}, nil,
			expect{"gpu-nodes", Fail, "1 node with 1 GPU (nvidia-l4), 1 free; none has the labels that the pods ask for: cloud.google.com/gke-accelerator=nvidia-l4, cloud.google.com/gke-gpu-driver-version=latest", "elsewhere: --platform custom"}},
		"outside GKE, told so": {[]runtime.Object{node("a", 1, gfdProduct+"=NVIDIA-L4-SHARED")}, func(s *Subject) { install(t, s, map[string]any{"platform": "custom"}) },
			expect{"gpu-nodes", Pass, "1 node with 1 GPU (nvidia-l4), 1 free", ""}},
		"other GPU":               {[]runtime.Object{node("a", 1, gkePool+"=p", gkeAccelerator+"=nvidia-tesla-t4", latest)}, nil, expect{"gpu-nodes", Fail, "none has the labels", "--accelerator nvidia-tesla-t4\nor add nodes: gcloud"}},
		"other GPU, one may come": {[]runtime.Object{node("a", 1, gkePool+"=p", gkeAccelerator+"=nvidia-tesla-t4"), autoscaler()}, nil, expect{"gpu-nodes", Warn, "the cluster autoscaler adds one only if", "--accelerator nvidia-tesla-t4"}},
		"other GPU, Autopilot":    {[]runtime.Object{node("gk3-a", 1, gkeAccelerator+"=nvidia-tesla-t4")}, nil, expect{"gpu-nodes", Pass, "GKE Autopilot adds one that has when a pod asks for it", ""}},
		"GKE Standard":            {[]runtime.Object{node("a", 1, gkePool+"=p", l4, gkeDriver+"=default")}, nil, expect{"gpu-nodes", Fail, "none has the labels", "--platform gke-standard"}},
		"tainted":                 {[]runtime.Object{changed(node("a", 1, l4, latest), taint)}, nil, expect{"gpu-nodes", Fail, "have the taint team=ml:NoSchedule", "train: --toleration team=ml:NoSchedule"}},
		"tolerated": {[]runtime.Object{changed(node("a", 1, l4, latest), taint)}, func(s *Subject) {
			install(t, s, map[string]any{"tolerations": []any{map[string]any{"key": "team", "operator": "Exists"}}})
		}, expect{"gpu-nodes", Pass, "1 node with 1 GPU", ""}},
		"NVIDIA's own taint": {[]runtime.Object{changed(node("a", 1, l4, latest), func(n *corev1.Node) {
			n.Spec.Taints = []corev1.Taint{{Key: "nvidia.com/gpu", Value: "present", Effect: corev1.TaintEffectNoSchedule}}
		})}, nil, expect{"gpu-nodes", Pass, "1 node", ""}},
		"some tainted": {[]runtime.Object{node("a", 1, l4, latest), changed(node("b", 1, l4, latest), taint)}, nil, expect{"gpu-nodes", Warn, "1 node with 1 GPU (nvidia-l4), 1 free; of no use: b (a taint that the pods do not tolerate)", "describe node b"}},
		"cordoned":     {[]runtime.Object{changed(node("a", 1, l4, latest), func(n *corev1.Node) { n.Spec.Unschedulable = true })}, nil, expect{"gpu-nodes", Fail, "not ready or are cordoned: a", "describe node a"}},
		"no device plugin": {[]runtime.Object{node("a", 0, l4, latest)}, nil,
			expect{"gpu-nodes", Fail, "driver or device plugin does not run on a", "spec.nodeName=a --context lab\nif there are none: helm install gpu-operator"}},

		"driver of GFD":       {[]runtime.Object{node("a", 1, gfdDriver+"=580")}, nil, expect{"gpu-driver", Pass, "driver R580", ""}},
		"old driver":          {[]runtime.Object{node("a", 1, gfdDriver+"=535")}, nil, expect{"gpu-driver", Fail, "driver R535 on a: vLLM v0.32.0 needs R580 or newer", "VLLM_ENABLE_CUDA_COMPATIBILITY"}},
		"some old":            {[]runtime.Object{node("a", 1, gfdDriver+"=580"), node("b", 1, gfdDriverOld+"=570")}, nil, expect{"gpu-driver", Warn, "driver R570 on b", "helm upgrade --install gpu-operator"}},
		"GKE latest":          {[]runtime.Object{node("a", 1, l4, latest)}, nil, expect{"gpu-driver", Pass, `GKE 1.35's driver "latest", which is R580 or newer`, ""}},
		"GKE default":         {[]runtime.Object{node("a", 1, l4, gkeDriver+"=default")}, nil, expect{"gpu-driver", Pass, `"default", which is R580`, ""}},
		"GKE default, old":    {[]runtime.Object{changed(node("a", 1, l4, gkePool+"=p", gkeDriver+"=default"), func(n *corev1.Node) { n.Status.NodeInfo.KubeletVersion = "v1.33.4-gke.1" })}, nil, expect{"gpu-driver", Fail, `GKE 1.33's driver "default", which is R535 on a: vLLM v0.32.0 needs R580`, "gpu-driver-version=latest"}},
		"driver not said":     {[]runtime.Object{node("a", 1, l4)}, nil, expect{"gpu-driver", Skipped, "no label says which driver", ""}},
		"vLLM before CUDA 13": {nil, func(s *Subject) { s.Image = "reg.example:5000/vllm:v0.19.1" }, expect{"gpu-driver", Pass, "vLLM v0.19.1 needs no driver of CUDA 13", ""}},
		"digest":              {[]runtime.Object{node("a", 1, gfdDriver+"=535")}, func(s *Subject) { s.Image = "reg.example:5000/vllm@sha256:0123" }, expect{"gpu-driver", Fail, "driver R535 on a: vLLM needs R580 or newer", "driver"}},
		"driver, no GPU":      {[]runtime.Object{node("n", 0)}, nil, expect{"gpu-driver", Skipped, "no node has a GPU yet", ""}},

		"not shared":       {[]runtime.Object{node("a", 1, l4)}, nil, expect{"gpu-sharing", Pass, "no GPU is shared", ""}},
		"strategy alone":   {[]runtime.Object{node("a", 1, l4, gkeStrategy+"=time-sharing")}, nil, expect{"gpu-sharing", Fail, "without cloud.google.com/gke-max-shared-clients-per-gpu", "max-shared-clients-per-gpu=2"}},
		"clients alone":    {[]runtime.Object{node("a", 1, l4, gkeClients+"=2")}, nil, expect{"gpu-sharing", Fail, "without cloud.google.com/gke-gpu-sharing-strategy", "time-sharing"}},
		"too many clients": {[]runtime.Object{node("a", 1, l4, gkeStrategy+"=mps", gkeClients+"=49")}, nil, expect{"gpu-sharing", Fail, "GKE takes 2 to 48", "gcloud"}},
		"time-sharing":     {[]runtime.Object{node("a", 1, l4, gkeStrategy+"=time-sharing", gkeClients+"=2")}, nil, expect{"gpu-sharing", Warn, "time-sharing, 2 pods a GPU", "--sharing time-sharing --clients 2"}},
		"time-slicing":     {[]runtime.Object{node("a", 4, gfdStrategy+"=time-slicing", gfdReplicas+"=4")}, nil, expect{"gpu-sharing", Warn, "time-slicing, 4 pods a GPU", "--clients 4"}},
		"MPS":              {[]runtime.Object{node("a", 1, l4, gkeStrategy+"=mps", gkeClients+"=3")}, nil, expect{"gpu-sharing", Warn, "MPS, 3 pods a GPU", "hostIPC"}},
		"share taken":      {[]runtime.Object{node("a", 4, gfdStrategy+"=time-slicing", gfdReplicas+"=4")}, func(s *Subject) { s.Sharing, s.Clients = "time-sharing", 4 }, expect{"gpu-sharing", Pass, "the release takes its share", ""}},
		"another share":    {[]runtime.Object{node("a", 1, l4, gkeStrategy+"=mps", gkeClients+"=3")}, func(s *Subject) { s.Sharing, s.Clients = "mps", 2 }, expect{"gpu-sharing", Warn, "MPS, 3 pods a GPU", "--sharing mps --clients 3"}},
		"clients not told": {[]runtime.Object{node("a", 1, l4, gfdStrategy+"=mps", gfdReplicas+"=-1")}, nil, expect{"gpu-sharing", Warn, "the node does not say how many", "--clients N"}},
		"MIG":              {[]runtime.Object{node("a", 1, gkePartition+"=1g.10gb")}, nil, expect{"gpu-sharing", Pass, "MIG", ""}},

		"nothing grows": {[]runtime.Object{node("n", 0)}, nil, expect{"node-autoscaling", Pass, "nothing that adds nodes can be seen", ""}},
		"autoscaler":    {[]runtime.Object{node("n", 0, gkePool+"=p"), autoscaler()}, nil, expect{"node-autoscaling", Pass, "the cluster autoscaler adds nodes. The cloud's own limit on GPUs is not visible in the cluster: gcloud compute regions describe", ""}},
		"Karpenter":     {[]runtime.Object{node("n", 0)}, func(s *Subject) { serve(s, "karpenter.sh/v1 nodepools") }, expect{"node-autoscaling", Pass, "Karpenter adds nodes", ""}},
		"autoscaler unseen": {[]runtime.Object{node("n", 0)}, func(s *Subject) { forbid(s, "get", "configmaps") },
			expect{"node-autoscaling", Skipped, "you may not see whether nodes are added", ""}},

		"no quota":        {nil, nil, expect{"quota", Pass, "no quota and no limit range", ""}},
		"GPU quota":       {[]runtime.Object{quotaOf("requests.nvidia.com/gpu", "4", "3", "pods", "10", "2")}, nil, expect{"quota", Pass, "1 of 4 left for requests.nvidia.com/gpu", ""}},
		"GPU quota full":  {[]runtime.Object{quotaOf("requests.nvidia.com/gpu", "4", "4")}, nil, expect{"quota", Fail, "quota team has 0 of 4 left for requests.nvidia.com/gpu, and it asks for 1", "describe resourcequota,limitrange -n ml --context lab"}},
		"memory quota":    {[]runtime.Object{quotaOf("requests.memory", "8Gi", "7Gi")}, nil, expect{"quota", Fail, "1Gi of 8Gi left for requests.memory", "describe"}},
		"limit too small": {[]runtime.Object{limits}, nil, expect{"quota", Fail, "limit range small allows a container 4Gi of memory", "limitrange"}},

		"no class":    {nil, nil, expect{"storage", Warn, "there is no StorageClass", "--claim"}},
		"classes":     {[]runtime.Object{class("rwo", "pd.csi.storage.gke.io", true, "WaitForFirstConsumer"), class("rwx", "filestore.csi.storage.gke.io", false, "Immediate")}, nil, expect{"storage", Pass, "2 classes, default rwo", ""}},
		"no default":  {[]runtime.Object{class("rwo", "ebs.csi.aws.com", false, "WaitForFirstConsumer")}, nil, expect{"storage", Warn, "no default StorageClass", "--storage-class rwo"}},
		"too early":   {[]runtime.Object{class("rwo", "ebs.csi.aws.com", true, "Immediate")}, nil, expect{"storage", Warn, "the default class rwo makes a volume before it knows the pod's zone", "WaitForFirstConsumer"}},
		"two default": {[]runtime.Object{class("a", "x", true, "Immediate"), class("b", "y", true, "Immediate")}, nil, expect{"storage", Warn, "several classes are the default", "annotate"}},

		"no level":    {[]runtime.Object{namespace()}, nil, expect{"pod-security", Pass, "no level of its own", ""}},
		"restricted":  {[]runtime.Object{namespace(enforce + "=restricted")}, nil, expect{"pod-security", Pass, "enforces restricted", ""}},
		"wrong level": {[]runtime.Object{namespace(enforce + "=strict")}, nil, expect{"pod-security", Warn, `the level "strict"`, "enforce=restricted"}},
		"MPS in restricted": {[]runtime.Object{namespace(enforce + "=baseline"), node("a", 1, gkeStrategy+"=mps", gkeClients+"=2")}, nil,
			expect{"pod-security", Warn, "need hostIPC", "enforce=privileged --overwrite --context lab"}},

		"no policy":   {nil, nil, expect{"pod-egress", Pass, "no NetworkPolicy in namespace ml", ""}},
		"all denied":  {[]runtime.Object{egressPolicy("deny", nil)}, nil, expect{"pod-egress", Warn, "out of the pods of train (deny) and of the pods of install (deny)", "model.hubEndpoint"}},
		"DNS alone":   {[]runtime.Object{egressPolicy("dns", nil, networkingv1.NetworkPolicyEgressRule{Ports: port(53)})}, nil, expect{"pod-egress", Warn, "(dns)", "describe networkpolicy -n ml"}},
		"denied, let": {[]runtime.Object{egressPolicy("deny", nil), egressPolicy("https", nil, internet)}, nil, expect{"pod-egress", Pass, "", ""}},
		"of others":   {[]runtime.Object{egressPolicy("deny", map[string]string{"app": "x"})}, nil, expect{"pod-egress", Pass, "", ""}},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			s := subject(t, tt.objects...)
			if tt.change != nil {
				tt.change(s)
			}
			s.expects(t, tt.want)
		})
	}
}

func apiService(group, namespace, name, available string) *unstructured.Unstructured {
	return &unstructured.Unstructured{Object: map[string]any{
		"apiVersion": "apiregistration.k8s.io/v1", "kind": "APIService", "metadata": map[string]any{"name": "v1beta1." + group},
		"spec":   map[string]any{"group": group, "service": map[string]any{"namespace": namespace, "name": name}},
		"status": map[string]any{"conditions": []any{map[string]any{"type": "Available", "status": available, "message": "no endpoints"}}},
	}}
}

func register(t *testing.T, s *Subject, services ...*unstructured.Unstructured) {
	t.Helper()
	for _, service := range services {
		if _, err := s.Dynamic.Resource(apiServices).Create(t.Context(), service, metav1.CreateOptions{}); err != nil {
			t.Fatal(err)
		}
	}
}

func TestMetrics(t *testing.T) {
	s := subject(t)
	s.expects(t, expect{"metrics", Warn, "nothing here lets an autoscaler read vLLM's own metrics", "keda.sh"})

	s = subject(t)
	serve(s, "keda.sh/v1alpha1 scaledobjects", "monitoring.googleapis.com/v1 podmonitorings")
	register(t, s, apiService("external.metrics.k8s.io", "keda", "keda-operator-metrics-apiserver", "True"), apiService("metrics.k8s.io", "kube-system", "metrics-server", "True"))
	got := s.expects(t, expect{"metrics", Pass, "an autoscaler can read vLLM's own metrics", ""})
	details := map[string]string{}
	for _, item := range got.Items {
		details[item.Name] = string(item.Result) + " " + item.Detail
	}
	for name, want := range map[string]string{
		"metrics.k8s.io":            "pass CPU and memory, kubectl top: metrics-server (Service kube-system/metrics-server)",
		"custom.metrics.k8s.io":     "skipped vLLM's own metrics by pod: nothing answers",
		"external.metrics.k8s.io":   "pass metrics from elsewhere: KEDA (Service keda/keda-operator-metrics-apiserver)",
		"monitoring.googleapis.com": "pass Google Managed Prometheus (PodMonitoring)",
		"monitoring.coreos.com":     "skipped Prometheus operator (PodMonitor): not installed",
	} {
		if details[name] != want {
			t.Errorf("%s: %q, want %q", name, details[name], want)
		}
	}

	s = subject(t)
	register(t, s, apiService("custom.metrics.k8s.io", "monitoring", "prometheus-adapter", "False"))
	got = s.expects(t, expect{"metrics", Warn, "custom.metrics.k8s.io is registered and does not answer", "kubectl get apiservice --context lab"})
	if item := got.Items[1]; item.Detail != "vLLM's own metrics by pod: prometheus-adapter (Service monitoring/prometheus-adapter), which does not answer: no endpoints" {
		t.Error(item)
	}
}
