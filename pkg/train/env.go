package train

import (
	"fmt"
	"net/url"
	"path"
	"slices"

	corev1 "k8s.io/api/core/v1"
)

// commonEnv is what every pod has. All that is written goes to a volume, because the root filesystem is
// read-only; USER and LOGNAME answer Python's getuser() for a user that the image's passwd file may not have.
// Caches lie on the run's volume: the next attempt finds its kernels compiled.
func (p *plan) commonEnv() []corev1.EnvVar {
	caches := path.Join(p.spec.Volume, "cache")
	return values(
		"HOME", homeDir,
		"USER", ContainerName,
		"LOGNAME", ContainerName,
		"HF_HOME", path.Join(caches, "huggingface"),
		"XDG_CACHE_HOME", path.Join(caches, "xdg"),
		"PYTHONPATH", path.Join(codeDir, codeFile),
		"PYTHONDONTWRITEBYTECODE", "1",
		"PYTHONUNBUFFERED", "1",
		"HF_HUB_DISABLE_TELEMETRY", "1",
		"DO_NOT_TRACK", "1",
	)
}

// hubEnv is for what talks to the Hub: the only pods that see the token. SUMMARIZER_HF_SECRET is where messages say
// that it comes from.
func (p *plan) hubEnv() []corev1.EnvVar {
	var env []corev1.EnvVar
	if p.options.HubEndpoint != "" {
		// Xet is the storage of huggingface.co: a mirror takes files as Git LFS does.
		env = values("HF_ENDPOINT", p.options.HubEndpoint, "HF_HUB_DISABLE_XET", "1")
	}
	if secret := p.options.HFSecret; secret.Name != "" {
		env = append(env, values("SUMMARIZER_HF_SECRET", secret.Name)...)
	}
	return append(env, secretEnv("HF_TOKEN", p.options.HFSecret)...)
}

// indexEnv is for what installs packages. pip asks an index without TLS only when it is told to trust its host.
func (p *plan) indexEnv() []corev1.EnvVar {
	if p.options.PackageIndex == "" {
		return nil
	}
	env := values("PIP_INDEX_URL", p.options.PackageIndex)
	if index, err := url.Parse(p.options.PackageIndex); err == nil && index.Scheme == "http" {
		env = append(env, values("PIP_TRUSTED_HOST", index.Hostname())...)
	}
	return env
}

// engineEnv is for what runs models: everything it needs lies on the volume, and it asks the Hub for nothing.
func (p *plan) engineEnv() []corev1.EnvVar {
	caches := path.Join(p.spec.Volume, "cache")
	return values(
		"HF_HUB_OFFLINE", "1",
		"VLLM_CACHE_ROOT", path.Join(caches, "vllm"),
		"TRITON_CACHE_DIR", path.Join(caches, "triton"),
		"TORCHINDUCTOR_CACHE_DIR", path.Join(caches, "inductor"),
		"VLLM_NO_USAGE_STATS", "1",
		"VLLM_DO_NOT_TRACK", "1",
	)
}

// trainEnv is what the training has beside commonEnv. TERMINATION_GRACE_SECONDS is how long it may take to write
// its last checkpoint: it must have ended by itself before it is killed, or it counts as out of memory.
func (p *plan) trainEnv() []corev1.EnvVar {
	_, sure := p.grace()
	env := append(p.engineEnv(), values("TERMINATION_GRACE_SECONDS", fmt.Sprint(sure))...)
	return append(env, secretEnv("WANDB_API_KEY", p.options.WandBSecret)...)
}

// values makes variables of names and values in turn.
func values(pairs ...string) []corev1.EnvVar {
	var env []corev1.EnvVar
	for pair := range slices.Chunk(pairs, 2) {
		env = append(env, corev1.EnvVar{Name: pair[0], Value: pair[1]})
	}
	return env
}

func secretEnv(name string, key SecretKey) []corev1.EnvVar {
	if key.Name == "" {
		return nil
	}
	ref := &corev1.SecretKeySelector{
		LocalObjectReference: corev1.LocalObjectReference{Name: key.Name}, Key: key.Key, Optional: new(key.Optional),
	}
	return []corev1.EnvVar{{Name: name, ValueFrom: &corev1.EnvVarSource{SecretKeyRef: ref}}}
}
