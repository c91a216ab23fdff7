package doctor

import (
	"context"
	"fmt"
	"slices"
	"strings"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// secretValue is what a Secret's key holds, or why that is not known.
type secretValue struct {
	value string
	// keys are what the Secret has instead of the key.
	keys    []string
	missing bool // there is no such Secret
	noKey   bool // it has no such key
}

// readSecret reads a key of a Secret; the error says that it could not be read.
func (s *Subject) readSecret(ctx context.Context, at SecretKey) (secretValue, error) {
	secret, err := s.Client.CoreV1().Secrets(s.Namespace).Get(ctx, at.Name, metav1.GetOptions{})
	if apierrors.IsNotFound(err) {
		return secretValue{missing: true}, nil
	}
	if err != nil {
		return secretValue{}, err
	}
	value, found := secret.Data[at.Key]
	if !found {
		v := secretValue{noKey: true}
		for key := range secret.Data {
			v.keys = append(v.keys, key)
		}
		slices.Sort(v.keys)
		return v, nil
	}
	s.keep(string(value))
	return secretValue{value: string(value)}, nil
}

// hfRead reads the Secret with the Hugging Face token, once.
func (s *Subject) hfRead(ctx context.Context) (secretValue, error) {
	return s.hfValue.get(func() (secretValue, error) { return s.readSecret(ctx, s.HFSecret) })
}

// makeSecret is the command that makes a Secret of an environment variable; a value is never an
// argument, which every user of the machine can read.
func (s *Subject) makeSecret(at SecretKey, variable string) string {
	return fmt.Sprintf("printenv %s | tr -d '\\n' | kubectl create secret generic%s %s --from-file=%s=/dev/stdin", variable, s.in(), at.Name, at.Key)
}

// renewSecret is makeSecret for a Secret that is there. An empty variable must not empty it.
func (s *Subject) renewSecret(at SecretKey, variable string) string {
	return fmt.Sprintf(`[ -n "$%s" ] && %s --dry-run=client -o yaml | kubectl replace -f -%s`, variable, s.makeSecret(at, variable), s.Target)
}

// hfVariable is the environment's name for the token.
const hfVariable = "HF_TOKEN"

func (s *Subject) hfSecret(ctx context.Context) Finding {
	v, err := s.hfRead(ctx)
	if err != nil {
		f := s.unknown("read Secret "+s.HFSecret.Name, err)
		f.Detail += "; the checks of the token use " + hfVariable + " of the environment"
		return f
	}
	name := "Secret " + s.HFSecret.Name
	switch {
	case v.missing && s.HFSecretGiven:
		return fail(s.makeSecret(s.HFSecret, hfVariable), "there is no %s in namespace %s", name, s.Namespace)
	case v.missing:
		return warn(s.makeSecret(s.HFSecret, hfVariable), "there is no %s in namespace %s: only models that need no token can be fetched", name, s.Namespace)
	case v.noKey && len(v.keys) > 0:
		return fail("name the right key: --hf-secret "+s.HFSecret.Name+":"+v.keys[0], "%s has no key %q; it has: %s", name, s.HFSecret.Key, strings.Join(v.keys, ", "))
	case v.noKey:
		return fail(s.renewSecret(s.HFSecret, hfVariable), "%s is empty", name)
	}
	key := fmt.Sprintf("key %s of %s", s.HFSecret.Key, name)
	token := strings.TrimSpace(v.value)
	renew := s.renewSecret(s.HFSecret, hfVariable)
	switch {
	case token == "":
		return fail(renew, "%s is empty", key)
	case strings.HasPrefix(token, "aGZf"): // "hf_" in base64
		return fail(renew, "%s holds base64 of a token: a Secret's data is encoded once, by kubectl", key)
	case strings.Trim(token, `"'`) != token:
		return fail(renew, "%s holds a token in quotes", key)
	case strings.ContainsAny(token, " \t\r\n"):
		return fail(renew, "%s holds more than one word", key)
	case token != v.value:
		return warn(renew, "%s has a newline or a space around the token: the pods cut it off, other programs may not", key)
	case !strings.HasPrefix(token, "hf_"):
		return warn("make a token at https://huggingface.co/settings/tokens", "%s does not look like a token of the Hugging Face Hub, which begins with hf_", key)
	}
	return pass("%s is there and looks like a token", key)
}
