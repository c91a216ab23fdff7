package chartflags

import (
	"errors"
	"fmt"
	"regexp"
	"strconv"
	"strings"

	"github.com/kubectl-summarizer/kubectl-summarizer/pkg/render"
)

func checkNotEmpty(text string) error {
	if strings.TrimSpace(text) == "" {
		return errors.New("is empty")
	}
	return nil
}

func atLeast(limit int64) func(int64) error {
	return func(n int64) error {
		if n < limit {
			return fmt.Errorf("must be at least %d, but is %d", limit, n)
		}
		return nil
	}
}

// checkModel takes a Hub id, or what vLLM reads by itself: an absolute path or a bucket.
func checkModel(id string) error {
	for _, prefix := range []string{"/", "gs://", "s3://", "az://"} {
		if rest, ok := strings.CutPrefix(id, prefix); ok && rest != "" {
			return nil
		}
	}
	return CheckHubID(id)
}

// CheckHubID takes ORG/NAME by the Hub's rules: letters, digits, '-', '_' and '.', no "--"
// or "..", no '-' or '.' at either end, at most 96 characters.
func CheckHubID(id string) error {
	if looksLikeToken(id) {
		return errors.New("that is a token, not a name; a token belongs in a Secret: --hf-secret NAME")
	}
	for _, host := range []string{"https://huggingface.co/", "http://huggingface.co/", "https://hf.co/", "huggingface.co/", "hf.co/"} {
		if rest, ok := strings.CutPrefix(id, host); ok {
			parts := append(strings.SplitN(rest, "/", 3), "", "")
			return fmt.Errorf("%q is an address: give the id alone, %s/%s", id, parts[0], parts[1])
		}
	}
	part := regexp.MustCompile(`^[A-Za-z0-9_]([A-Za-z0-9._-]*[A-Za-z0-9_])?$`)
	org, name, found := strings.Cut(id, "/")
	if !found || !part.MatchString(org) || !part.MatchString(name) || len(id) > 96 ||
		strings.Contains(id, "--") || strings.Contains(id, "..") {
		return fmt.Errorf("%q is not an id on the Hugging Face Hub: write ORG/NAME, such as mistralai/Mistral-7B-Instruct-v0.3", id)
	}
	return nil
}

// CheckRevision takes a commit, tag or branch.
func CheckRevision(revision string) error {
	if !regexp.MustCompile(`^[A-Za-z0-9._/-]+$`).MatchString(revision) {
		return fmt.Errorf("%q is not a commit, tag or branch", revision)
	}
	return nil
}

func looksLikeToken(text string) bool {
	return strings.HasPrefix(text, "hf_") && len(text) > 20 && !strings.ContainsAny(text, "/-.")
}

// parseMaxLen keeps a number a number; "auto" and "32k", which is 32000 and with a K 32768, are vLLM's to read.
func parseMaxLen(text string) ([]render.Typed, error) {
	path := []string{"engine", "maxModelLen"}
	if regexp.MustCompile(`^(auto|[1-9][0-9]*(\.[0-9]+)?[kKmM])$`).MatchString(text) {
		return []render.Typed{{Path: path, Value: text}}, nil
	}
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil {
		return nil, fmt.Errorf("must be a number of tokens such as 8192 or 32k, or auto, but is %q", text)
	}
	return one(n, atLeast(1), path...)
}

// SplitSecret reads NAME or NAME:KEY; the key is "" when none is named. The text is never
// repeated in an error, because it may be the token itself, pasted in the wrong place.
func SplitSecret(text string) (name, key string, err error) {
	if looksLikeToken(text) {
		return "", "", errors.New("that is a token; it takes the name of a Secret that holds one:\n  kubectl create secret generic -n NAMESPACE hf-secret --from-file=hf_api_token=FILE")
	}
	name, key, hasKey := strings.Cut(text, ":")
	if !regexp.MustCompile(`^[a-z0-9]([a-z0-9.-]*[a-z0-9])?$`).MatchString(name) || len(name) > 253 {
		return "", "", errors.New("the name before ':' is not the name of a Secret: lower-case letters, digits, '-' and '.'")
	}
	if hasKey && !regexp.MustCompile(`^[-._a-zA-Z0-9]+$`).MatchString(key) {
		return "", "", errors.New("what follows ':' is not a key of a Secret: letters, digits, '-', '_' and '.'")
	}
	return name, key, nil
}

// parseSecret reads the Secret with the Hugging Face token.
func parseSecret(text string) ([]render.Typed, error) {
	name, key, err := SplitSecret(text)
	if err != nil {
		return nil, err
	}
	typed := []render.Typed{{Path: []string{"hfToken", "secretName"}, Value: name}}
	if key != "" {
		typed = append(typed, render.Typed{Path: []string{"hfToken", "secretKey"}, Value: key})
	}
	return typed, nil
}

// parseAdapters reads NAME=REPO[@REVISION] each.
func parseAdapters(given []string) ([]render.Typed, error) {
	list := make([]any, 0, len(given))
	seen := map[string]bool{}
	for _, text := range given {
		name, repo, found := strings.Cut(text, "=")
		if !found || !regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]*$`).MatchString(name) {
			return nil, fmt.Errorf("%q is not of the form NAME=ORG/REPO[@REVISION]", text)
		}
		if seen[name] {
			return nil, fmt.Errorf("two adapters are called %s: give each a name of its own", name)
		}
		seen[name] = true
		repo, revision, pinned := strings.Cut(repo, "@")
		adapter := map[string]any{"name": name, "repo": repo}
		if pinned {
			if err := CheckRevision(revision); err != nil {
				return nil, err
			}
			adapter["revision"] = revision
		}
		if err := checkAdapterRepo(repo); err != nil {
			return nil, err
		}
		list = append(list, adapter)
	}
	return []render.Typed{{Path: []string{"adapters"}, Value: list}}, nil
}

func checkAdapterRepo(repo string) error {
	if strings.HasPrefix(repo, "/") && len(repo) > 1 {
		return nil
	}
	return CheckHubID(repo)
}
