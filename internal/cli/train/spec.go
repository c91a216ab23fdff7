package train

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"reflect"
	"strconv"
	"strings"

	"sigs.k8s.io/yaml"

	"github.com/kubectl-summarizer/kubectl-summarizer/internal/failure"
	"github.com/kubectl-summarizer/kubectl-summarizer/pkg/train"
)

// largestFile is far above any run.yaml.
const largestFile = 1 << 20

// base is the specification to begin with: that of -f, or the defaults.
func (f *flags) base(in io.Reader) (train.Spec, error) {
	spec := train.Default()
	if f.file == "" {
		return spec, nil
	}
	source := in
	if f.file != "-" {
		file, err := os.Open(f.file)
		if err != nil {
			return spec, failure.Usagef("-f: %w", err)
		}
		defer file.Close()
		source = file
	}
	data, err := io.ReadAll(io.LimitReader(source, largestFile+1))
	switch {
	case err != nil:
		return spec, failure.Usagef("-f %s: %w", f.file, err)
	case len(data) > largestFile:
		return spec, failure.Usagef("-f %s: is larger than 1 MiB: this is no run.yaml", f.file)
	}
	if err := yaml.UnmarshalStrict(data, &spec); err != nil {
		return spec, failure.Usagef("-f %s: %w", f.file, err)
	}
	// Where a run wrote its record says nothing of the next one.
	spec.Cluster = nil
	return spec, nil
}

// overlay lays what was given over the specification: the flags, then --set.
func (f *flags) overlay(spec *train.Spec) error {
	if f.quantization == "qlora" {
		f.quantization = "nf4"
	}
	for _, flag := range []struct {
		name string
		set  func()
	}{
		{"data-revision", func() { spec.Data.Revision = f.dataRevision }},
		{"dialogue-column", func() { spec.Data.Columns.Dialogue = f.dialogueColumn }},
		{"summary-column", func() { spec.Data.Columns.Summary = f.summaryColumn }},
		{"instruction", func() { spec.Prompt.Instruction = f.instruction }},
		{"epochs", func() { spec.Training.Epochs = f.epochs }},
		{"max-steps", func() { spec.Training.MaxSteps = f.maxSteps }},
		{"learning-rate", func() { spec.Training.LearningRate = f.learningRate }},
		{"rank", func() { spec.LoRA.Rank, spec.LoRA.Alpha = f.rank, 2*f.rank }},
		{"alpha", func() { spec.LoRA.Alpha = f.alpha }},
		{"rslora", func() { spec.LoRA.RSLoRA = f.rslora }},
		{"quantization", func() { spec.Training.Quantization = f.quantization }},
		{"batch-size", func() { spec.Training.BatchSize = f.batchSize }},
		{"effective-batch-size", func() { spec.Training.EffectiveBatchSize = f.effectiveBatch }},
		{"max-length", func() { spec.Training.MaxLength = f.maxLength }},
		{"gradient-checkpointing", func() { spec.Training.GradientCheckpointing = f.gradientCheckpointing }},
		{"seed", func() { spec.Training.Seed = f.seed }},
		{"save-steps", func() { spec.Training.SaveSteps = f.saveSteps }},
		{"eval-steps", func() { spec.Training.EvalSteps = f.evalSteps }},
		{"eval-engine", func() { spec.Evaluation.Engine = f.evalEngine }},
		{"device", func() { spec.Training.Device = f.device }},
		{"gpus", func() { spec.Training.GPUs = f.gpus }},
		{"wandb-project", func() { spec.Tracking.WandB.Project = f.wandbProject }},
	} {
		if f.given(flag.name) {
			flag.set()
		}
	}
	return f.setFields(spec)
}

// setFields sets the fields that --set names. A field that there is not is an error.
func (f *flags) setFields(spec *train.Spec) error {
	for _, text := range f.sets {
		path, value, found := strings.Cut(text, "=")
		if !found || path == "" {
			return failure.Usagef("--set %s: write it as NAME=VALUE, such as training.warmupRatio=0.1", text)
		}
		steps := strings.Split(path, ".")
		err := setField(spec, steps, typed(value))
		var wrong *json.UnmarshalTypeError
		if errors.As(err, &wrong) && wrong.Type.Kind() == reflect.String {
			err = setField(spec, steps, value) // a text of digits
		}
		if err != nil {
			return failure.Usagef("--set %s: %s", text, fieldError(err))
		}
	}
	return nil
}

// setField lays {"training":{"warmupRatio":0.1}} over the whole.
func setField(spec *train.Spec, path []string, value any) error {
	for i := len(path) - 1; i >= 0; i-- {
		value = map[string]any{path[i]: value}
	}
	data, err := json.Marshal(value)
	if err != nil {
		return err
	}
	decoder := json.NewDecoder(bytes.NewReader(data))
	decoder.DisallowUnknownFields()
	return decoder.Decode(spec)
}

// typed reads a value as YAML would: numbers, true and false, a list in brackets, else a text.
func typed(value string) any {
	if value == "" {
		return ""
	}
	if n, err := strconv.ParseFloat(value, 64); err == nil {
		return json.Number(strconv.FormatFloat(n, 'f', -1, 64))
	}
	var parsed any
	if err := yaml.Unmarshal([]byte(value), &parsed); err == nil {
		switch parsed.(type) {
		case bool, []any:
			return parsed
		}
	}
	return value
}

// fieldError says in words of run.yaml what encoding/json found.
func fieldError(err error) string {
	var wrong *json.UnmarshalTypeError
	if errors.As(err, &wrong) {
		return fmt.Sprintf("%s takes %s, not %s", wrong.Field, kindName(wrong.Type.String()), wrong.Value)
	}
	if _, field, found := strings.Cut(err.Error(), "unknown field "); found {
		return "there is no field " + field + " in run.yaml"
	}
	return err.Error()
}

func kindName(kind string) string {
	switch kind {
	case "int", "int64":
		return "a whole number"
	case "float64":
		return "a number"
	case "bool":
		return "true or false"
	case "string":
		return "a text"
	}
	return kind
}

// usageOf gives an error of package train its exit code, with every problem on its line.
func usageOf(err error) error {
	var wrong *train.SpecError
	if errors.As(err, &wrong) {
		return failure.New(failure.Usage, errors.New(strings.Join(wrong.Problems, "\n")), "")
	}
	return failure.New(failure.Usage, err, "")
}
