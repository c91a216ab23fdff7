package train

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"k8s.io/cli-runtime/pkg/genericiooptions"

	"github.com/kubectl-summarizer/kubectl-summarizer/internal/cli/factory"
	"github.com/kubectl-summarizer/kubectl-summarizer/internal/failure"
	"github.com/kubectl-summarizer/kubectl-summarizer/internal/ui"
)

// parsed are the options of a command line.
func parsed(t *testing.T, args ...string) *options {
	t.Helper()
	streams, in, _, errOut := genericiooptions.NewTestIOStreams()
	in.WriteString("version: 1\nname: from-stdin\nmodel: {id: a/b}\n")
	f := factory.New(streams)
	*f.Config.Namespace = "ml"
	o := &options{f: f, namespace: "ml", steps: &ui.Steps{W: errOut, Now: f.Now}}
	cmd := NewCmd(f)
	cmd.ResetFlags()
	o.flags.addTo(cmd)
	if err := cmd.ParseFlags(args); err != nil {
		t.Fatal(err)
	}
	if positional := cmd.Flags().Args(); len(positional) > 0 {
		o.name = positional[0]
	}
	return o
}

func TestFlagsReachTheSpecification(t *testing.T) {
	o := parsed(t, "cookies", "--model", "org/m-7B@v1", "--rank", "64", "--epochs", "3", "--learning-rate", "1e-4", "--quantization", "qlora",
		"--batch-size", "2", "--eval-engine", "none", "--instruction", "Say it short.", "--rslora", "--wandb-project", "p",
		"--set", "training.warmupRatio=0.1", "--set", "data.limit.train=100", "--set", "model.ignorePatterns=[a, b]", "--set", "tracking.wandb.mode=off",
		"--set", "training.learningRate=2e-5", "--set", "data.revision=123")
	all, err := o.plan()
	if err != nil || len(all) != 1 {
		t.Fatal(err)
	}
	s := all[0].spec
	for what, same := range map[string]bool{
		"name":                     s.Name == "cookies",
		"model":                    s.Model.ID == "org/m-7B" && s.Model.Revision == "v1",
		"rank and alpha":           s.LoRA.Rank == 64 && s.LoRA.Alpha == 128 && s.LoRA.RSLoRA,
		"epochs":                   s.Training.Epochs == 3,
		"--set is stronger":        s.Training.LearningRate == 2e-5,
		"quantization":             s.Training.Quantization == "nf4",
		"what was not given":       s.Training.MaxLength == 1024 && s.Training.EffectiveBatchSize == 16,
		"a number":                 s.Training.WarmupRatio == 0.1 && s.Data.Limit.Train == 100,
		"a list":                   len(s.Model.IgnorePatterns) == 2,
		"off is a text, not false": s.Tracking.WandB.Mode == "off",
		"digits in a text":         s.Data.Revision == "123",
		"instruction":              s.Prompt.Instruction == "Say it short.",
		"size from the name":       all[0].options.WeightsGiB > 12 && all[0].options.WeightsGiB < 15,
	} {
		if !same {
			t.Errorf("%s: %+v", what, s)
		}
	}
}

func TestAFileToBeginWith(t *testing.T) {
	file := filepath.Join(t.TempDir(), "run.yaml")
	text := "version: 1\nname: kept\nmodel: {id: org/m, revision: r}\ntraining: {epochs: 5, seed: 7}\ncluster: {namespace: other, record: x}\nvolume: /workspace\n"
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	all, err := parsed(t, "-f", file, "--epochs", "1").plan()
	if err != nil {
		t.Fatal(err)
	}
	s := all[0].spec
	if s.Name != "kept" || s.Model.Revision != "r" || s.Training.Epochs != 1 || s.Training.Seed != 7 || s.Cluster != nil {
		t.Errorf("%+v", s)
	}
	if all, err = parsed(t, "-f", "-").plan(); err != nil || all[0].spec.Name != "from-stdin" {
		t.Errorf("%v", err)
	}
}

func TestWrongSpecifications(t *testing.T) {
	for _, test := range []struct {
		args []string
		says string
	}{
		{[]string{"--set", "training.nope=1"}, `there is no field "nope" in run.yaml`},
		{[]string{"--set", "training.epochs=many"}, "training.epochs takes a number, not string"},
		{[]string{"--set", "training.saveSteps=1.5"}, "training.saveSteps takes a whole number"},
		{[]string{"--set", "lora.rslora=maybe"}, "lora.rslora takes true or false"},
		{[]string{"--set", "epochs"}, "write it as NAME=VALUE"},
		{[]string{"--rank", "3", "--batch-size", "5"}, "lora.rank is 3: vLLM serves powers of two up to 256\ntraining.effectiveBatchSize is 16: it must be a multiple"},
		{[]string{"--nodes", "2"}, "2 nodes need --engine trainjob"},
		{[]string{"Not_A_Name"}, "name is"},
		{[]string{"-f", "/nowhere"}, "no such file"},
		{[]string{"--data", "pvc://c/p", "--data-revision", "x"}, "--data-revision is for data on the Hub"},
	} {
		_, err := parsed(t, append([]string{"--model", "org/m"}, test.args...)...).plan()
		if err == nil || failure.KindOf(err) != failure.Usage || !strings.Contains(err.Error(), test.says) {
			t.Errorf("%v: %v", test.args, err)
		}
	}
}

func TestWrongFlags(t *testing.T) {
	for _, test := range []struct {
		args []string
		says string
	}{
		{nil, "name a model"},
		{[]string{"--model", "gpt"}, "write ORG/NAME"},
		{[]string{"--model", "a/b@re v"}, "is not a commit, tag or branch"},
		{[]string{"--model", "hf_abcdefghijklmnopqrstuvwxyz0123"}, "a token belongs in a Secret"},
		{[]string{"--model", "a/b", "--image-pull-policy", "Sometimes"}, "use one of Always"},
		{[]string{"--model", "a/b", "--access-mode", "Some"}, "use one of ReadWriteOnce"},
		{[]string{"--model", "a/b", "--hf-secret", "hf_abcdefghijklmnopqrstuvwxyz0123"}, "that is a token"},
		{[]string{"--model", "a/b", "--env-from", "proxy"}, "secret/NAME or configmap/NAME"},
		{[]string{"--model", "a/b", "--toleration", "a:Never"}, "KEY[=VALUE][:EFFECT]"},
		{[]string{"--model", "a/b", "--retries", "-1"}, "must not be negative"},
		{[]string{"--model", "a/b", "--dry-run", "maybe"}, "use none, client or server"},
		{[]string{"--model", "a/b", "-o", "xml"}, "use yaml, json or name"},
		{[]string{"--model", "a/b", "--timeout", "-1s"}, "must not be negative"},
	} {
		err := parsed(t, test.args...).validate()
		if err == nil || failure.KindOf(err) != failure.Usage || !strings.Contains(err.Error(), test.says) {
			t.Errorf("%v: %v", test.args, err)
		}
		if err != nil && strings.Contains(err.Error()+failure.NextOf(err), "hf_abc") {
			t.Errorf("%v: the token is repeated: %v", test.args, err)
		}
	}
}

func TestFlagsReachTheOptions(t *testing.T) {
	o := parsed(t, "--model", "a/b", "--spot", "--gpu-accelerator", "nvidia-a100-80gb", "--platform", "gke-standard", "--node-selector", "a=b,c=d",
		"--toleration", "team=ml:NoSchedule", "--toleration", "any", "--hf-secret", "mine:key", "--wandb-secret", "wb", "--env-from", "secret/proxy",
		"--env-from", "configmap/more", "--ttl", "24h", "--max-time", "90m", "--retries", "1", "--image-pull-secret", "reg")
	if err := o.validate(); err != nil {
		t.Fatal(err)
	}
	all, err := o.plan()
	if err != nil {
		t.Fatal(err)
	}
	p := all[0].options
	for what, same := range map[string]bool{
		"placement":   p.Spot && p.Accelerator == "nvidia-a100-80gb" && p.Platform == "gke-standard" && p.NodeSelector["c"] == "d",
		"tolerations": len(p.Tolerations) == 2 && p.Tolerations[0].Value == "ml" && p.Tolerations[0].Effect == "NoSchedule" && p.Tolerations[1].Operator == "Exists",
		"secrets":     p.HFSecret.Name == "mine" && p.HFSecret.Key == "key" && !p.HFSecret.Optional && p.WandBSecret.Key == wandbKey,
		"env":         len(p.EnvFrom) == 2 && p.EnvFrom[0].SecretRef.Name == "proxy" && p.EnvFrom[1].ConfigMapRef.Name == "more",
		"times":       *p.TTLSeconds == 86400 && *p.ActiveDeadlineSeconds == 5400 && *p.BackoffLimit == 1,
		"registry":    p.ImagePullSecrets[0] == "reg",
		"namespace":   p.Namespace == "ml",
	} {
		if !same {
			t.Errorf("%s: %+v", what, p)
		}
	}
	none, err := parsed(t, "--model", "a/b").flags.options()
	if err != nil || none.HFSecret != defaultHFSecret || none.WandBSecret.Name != "" || none.TTLSeconds != nil {
		t.Errorf("%+v %v", none, err)
	}
	if without, err := parsed(t, "--model", "a/b", "--hf-secret", "").flags.options(); err != nil || without.HFSecret.Name != "" {
		t.Errorf("%+v %v", without, err)
	}
}

// The help is read by people: every flag is in one group, and no line is endless.
func TestHelp(t *testing.T) {
	streams, _, out, _ := genericiooptions.NewTestIOStreams()
	cmd := NewCmd(factory.New(streams))
	cmd.SetOut(out)
	cmd.SetArgs([]string{"--help"})
	if err := cmd.Execute(); err != nil {
		t.Fatal(err)
	}
	for _, title := range []string{"What is trained:", "How it is trained:", "Where it runs:", "Access:", "What this command does:"} {
		if bytes.Count(out.Bytes(), []byte("\n"+title+"\n")) != 1 {
			t.Errorf("%s is not in the help once", title)
		}
	}
	if strings.Count(out.String(), "--batch-size") < 1 || strings.Count(out.String(), "      --rank ") != 1 {
		t.Error("flags are missing or there twice")
	}
}
