package train_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/kubectl-summarizer/kubectl-summarizer/pkg/train"
)

// objectsWith returns the objects of a run, or the error.
func objectsWith(spec func(*train.Spec), options func(*train.Options)) ([]*unstructured.Unstructured, error) {
	s, o := aRun(), inNamespace()
	if spec != nil {
		spec(&s)
	}
	if options != nil {
		options(&o)
	}
	return train.Objects(s, o)
}

func find(t *testing.T, objects []*unstructured.Unstructured, kind, name string) *unstructured.Unstructured {
	t.Helper()
	for _, object := range objects {
		if object.GetKind() == kind && object.GetName() == name {
			return object
		}
	}
	t.Fatalf("there is no %s %s", kind, name)
	return nil
}

// recorded is the specification in the record.
func recorded(t *testing.T, objects []*unstructured.Unstructured) train.Spec {
	t.Helper()
	text, _, _ := unstructured.NestedString(find(t, objects, "ConfigMap", "train-cookies").Object, "data", train.KeySpec)
	spec, err := train.ParseSpec([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return spec
}

func TestObjectsAreInTheOrderInWhichTheyAreNeeded(t *testing.T) {
	var order []string
	for _, object := range objectsOf(t, "cpu-local") {
		order = append(order, object.GetKind()+" "+object.GetName())
	}
	want := "ServiceAccount train-cookies, Role train-cookies, RoleBinding train-cookies, ConfigMap train-cookies, " +
		"ConfigMap train-cookies-code, ConfigMap train-cookies-data, PersistentVolumeClaim train-cookies, " +
		"Job train-cookies, Job train-cookies-prepare"
	if got := strings.Join(order, ", "); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

// The preparation's patch must fit what is there, and the Role must allow it.
func TestPreparationCanStartTheTraining(t *testing.T) {
	for variant, training := range map[string]struct{ kind, group, resource, patch string }{
		"default":    {"Job", "batch", "jobs", `{"spec":{"suspend":false}}`},
		"spot-queue": {"Job", "batch", "jobs", `{"metadata":{"labels":{"kueue.x-k8s.io/queue-name":"gpus"}}}`},
		"trainjob":   {"TrainJob", "trainer.kubeflow.org", "trainjobs", `{"metadata":{"labels":{"kueue.x-k8s.io/queue-name":"gpus"}}}`},
	} {
		objects := objectsOf(t, variant)
		object := find(t, objects, training.kind, "train-cookies")
		start := recorded(t, objects).Cluster.Start
		if want := "/apis/" + object.GetAPIVersion() + "/namespaces/ml/" + training.resource + "/train-cookies"; start.Path != want {
			t.Errorf("%s: the path is %s, want %s", variant, start.Path, want)
		}
		if patch := asJSON(t, start.Patch); patch != training.patch {
			t.Errorf("%s: the patch is %s, want %s", variant, patch, training.patch)
		}
		if suspended, _, _ := unstructured.NestedBool(object.Object, "spec", "suspend"); !suspended {
			t.Errorf("%s: the training does not wait", variant)
		}
		if _, queued := object.GetLabels()[train.LabelQueue]; queued {
			t.Errorf("%s: Kueue would admit the training before it is prepared", variant)
		}
		rules, _, _ := unstructured.NestedSlice(find(t, objects, "Role", "train-cookies").Object, "rules")
		want := `[{"apiGroups":[""],"resourceNames":["train-cookies"],"resources":["configmaps"],"verbs":["get","patch"]},` +
			`{"apiGroups":["` + training.group + `"],"resourceNames":["train-cookies"],"resources":["` + training.resource + `"],"verbs":["get","patch"]}]`
		if got := asJSON(t, rules); got != want {
			t.Errorf("%s: the Role has %s", variant, got)
		}
	}
}

// Each exit code of FORMATS.md, and what the Job makes of it.
func TestFailurePolicy(t *testing.T) {
	formats := string(mustRead(t, "FORMATS.md"))
	job := jobOf(t, find(t, objectsOf(t, "default"), "Job", "train-cookies"))
	for code, want := range map[int32]batchv1.PodFailurePolicyAction{
		1:                     batchv1.PodFailurePolicyActionCount,
		train.ExitRefused:     batchv1.PodFailurePolicyActionFailJob,
		train.ExitMemory:      batchv1.PodFailurePolicyActionFailJob,
		train.ExitDiverged:    batchv1.PodFailurePolicyActionFailJob,
		train.ExitInterrupted: batchv1.PodFailurePolicyActionIgnore,
		137:                   batchv1.PodFailurePolicyActionFailJob,
	} {
		if got := action(job, code, false); got != want {
			t.Errorf("exit code %d: %s, want %s", code, got, want)
		}
		// A preempted pod may have had any exit code.
		if got := action(job, code, true); got != batchv1.PodFailurePolicyActionIgnore {
			t.Errorf("exit code %d of a disrupted pod: %s", code, got)
		}
		if code != 137 && !strings.Contains(formats, "\n| "+itoa(code)+" |") {
			t.Errorf("FORMATS.md has no exit code %d", code)
		}
	}
}

// action is what the Job controller does: the first rule that matches, and otherwise it counts the failure.
func action(job batchv1.Job, code int32, disrupted bool) batchv1.PodFailurePolicyAction {
	for _, rule := range job.Spec.PodFailurePolicy.Rules {
		if len(rule.OnPodConditions) > 0 && disrupted {
			return rule.Action
		}
		if rule.OnExitCodes == nil {
			continue
		}
		for _, value := range rule.OnExitCodes.Values {
			if value == code {
				return rule.Action
			}
		}
	}
	return batchv1.PodFailurePolicyActionCount
}

func TestDataOfTheOptionsReplacesTheSpecifications(t *testing.T) {
	for _, c := range []struct {
		options func(*train.Options)
		want    string
	}{
		{func(o *train.Options) { o.LocalData = []byte("x") }, "/etc/summarizer-data/data.tar.gz"},
		{func(o *train.Options) { o.DataClaim = "pvc://dialogues/2026/train.jsonl" }, "/data/2026/train.jsonl"},
		{func(o *train.Options) { o.DataClaim = "pvc://dialogues" }, "/data"},
		{nil, "samsum"},
	} {
		objects, err := objectsWith(nil, c.options)
		if err != nil {
			t.Fatal(err)
		}
		if got := recorded(t, objects).Data.URI; got != c.want {
			t.Errorf("the data are %s, want %s", got, c.want)
		}
	}
}

func TestPlacement(t *testing.T) {
	l4, latest := "cloud.google.com/gke-accelerator=nvidia-l4", "cloud.google.com/gke-gpu-driver-version=latest"
	for name, c := range map[string]struct {
		spec     func(*train.Spec)
		options  func(*train.Options)
		selector string
		grace    int64
		sure     string
	}{
		"autopilot":        {nil, nil, l4 + " " + latest, 120, "120"},
		"autopilot spot":   {nil, func(o *train.Options) { o.Spot = true }, l4 + " " + latest + " cloud.google.com/gke-spot=true", 25, "25"},
		"standard":         {nil, func(o *train.Options) { o.Platform = train.GKEStandard }, l4, 120, "120"},
		"standard spot":    {nil, func(o *train.Options) { o.Platform, o.Spot = train.GKEStandard, true }, l4 + " cloud.google.com/gke-spot=true", 30, "15"},
		"driver":           {nil, func(o *train.Options) { o.DriverVersion = new("default") }, l4 + " cloud.google.com/gke-gpu-driver-version=default", 120, "120"},
		"GKE's own driver": {nil, func(o *train.Options) { o.DriverVersion = new("") }, l4, 120, "120"},
		"compute class": {nil, func(o *train.Options) {
			o.Spot, o.NodeSelector = true, map[string]string{"cloud.google.com/compute-class": "l4-spot"}
		}, "cloud.google.com/compute-class=l4-spot", 25, "25"},
		"custom": {nil, func(o *train.Options) {
			o.Platform, o.Spot, o.NodeSelector = train.CustomNodes, true, map[string]string{"gpu": "big"}
		}, "gpu=big", 30, "30"},
		"on CPUs":   {func(s *train.Spec) { s.Training.Device = "cpu" }, func(o *train.Options) { o.Spot = true }, "cloud.google.com/gke-spot=true", 25, "25"},
		"own grace": {nil, func(o *train.Options) { o.Spot, o.GracePeriodSeconds = true, 60 }, l4 + " " + latest + " cloud.google.com/gke-spot=true", 60, "60"},
	} {
		t.Run(name, func(t *testing.T) {
			objects, err := objectsWith(c.spec, c.options)
			if err != nil {
				t.Fatal(err)
			}
			pods := podsOf(t, objects)
			if got := sortedPairs(pods[train.ComponentTrain].NodeSelector); got != sortedWords(c.selector) {
				t.Errorf("the training is placed by %s, want %s", got, c.selector)
			}
			if got := pods[train.ComponentPrepare].NodeSelector; len(got) > 0 {
				t.Errorf("the preparation is placed by %v", got)
			}
			if got := *pods[train.ComponentTrain].TerminationGracePeriodSeconds; got != c.grace {
				t.Errorf("the pod has %d s to end, want %d", got, c.grace)
			}
			if got := value(pods[train.ComponentTrain], "TERMINATION_GRACE_SECONDS"); got != c.sure {
				t.Errorf("the program is told of %s s, want %s", got, c.sure)
			}
		})
	}
}

// A training has a GPU of its own: it is kept off what GKE shares, and chosen elsewhere by what platforms call the GPU.
func TestTrainingsKeepOffSharedGPUs(t *testing.T) {
	unshared := "cloud.google.com/gke-gpu-sharing-strategy DoesNotExist []; cloud.google.com/gke-gpu-partition-size DoesNotExist []"
	for name, c := range map[string]struct {
		spec    func(*train.Spec)
		options func(*train.Options)
		want    string
	}{
		"autopilot": {nil, nil, ""},
		"standard":  {nil, func(o *train.Options) { o.Platform = train.GKEStandard }, unshared},
		"a partition": {nil, func(o *train.Options) {
			o.Platform, o.NodeSelector = train.GKEStandard, map[string]string{"cloud.google.com/gke-gpu-partition-size": "3g.20gb"}
		}, "cloud.google.com/gke-gpu-sharing-strategy DoesNotExist []"},
		"a class": {nil, func(o *train.Options) {
			o.Platform, o.NodeSelector = train.GKEStandard, map[string]string{"cloud.google.com/compute-class": "l4"}
		}, ""},
		"nvidia":  {nil, func(o *train.Options) { o.Platform = train.NVIDIANodes }, "nvidia.com/gpu.product In [NVIDIA-L4]"},
		"unknown": {nil, func(o *train.Options) { o.Platform, o.Accelerator = train.NVIDIANodes, "NVIDIA-Quantum" }, "nvidia.com/gpu.product In [NVIDIA-Quantum]"},
		"eks":     {nil, func(o *train.Options) { o.Platform, o.Accelerator = train.EKSNodes, "nvidia-tesla-a100" }, "node.kubernetes.io/instance-type In [p4d.24xlarge]"},
		"custom":  {nil, func(o *train.Options) { o.Platform = train.CustomNodes }, ""},
		"on CPUs": {func(s *train.Spec) { s.Training.Device = "cpu" }, func(o *train.Options) { o.Platform = train.NVIDIANodes }, ""},
	} {
		objects, err := objectsWith(c.spec, c.options)
		if err != nil {
			t.Fatal(err)
		}
		pods := podsOf(t, objects)
		var got []string
		if affinity := pods[train.ComponentTrain].Affinity; affinity != nil {
			for _, term := range affinity.NodeAffinity.RequiredDuringSchedulingIgnoredDuringExecution.NodeSelectorTerms {
				for _, e := range term.MatchExpressions {
					got = append(got, fmt.Sprintf("%s %s %v", e.Key, e.Operator, e.Values))
				}
			}
		}
		if text := strings.Join(got, "; "); text != c.want {
			t.Errorf("%s: placed by %q, want %q", name, text, c.want)
		}
		if pods[train.ComponentPrepare].Affinity != nil {
			t.Errorf("%s: the preparation is placed too", name)
		}
	}
}

func TestTolerations(t *testing.T) {
	for resource, want := range map[string]string{
		"": "nvidia.com/gpu mine", "nvidia.com/gpu.shared": "nvidia.com/gpu.shared nvidia.com/gpu mine", "amd.com/gpu": "amd.com/gpu mine",
	} {
		objects, err := objectsWith(nil, func(o *train.Options) {
			o.GPUResource, o.Tolerations = resource, []corev1.Toleration{{Key: "mine"}}
		})
		if err != nil {
			t.Fatal(err)
		}
		pods := podsOf(t, objects)
		if got := keys(pods[train.ComponentTrain].Tolerations); got != want {
			t.Errorf("%q: the training tolerates %s, want %s", resource, got, want)
		}
		if got := keys(pods[train.ComponentPrepare].Tolerations); got != "mine" {
			t.Errorf("%q: the preparation tolerates %s", resource, got)
		}
	}
}

func keys(tolerations []corev1.Toleration) string {
	var all []string
	for _, toleration := range tolerations {
		all = append(all, toleration.Key)
	}
	return strings.Join(all, " ")
}

// A run that goes on is not given its files again: they are in the cluster.
func TestLocalDataStayMounted(t *testing.T) {
	objects, err := objectsWith(func(s *train.Spec) { s.Data.URI = "/etc/summarizer-data/data.tar.gz" }, nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, volume := range podsOf(t, objects)[train.ComponentPrepare].Volumes {
		if volume.ConfigMap != nil && volume.ConfigMap.Name == "train-cookies-data" {
			return
		}
	}
	t.Error("the preparation has no train-cookies-data")
}

// What the record keeps of the options makes the same objects.
func TestOptionsSurviveTheRecord(t *testing.T) {
	options := inNamespace()
	options.DriverVersion, options.BackoffLimit, options.Spot = new(""), new(int32(0)), true
	options.NodeSelector, options.Tolerations = map[string]string{"a": "b"}, []corev1.Toleration{{Key: "k", Operator: corev1.TolerationOpExists}}
	var again train.Options
	if err := json.Unmarshal([]byte(asJSON(t, options)), &again); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(options, again); diff != "" {
		t.Errorf("(- given, + kept):\n%s", diff)
	}
}
