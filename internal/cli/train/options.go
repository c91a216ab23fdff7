package train

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"

	"github.com/kubectl-summarizer/kubectl-summarizer/internal/cli/chartflags"
	"github.com/kubectl-summarizer/kubectl-summarizer/internal/failure"
	"github.com/kubectl-summarizer/kubectl-summarizer/pkg/train"
)

// defaultHFSecret is the chart's: a run starts without it, for models that need no token.
var defaultHFSecret = train.SecretKey{Name: "hf-secret", Key: "hf_api_token", Optional: true}

// wandbKey is the key that is looked for when --wandb-secret names none.
const wandbKey = "wandb_api_key"

// check refuses what can be told wrong by the text of the flags alone.
func (f *flags) check() error {
	if !f.resume && f.file == "" && len(f.models) == 0 {
		return failure.New(failure.Usage, errors.New("name a model"), "such as: --model mistralai/Mistral-7B-Instruct-v0.3")
	}
	for _, model := range f.models {
		if err := checkModel(model); err != nil {
			return failure.Usagef("--model: %w", err)
		}
	}
	for name, allowed := range map[string][]string{
		"image-pull-policy": {"Always", "IfNotPresent", "Never"},
		"access-mode":       {"ReadWriteOnce", "ReadWriteOncePod", "ReadWriteMany"},
	} {
		value := f.set.Lookup(name).Value.String()
		if !slices.Contains(allowed, value) {
			return failure.Usagef("--%s is %q: use one of %s", name, value, strings.Join(allowed, ", "))
		}
	}
	if f.retries < 0 || f.ttl < 0 || f.maxTime < 0 {
		return failure.Usagef("--retries, --ttl and --max-time must not be negative")
	}
	_, err := f.options()
	return err
}

func checkModel(text string) error {
	id, revision, pinned := strings.Cut(text, "@")
	if pinned {
		if err := chartflags.CheckRevision(revision); err != nil {
			return err
		}
	}
	if strings.HasPrefix(id, "/") && len(id) > 1 {
		return nil // a directory on the run's volume
	}
	return chartflags.CheckHubID(id)
}

// options are where and how the pods run, as the flags have it.
func (f *flags) options() (train.Options, error) {
	var o train.Options
	return o, f.overOptions(&o, func(string) bool { return true })
}

// overOptions lays the flags over options: those for which take says so.
func (f *flags) overOptions(o *train.Options, take func(name string) bool) error {
	var err error
	for _, flag := range []struct {
		name string
		set  func() error
	}{
		{"gpu-accelerator", text(&o.Accelerator, f.accelerator)},
		{"platform", text(&o.Platform, f.platform)},
		{"spot", func() error { o.Spot = f.spot; return nil }},
		{"node-selector", func() error { o.NodeSelector = f.nodeSelector; return nil }},
		{"toleration", func() error { o.Tolerations, err = tolerations(f.tolerations); return err }},
		{"priority-class", text(&o.PriorityClass, f.priorityClass)},
		{"queue", text(&o.Queue, f.queue)},
		{"engine", text(&o.Engine, f.engine)},
		{"nodes", func() error { o.Nodes = f.nodes; return nil }},
		{"cpu", text(&o.CPU, f.cpu)},
		{"memory", text(&o.Memory, f.memory)},
		{"image", text(&o.Image, f.image)},
		{"image-pull-policy", func() error { o.ImagePullPolicy = corev1.PullPolicy(f.pullPolicy); return nil }},
		{"image-pull-secret", func() error { o.ImagePullSecrets = f.imagePullSecrets; return nil }},
		{"volume-size", text(&o.VolumeSize, f.volumeSize)},
		{"storage-class", text(&o.StorageClass, f.storageClass)},
		{"access-mode", func() error { o.AccessMode = corev1.PersistentVolumeAccessMode(f.accessMode); return nil }},
		{"claim", text(&o.ExistingClaim, f.claim)},
		{"service-account", text(&o.ServiceAccount, f.serviceAccount)},
		{"hub-endpoint", text(&o.HubEndpoint, f.hub)},
		{"package-index", text(&o.PackageIndex, f.index)},
		{"retries", func() error { o.BackoffLimit = new(int32(f.retries)); return nil }}, //nolint:gosec // nobody tries two billion times
		{"max-time", func() error { o.ActiveDeadlineSeconds = seconds(f.maxTime); return nil }},
		{"ttl", func() error {
			if s := seconds(f.ttl); s != nil {
				o.TTLSeconds = new(int32(*s)) //nolint:gosec // 68 years
			}
			return nil
		}},
		{"hf-secret", func() error { return secret(&o.HFSecret, f.hfSecret, defaultHFSecret.Key, !f.given("hf-secret")) }},
		{"wandb-secret", func() error { return secret(&o.WandBSecret, f.wandbSecret, wandbKey, false) }},
		{"env-from", func() error { o.EnvFrom, err = envSources(f.envFrom); return err }},
	} {
		if take(flag.name) {
			if err := flag.set(); err != nil {
				return failure.Usagef("--%s: %w", flag.name, err)
			}
		}
	}
	return nil
}

func text(field *string, value string) func() error {
	return func() error { *field = value; return nil }
}

// secret reads NAME or NAME:KEY; an empty text is no Secret.
func secret(into *train.SecretKey, given, key string, optional bool) error {
	if given == "" {
		*into = train.SecretKey{}
		return nil
	}
	name, named, err := chartflags.SplitSecret(given)
	if named != "" {
		key = named
	}
	*into = train.SecretKey{Name: name, Key: key, Optional: optional}
	return err
}

// tolerations reads KEY[=VALUE][:EFFECT] each.
func tolerations(given []string) ([]corev1.Toleration, error) {
	var all []corev1.Toleration
	for _, text := range given {
		rest, effect, _ := strings.Cut(text, ":")
		key, value, equal := strings.Cut(rest, "=")
		if key == "" || !slices.Contains([]string{"", "NoSchedule", "PreferNoSchedule", "NoExecute"}, effect) {
			return nil, fmt.Errorf("%q is not of the form KEY[=VALUE][:EFFECT], with the effect NoSchedule, PreferNoSchedule or NoExecute", text)
		}
		toleration := corev1.Toleration{Key: key, Operator: corev1.TolerationOpExists, Effect: corev1.TaintEffect(effect)}
		if equal {
			toleration.Operator, toleration.Value = corev1.TolerationOpEqual, value
		}
		all = append(all, toleration)
	}
	return all, nil
}

// envSources reads secret/NAME or configmap/NAME each.
func envSources(given []string) ([]corev1.EnvFromSource, error) {
	var all []corev1.EnvFromSource
	for _, text := range given {
		kind, name, _ := strings.Cut(text, "/")
		ref := corev1.LocalObjectReference{Name: name}
		switch {
		case name == "":
			return nil, fmt.Errorf("%q is not of the form secret/NAME or configmap/NAME", text)
		case kind == "secret":
			all = append(all, corev1.EnvFromSource{SecretRef: &corev1.SecretEnvSource{LocalObjectReference: ref}})
		case kind == "configmap", kind == "cm":
			all = append(all, corev1.EnvFromSource{ConfigMapRef: &corev1.ConfigMapEnvSource{LocalObjectReference: ref}})
		default:
			return nil, fmt.Errorf("%q is neither secret/NAME nor configmap/NAME", text)
		}
	}
	return all, nil
}
