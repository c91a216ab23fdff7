package train

import (
	"fmt"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/kubectl-summarizer/kubectl-summarizer/pkg/train"
)

// flags are what was typed. Numbers and texts that the specification has too are read from it
// when they were not given: their defaults are the specification's.
type flags struct {
	set *pflag.FlagSet
	// own are the names of this command's flags, without those of every command.
	own map[string]bool

	file   string
	sets   []string
	models []string

	data, dataRevision, dialogueColumn, summaryColumn, instruction string

	epochs, learningRate                                    float64
	maxSteps, rank, alpha, batchSize, effectiveBatch        int
	maxLength, saveSteps, evalSteps                         int
	seed                                                    int64
	rslora                                                  bool
	quantization, gradientCheckpointing, evalEngine, device string
	wandbProject                                            string

	gpus, nodes, retries                   int
	accelerator, platform, queue, engine   string
	spot                                   bool
	nodeSelector                           map[string]string
	tolerations, envFrom, imagePullSecrets []string
	priorityClass, image, pullPolicy       string
	cpu, memory                            string
	volumeSize, storageClass, accessMode   string
	claim, serviceAccount                  string
	hfSecret, wandbSecret, hub, index      string
	ttl, maxTime, timeout                  time.Duration
	resume, detach, skipChecks             bool
	dryRun, output                         string
}

// group is a heading of the help with its flags.
type group struct {
	title string
	flags *pflag.FlagSet
}

func (f *flags) addTo(cmd *cobra.Command) {
	d := train.Default()
	groups := []group{
		{"What is trained:", f.what(&d)},
		{"How it is trained:", f.how(&d)},
		{"Where it runs:", f.where()},
		{"Access:", f.access(&d)},
		{"What this command does:", f.doing()},
	}
	f.set = cmd.Flags()
	f.set.SortFlags = false
	f.own = map[string]bool{}
	for _, g := range groups {
		f.set.AddFlagSet(g.flags)
		g.flags.VisitAll(func(flag *pflag.Flag) { f.own[flag.Name] = true })
	}
	cmd.SetUsageFunc(func(cmd *cobra.Command) error { return usage(cmd, groups) })
}

// usage is cobra's, with the flags in groups: there are too many to be read as one list.
func usage(cmd *cobra.Command, groups []group) error {
	w := cmd.OutOrStderr()
	fmt.Fprintf(w, "Usage:\n  %s\n\nExamples:\n%s\n", cmd.UseLine(), cmd.Example)
	for _, g := range groups {
		fmt.Fprintf(w, "\n%s\n%s", g.title, g.flags.FlagUsages())
	}
	fmt.Fprintf(w, "\nGlobal Flags:\n%s", cmd.InheritedFlags().FlagUsages())
	return nil
}

func newSet() *pflag.FlagSet {
	set := pflag.NewFlagSet("", pflag.ContinueOnError)
	set.SortFlags = false
	return set
}

func (f *flags) what(d *train.Spec) *pflag.FlagSet {
	set := newSet()
	set.StringArrayVar(&f.models, "model", nil, "model on the Hugging Face Hub, as ORG/NAME[@REVISION]; repeat for a run each")
	set.StringVar(&f.data, "data", d.Data.URI, "samsum; a local file or folder; or hf://datasets/ORG/NAME, gs://, s3://, https:// or pvc://CLAIM/PATH")
	set.StringVar(&f.dataRevision, "data-revision", "", "commit, tag or branch of data on the Hub")
	set.StringVar(&f.dialogueColumn, "dialogue-column", d.Data.Columns.Dialogue, "column or field with the dialogue")
	set.StringVar(&f.summaryColumn, "summary-column", d.Data.Columns.Summary, "column or field with the summary")
	set.StringVar(&f.instruction, "instruction", d.Prompt.Instruction, "what is asked of the model, before the dialogue")
	set.StringVarP(&f.file, "filename", "f", "", "run.yaml to begin with, or - for standard input; flags are stronger")
	set.StringArrayVar(&f.sets, "set", nil, "any field of run.yaml, as NAME=VALUE such as training.warmupRatio=0.1; stronger than flags")
	return set
}

func (f *flags) how(d *train.Spec) *pflag.FlagSet {
	set, t := newSet(), &d.Training
	set.Float64Var(&f.epochs, "epochs", t.Epochs, "passes over the training examples")
	set.IntVar(&f.maxSteps, "max-steps", t.MaxSteps, "end after so many steps; 0 goes by --epochs")
	set.Float64Var(&f.learningRate, "learning-rate", t.LearningRate, "highest learning rate")
	set.IntVar(&f.rank, "rank", d.LoRA.Rank, "rank of the adapter")
	set.IntVar(&f.alpha, "alpha", d.LoRA.Alpha, "scale of the adapter; twice the rank when only that is given")
	set.BoolVar(&f.rslora, "rslora", d.LoRA.RSLoRA, "scale by the root of the rank, which helps high ranks")
	set.StringVar(&f.quantization, "quantization", t.Quantization, "nf4 for QLoRA: a third of the memory, slower; bfloat16 when empty")
	set.IntVar(&f.batchSize, "batch-size", t.BatchSize, "examples on a GPU at once")
	set.IntVar(&f.effectiveBatch, "effective-batch-size", t.EffectiveBatchSize, "examples in one step, over all GPUs")
	set.IntVar(&f.maxLength, "max-length", t.MaxLength, "longest dialogue with its summary, in tokens; longer ones are left out and counted")
	set.StringVar(&f.gradientCheckpointing, "gradient-checkpointing", t.GradientCheckpointing, "auto, on or off: less memory for more time")
	set.Int64Var(&f.seed, "seed", t.Seed, "of everything that is drawn by chance")
	set.IntVar(&f.saveSteps, "save-steps", t.SaveSteps, "steps between two checkpoints")
	set.IntVar(&f.evalSteps, "eval-steps", t.EvalSteps, "steps between two looks at the validation loss")
	set.StringVar(&f.evalEngine, "eval-engine", d.Evaluation.Engine, "what judges the result: vllm, transformers or none")
	return set
}

func (f *flags) where() *pflag.FlagSet {
	set := newSet()
	set.StringVar(&f.device, "device", "cuda", "cuda, or cpu for very small models")
	set.IntVar(&f.gpus, "gpus", 1, "GPUs of each run, over all its nodes")
	set.StringVar(&f.accelerator, "gpu-accelerator", "nvidia-l4", "GPU, by GKE's name on every platform")
	set.StringVar(&f.platform, "platform", train.GKEAutopilot, "what places the pods: gke-autopilot, gke-standard, nvidia (GPU operator), eks or custom")
	set.BoolVar(&f.spot, "spot", false, "use Spot nodes, which are cheaper and may be taken away; the run goes on on another")
	set.StringToStringVar(&f.nodeSelector, "node-selector", nil, "more labels of the node, as NAME=VALUE,...")
	set.StringArrayVar(&f.tolerations, "toleration", nil, "taint that is tolerated, as KEY[=VALUE][:EFFECT]; repeat for more")
	set.StringVar(&f.priorityClass, "priority-class", "", "PriorityClass of the pods")
	set.StringVar(&f.queue, "queue", "", "Kueue's LocalQueue to wait in for a GPU")
	set.StringVar(&f.engine, "engine", train.EngineJob, "job, or trainjob (Kubeflow Trainer) for several nodes")
	set.IntVar(&f.nodes, "nodes", 1, "nodes that share the GPUs; more than 1 needs --engine trainjob and --access-mode ReadWriteMany")
	set.StringVar(&f.cpu, "cpu", "", "CPU of the training pod, such as 8; derived when empty")
	set.StringVar(&f.memory, "memory", "", "memory of the training pod, such as 32Gi; derived when empty")
	set.StringVar(&f.image, "image", train.DefaultImage, "image of all pods; it must have what the serving image has")
	set.StringVar(&f.pullPolicy, "image-pull-policy", "IfNotPresent", "Always, IfNotPresent or Never")
	set.StringVar(&f.volumeSize, "volume-size", "", "size of the run's volume, such as 60Gi; derived when empty")
	set.StringVar(&f.storageClass, "storage-class", "", "StorageClass of the volume; the cluster's default when empty")
	set.StringVar(&f.accessMode, "access-mode", "ReadWriteOnce", "access mode of the volume")
	set.StringVar(&f.claim, "claim", "", "existing PersistentVolumeClaim in place of a volume of the run's own")
	set.IntVar(&f.retries, "retries", 3, "how often a failure is tried again; a preemption does not count")
	set.DurationVar(&f.maxTime, "max-time", 0, "end a training that takes longer, such as 12h; 0 lets it run")
	set.DurationVar(&f.ttl, "ttl", 0, "delete the Jobs so long after their end, such as 24h; 0 keeps them. Record and volume stay")
	return set
}

func (f *flags) access(d *train.Spec) *pflag.FlagSet {
	set := newSet()
	set.StringVar(&f.hfSecret, "hf-secret", defaultHFSecret.Name, "Secret with the Hugging Face token, as NAME or NAME:KEY; only the preparation sees it")
	set.StringVar(&f.wandbSecret, "wandb-secret", "", "Secret with the key of Weights & Biases, as NAME or NAME:KEY; only the training sees it")
	set.StringVar(&f.wandbProject, "wandb-project", d.Tracking.WandB.Project, "project in Weights & Biases")
	set.StringArrayVar(&f.imagePullSecrets, "image-pull-secret", nil, "Secret for a private registry; repeat for more")
	set.StringArrayVar(&f.envFrom, "env-from", nil, "variables for the pods, as secret/NAME or configmap/NAME, such as a proxy's; repeat for more")
	set.StringVar(&f.serviceAccount, "service-account", "", "existing ServiceAccount, such as one with Workload Identity for gs://; one of the run's own when empty")
	set.StringVar(&f.hub, "hub-endpoint", "", "another Hugging Face Hub, such as a mirror inside the cluster")
	set.StringVar(&f.index, "package-index", "", "another index of Python packages, without a password in its address")
	return set
}

func (f *flags) doing() *pflag.FlagSet {
	set := newSet()
	set.BoolVar(&f.resume, "resume", false, "go on with the run NAME, which failed or was stopped, from its last checkpoint")
	set.BoolVar(&f.detach, "detach", false, "do not follow the runs")
	set.DurationVar(&f.timeout, "timeout", 0, "how long to follow; the runs go on when the time is over. 0 follows to the end")
	set.BoolVar(&f.skipChecks, "skip-checks", false, "create without asking the cluster first")
	set.StringVar(&f.dryRun, "dry-run", "none", "none, client (print the objects) or server (run the checks, create nothing)")
	set.StringVarP(&f.output, "output", "o", "yaml", "how --dry-run=client prints: yaml, json or name")
	return set
}

func (f *flags) given(name string) bool { return f.set != nil && f.set.Changed(name) }
