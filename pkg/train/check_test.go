package train_test

import (
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"

	"github.com/kubectl-summarizer/kubectl-summarizer/pkg/train"
)

func TestObjectsRefuse(t *testing.T) {
	twoNodes := func(o *train.Options) {
		o.Engine, o.Nodes, o.AccessMode = train.EngineTrainJob, 2, corev1.ReadWriteMany
	}
	fourGPUs := func(s *train.Spec) { s.Training.GPUs = 4 }
	for name, c := range map[string]struct {
		spec    func(*train.Spec)
		options func(*train.Options)
		want    string
	}{
		"no namespace":     {nil, func(o *train.Options) { o.Namespace = "" }, "no namespace"},
		"platform":         {nil, func(o *train.Options) { o.Platform = "aks" }, "gke-autopilot, gke-standard, nvidia, eks, custom"},
		"engine":           {nil, func(o *train.Options) { o.Engine = "ray" }, "job, trainjob"},
		"group":            {nil, func(o *train.Options) { o.Group = "two words" }, "cannot be a label"},
		"queue":            {nil, func(o *train.Options) { o.Queue = "a/b" }, "cannot be a label"},
		"memory":           {nil, func(o *train.Options) { o.Memory = "16 GB" }, "memory"},
		"no memory":        {nil, func(o *train.Options) { o.Memory = "0" }, "memory"},
		"volume size":      {nil, func(o *train.Options) { o.VolumeSize = "big" }, "volume size"},
		"cpu":              {nil, func(o *train.Options) { o.CPU = "-1" }, "CPU"},
		"nodes of a Job":   {fourGPUs, func(o *train.Options) { o.Nodes, o.AccessMode = 2, corev1.ReadWriteMany }, "--engine trainjob"},
		"uneven":           {func(s *train.Spec) { s.Training.GPUs, s.Training.EffectiveBatchSize = 3, 24 }, twoNodes, "3 GPUs cannot be shared evenly by 2 nodes"},
		"one node's disk":  {fourGPUs, func(o *train.Options) { twoNodes(o); o.AccessMode = "" }, "ReadWriteMany"},
		"nodes of CPUs":    {func(s *train.Spec) { s.Training.Device, s.Training.GPUs = "cpu", 2 }, twoNodes, "one node"},
		"TrainJob's env":   {fourGPUs, func(o *train.Options) { twoNodes(o); o.EnvFrom = make([]corev1.EnvFromSource, 1) }, "--env-from"},
		"TrainJob's class": {fourGPUs, func(o *train.Options) { twoNodes(o); o.PriorityClass = "high" }, "--priority-class"},
		"TrainJob's life":  {fourGPUs, func(o *train.Options) { twoNodes(o); o.TTLSeconds = new(int32(1)) }, "--ttl"},
		"large data":       {nil, func(o *train.Options) { o.LocalData = make([]byte, train.MaxLocalData+1) }, "pvc://CLAIM/PATH"},
		"no claim":         {nil, func(o *train.Options) { o.DataClaim = "pvc:///x" }, "pvc://CLAIM/PATH"},
		"out of the claim": {nil, func(o *train.Options) { o.DataClaim = "pvc://c/a/../../etc" }, "must stay in the volume"},
		"two sorts":        {nil, func(o *train.Options) { o.DataClaim, o.LocalData = "pvc://c/a", []byte("x") }, "not from both"},
		"password":         {nil, func(o *train.Options) { o.PackageIndex = "https://me:secret@index/simple" }, "--env-from"},
		"specification":    {func(s *train.Spec) { s.LoRA.Rank = 12 }, nil, "lora.rank is 12"},
		"name":             {func(s *train.Spec) { s.Name = "Cookies" }, nil, "name is"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := objectsWith(c.spec, c.options)
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("got %v, want %q", err, c.want)
			}
			if err != nil && strings.Contains(err.Error(), "secret@") {
				t.Error("the message has the password")
			}
		})
	}
}

// The most that is allowed does fit a ConfigMap, which has 1 MiB with its key.
func TestLocalDataFit(t *testing.T) {
	objects, err := objectsWith(nil, func(o *train.Options) { o.LocalData = make([]byte, train.MaxLocalData) })
	if err != nil {
		t.Fatal(err)
	}
	find(t, objects, "ConfigMap", "train-cookies-data")
	if train.MaxLocalData+len("data.tar.gz") > 1<<20 {
		t.Errorf("%d bytes do not fit", train.MaxLocalData)
	}
}

// Everything that is wrong is said at once.
func TestObjectsRefuseAllAtOnce(t *testing.T) {
	_, err := objectsWith(nil, func(o *train.Options) { o.Platform, o.Engine, o.Memory = "aks", "ray", "big" })
	for _, want := range []string{"platform", "engine", "memory"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v does not name %s", err, want)
		}
	}
}
