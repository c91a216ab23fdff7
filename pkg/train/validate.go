package train

import (
	"fmt"
	"path"
	"regexp"
	"slices"
	"strings"
)

// SpecError lists every field of a specification that is wrong, so that all can be mended at once.
type SpecError struct {
	// Problems name the field, its value and what is allowed.
	Problems []string
}

// Error returns all problems in one line.
func (e *SpecError) Error() string { return "run.yaml: " + strings.Join(e.Problems, "; ") }

var runName = regexp.MustCompile(`^[a-z]([-a-z0-9]{0,38}[a-z0-9])?$`)

// Validate returns a *SpecError with every field that is wrong, by the rules of the training program
// (spec.py): testdata/formats/invalid is refused by both.
func (s *Spec) Validate() error {
	c := &checker{}
	c.that(s.Version == SpecVersion, "version is %d: this program reads version %d", s.Version, SpecVersion)
	c.that(runName.MatchString(s.Name), "name is %q: use at most 40 lower-case letters, digits and dashes, a letter first", s.Name)
	c.that(s.Model.ID != "", "model.id is empty: name a model, such as mistralai/Mistral-7B-Instruct-v0.3")
	c.that(path.IsAbs(s.Volume), "volume is %q: it must be an absolute directory", s.Volume)
	c.that(knownURI(s.Data.URI), "data.uri is %q: use samsum, an absolute path, or hf://datasets/, gs://, s3:// or https://", s.Data.URI)
	c.atLeast("data.limit.train", s.Data.Limit.Train, 0)
	c.atLeast("data.limit.validation", s.Data.Limit.Validation, 0)
	c.atLeast("data.limit.test", s.Data.Limit.Test, 0)
	s.LoRA.check(c)
	s.Training.check(c)
	c.oneOf("evaluation.engine", s.Evaluation.Engine, "vllm", "transformers", "none")
	c.oneOf("evaluation.split", s.Evaluation.Split, "test", "validation")
	c.atLeast("evaluation.maxNewTokens", s.Evaluation.MaxNewTokens, 1)
	c.atLeast("evaluation.batchSize", s.Evaluation.BatchSize, 1)
	c.atLeast("evaluation.bootstrapSamples", s.Evaluation.BootstrapSamples, 1)
	c.oneOf("tracking.wandb.mode", s.Tracking.WandB.Mode, "auto", "online", "offline", "off")
	if len(c.problems) > 0 {
		return &SpecError{Problems: c.problems}
	}
	return nil
}

func (l *LoRA) check(c *checker) {
	ranks := []int{1, 2, 4, 8, 16, 32, 64, 128, 256}
	c.that(slices.Contains(ranks, l.Rank), "lora.rank is %d: vLLM serves powers of two up to 256", l.Rank)
	c.atLeast("lora.alpha", l.Alpha, 1)
	c.that(l.Dropout >= 0 && l.Dropout < 1, "lora.dropout is %v: it must be from 0 to less than 1", l.Dropout)
}

func (t *Training) check(c *checker) {
	c.oneOf("training.device", t.Device, "cuda", "cpu")
	c.oneOf("training.quantization", t.Quantization, "", "nf4")
	c.oneOf("training.gradientCheckpointing", t.GradientCheckpointing, "auto", "on", "off")
	c.oneOf("training.packing", t.Packing, "auto", "on", "off")
	c.oneOf("training.attention", t.Attention, "auto", "sdpa", "flash_attention_2", "eager")
	c.atLeast("training.gpus", t.GPUs, 1)
	c.atLeast("training.batchSize", t.BatchSize, 1)
	c.atLeast("training.effectiveBatchSize", t.EffectiveBatchSize, 1)
	c.atLeast("training.logSteps", t.LogSteps, 1)
	c.atLeast("training.saveSteps", t.SaveSteps, 1)
	c.atLeast("training.evalSteps", t.EvalSteps, 1)
	c.atLeast("training.maxLength", t.MaxLength, 16)
	c.atLeast("training.maxSteps", t.MaxSteps, 0)
	c.that(t.Epochs > 0, "training.epochs is %v: it must be more than 0", t.Epochs)
	c.that(t.LearningRate > 0, "training.learningRate is %v: it must be more than 0", t.LearningRate)
	c.that(t.WarmupRatio >= 0 && t.WarmupRatio < 1, "training.warmupRatio is %v: it must be from 0 to less than 1", t.WarmupRatio)
	c.that(t.WeightDecay >= 0, "training.weightDecay is %v: it must be at least 0", t.WeightDecay)
	// NumPy, which is seeded too, takes 32 bits.
	c.that(t.Seed >= 0 && t.Seed < 1<<32, "training.seed is %d: it must be from 0 to 4294967295", t.Seed)
	if each := t.BatchSize * t.GPUs; each > 0 {
		c.that(t.EffectiveBatchSize%each == 0,
			"training.effectiveBatchSize is %d: it must be a multiple of batchSize times gpus, %d", t.EffectiveBatchSize, each)
	}
	c.that(t.Quantization == "" || t.Device != "cpu", "training.quantization nf4 needs a GPU: leave it out with device cpu")
}

func knownURI(uri string) bool {
	if uri == "samsum" || path.IsAbs(uri) {
		return true
	}
	return slices.ContainsFunc([]string{"hf://datasets/", "gs://", "s3://", "https://"}, func(prefix string) bool {
		return strings.HasPrefix(uri, prefix)
	})
}

// checker collects what is wrong.
type checker struct{ problems []string }

func (c *checker) that(holds bool, format string, args ...any) {
	if !holds {
		c.problems = append(c.problems, fmt.Sprintf(format, args...))
	}
}

func (c *checker) atLeast(field string, value, least int) {
	c.that(value >= least, "%s is %d: it must be at least %d", field, value, least)
}

func (c *checker) oneOf(field, value string, allowed ...string) {
	quoted := make([]string, len(allowed))
	for i, a := range allowed {
		quoted[i] = fmt.Sprintf("%q", a)
	}
	c.that(slices.Contains(allowed, value), "%s is %q: use one of %s", field, value, strings.Join(quoted, ", "))
}
