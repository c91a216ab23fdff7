package train_test

import (
	"bytes"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/yaml"

	"github.com/kubectl-summarizer/kubectl-summarizer/pkg/train"
)

// aRun is a run of a model that needs a GPU.
func aRun() train.Spec {
	s := train.Default()
	s.Name, s.Model.ID = "cookies", "mistralai/Mistral-7B-Instruct-v0.3"
	return s
}

// onCPU is a run of the local cluster.
func onCPU() train.Spec {
	s := aRun()
	s.Model.ID = "HuggingFaceTB/SmolLM2-135M-Instruct"
	s.Training.Device = "cpu"
	return s
}

func inNamespace() train.Options {
	return train.Options{
		Namespace:   "ml",
		HFSecret:    train.SecretKey{Name: "hf-secret", Key: "hf_api_token", Optional: true},
		WandBSecret: train.SecretKey{Name: "wandb", Key: "api-key", Optional: true},
	}
}

// variants are runs as people start them; each has a golden file that shows in a review what a change does to it.
var variants = map[string]func() ([]*unstructured.Unstructured, error){
	"default": func() ([]*unstructured.Unstructured, error) { return train.Objects(aRun(), inNamespace()) },
	"spot-queue": func() ([]*unstructured.Unstructured, error) {
		o := inNamespace()
		o.Platform, o.Spot, o.Queue, o.Group = train.GKEStandard, true, "gpus", "cookies"
		o.NodeSelector = map[string]string{"topology.kubernetes.io/zone": "us-central1-a", "pool": "l4"}
		o.PriorityClass, o.StorageClass, o.TTLSeconds = "batch", "premium-rwo", new(int32(86400))
		o.ActiveDeadlineSeconds = new(int64(6 * 3600))
		o.ServiceAccount, o.DataClaim = "trainer", "pvc://dialogues/2026/train.jsonl"
		o.EnvFrom = []corev1.EnvFromSource{{ConfigMapRef: &corev1.ConfigMapEnvSource{LocalObjectReference: corev1.LocalObjectReference{Name: "proxy"}}}}
		s := aRun()
		s.Training.GPUs = 2
		return train.Objects(s, o)
	},
	"cpu-local": func() ([]*unstructured.Unstructured, error) {
		return train.Objects(onCPU(), train.Options{
			Namespace: "default", Platform: train.CustomNodes, LocalData: []byte("dialogues"),
			HubEndpoint: "http://hub.default:8080", PackageIndex: "http://hub.default:8080/simple",
			VolumeSize: "6Gi", Memory: "8Gi", Image: "localhost/vllm-cpu:test", ImagePullSecrets: []string{"registry"},
		})
	},
	"trainjob": func() ([]*unstructured.Unstructured, error) {
		o := inNamespace()
		o.Engine, o.Nodes, o.AccessMode, o.StorageClass = train.EngineTrainJob, 2, corev1.ReadWriteMany, "filestore"
		o.Queue = "gpus"
		s := aRun()
		s.Training.GPUs = 4
		return train.Objects(s, o)
	},
	"publish": func() ([]*unstructured.Unstructured, error) {
		o := inNamespace()
		o.ExistingClaim = "runs"
		return train.PublishJob(aRun(), o, train.Publish{Repo: "team/cookies", Merged: true})
	},
	"probe": func() ([]*unstructured.Unstructured, error) {
		return train.ProbeJob(onCPU(), inNamespace(), train.Probe{
			URL: "http://summarizer.ml:8000", Adapter: "cookies", Base: "HuggingFaceTB/SmolLM2-135M-Instruct",
			Dialogues: []string{"Amanda: I baked cookies.\nJerry: Sure!"},
		})
	},
	"canary": func() ([]*unstructured.Unstructured, error) {
		return train.ProbeJob(onCPU(), inNamespace(), train.Probe{
			URL: "http://summarizer.ml:8000", Adapter: "cookies", Base: "HuggingFaceTB/SmolLM2-135M-Instruct", Examples: 100,
		})
	},
}

func TestGolden(t *testing.T) {
	for name := range variants {
		t.Run(name, func(t *testing.T) {
			golden(t, filepath.Join("testdata", "golden", name+".yaml"), elide(manifests(t, objectsOf(t, name))))
		})
	}
}

func objectsOf(t *testing.T, variant string) []*unstructured.Unstructured {
	t.Helper()
	objects, err := variants[variant]()
	if err != nil {
		t.Fatal(err)
	}
	return objects
}

// manifests are what --dry-run=client -o yaml prints.
func manifests(t *testing.T, objects []*unstructured.Unstructured) []byte {
	t.Helper()
	var all bytes.Buffer
	for _, object := range objects {
		data, err := yaml.Marshal(object)
		if err != nil {
			t.Fatal(err)
		}
		all.WriteString("---\n")
		all.Write(data)
	}
	return all.Bytes()
}

// elide leaves out the program, with every line of which the golden files would change.
func elide(manifests []byte) []byte {
	manifests = regexp.MustCompile(`(?m)^(  trainer\.zip: ).*$`).ReplaceAll(manifests, []byte("$1(program)"))
	return regexp.MustCompile(`(kubectl-summarizer/code-sha256: )[0-9a-f]{64}`).ReplaceAll(manifests, []byte("$1(digest)"))
}

// The API server would drop or refuse what its types do not have.
func TestGoldenIsValid(t *testing.T) {
	for name := range variants {
		for _, object := range objectsOf(t, name) {
			if err := strictly(object); err != nil {
				t.Errorf("%s: %s %s: %v", name, object.GetKind(), object.GetName(), err)
			}
			if strings.Contains(string(manifests(t, []*unstructured.Unstructured{object})), "null") {
				t.Errorf("%s: %s %s has a null", name, object.GetKind(), object.GetName())
			}
		}
	}
}
