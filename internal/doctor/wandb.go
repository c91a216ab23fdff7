package doctor

import (
	"context"
	"errors"
	"strings"

	"github.com/kubectl-summarizer/kubectl-summarizer/internal/wandb"
)

// wandbVariable is the environment's name for the key, wandbPage is where keys are made.
const (
	wandbVariable = "WANDB_API_KEY"
	wandbPage     = "https://wandb.ai/authorize"
)

func (s *Subject) wandbKey(ctx context.Context) Finding {
	key, from := s.WandBKey, wandbVariable+" of the environment"
	fix := "make a key at " + wandbPage + " and put it into " + wandbVariable
	if at := s.WandBSecret; at != nil && s.Client != nil {
		v, err := s.readSecret(ctx, *at)
		switch {
		case err != nil && key == "":
			return s.unknown("read Secret "+at.Name, err)
		case err != nil:
			// The environment's key is better than nothing, and the finding names it.
		case v.missing:
			return fail(s.makeSecret(*at, wandbVariable), "there is no Secret %s in namespace %s", at.Name, s.Namespace)
		case v.noKey && len(v.keys) > 0:
			return fail("name the right key: --wandb-secret "+at.Name+":"+v.keys[0], "Secret %s has no key %q; it has: %s", at.Name, at.Key, strings.Join(v.keys, ", "))
		case v.noKey:
			return fail(s.renewSecret(*at, wandbVariable), "Secret %s is empty", at.Name)
		default:
			key, from = v.value, "Secret "+at.Name+", key "+at.Key
			fix = "make a key at " + wandbPage + ", put it into " + wandbVariable + ", and: " + s.renewSecret(*at, wandbVariable)
		}
	}
	switch {
	case key == "" && s.WandBSecret == nil:
		return skip("nothing is to be tracked: name a Secret with --wandb-secret, or set %s", wandbVariable)
	case strings.TrimSpace(key) == "":
		return fail(fix, "the key from %s is empty", from)
	case strings.TrimSpace(key) != key:
		return fail(fix, "the key from %s has a newline or a space around it, which the client of Weights & Biases refuses", from)
	}
	account, err := s.WandB.Viewer(ctx, key)
	switch {
	case errors.Is(err, wandb.ErrKey):
		return fail(fix, "%s does not know the key from %s", s.WandB.Endpoint, from)
	case err != nil:
		return skip("Weights & Biases was not asked: %v", err)
	}
	return pass("valid: account %s (from %s)", account, from)
}
