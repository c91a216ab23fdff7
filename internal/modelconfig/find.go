// Package modelconfig finds the config.json of a model that the catalog does not have: in the local cache of Hugging
// Face's libraries, or on the Hub with the user's token.
package modelconfig

import (
	"context"
	"errors"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/kubectl-summarizer/kubectl-summarizer/internal/failure"
	"github.com/kubectl-summarizer/kubectl-summarizer/internal/hub"
	"github.com/kubectl-summarizer/kubectl-summarizer/internal/web"
)

// Env reads the environment; tests give their own.
type Env func(string) string

// Cached returns the config.json of a model that Hugging Face's libraries have fetched on this machine, nil when there is
// none. Of several revisions it is the newest.
func Cached(env Env, id string) []byte {
	snapshots, err := filepath.Glob(filepath.Join(cacheDir(env), "models--"+strings.ReplaceAll(id, "/", "--"), "snapshots", "*", "config.json"))
	if err != nil || strings.ContainsAny(id, `*?[\`) {
		return nil
	}
	slices.SortFunc(snapshots, func(a, b string) int { return int(modified(b) - modified(a)) })
	// A link whose file is gone is what an interrupted download leaves: the next one, or the Hub, has it.
	for _, file := range snapshots {
		if data, err := os.ReadFile(file); err == nil {
			return data
		}
	}
	return nil
}

func modified(file string) int64 {
	info, err := os.Stat(file)
	if err != nil {
		return 0
	}
	return info.ModTime().Unix()
}

// cacheDir is where huggingface_hub keeps models: HF_HUB_CACHE, HF_HOME/hub, XDG_CACHE_HOME/huggingface/hub or
// ~/.cache/huggingface/hub.
func cacheDir(env Env) string {
	if dir := env("HF_HUB_CACHE"); dir != "" {
		return dir
	}
	if home := env("HF_HOME"); home != "" {
		return filepath.Join(home, "hub")
	}
	cache := env("XDG_CACHE_HOME")
	if cache == "" {
		cache = filepath.Join(env("HOME"), ".cache")
	}
	return filepath.Join(cache, "huggingface", "hub")
}

// Fetch gets a model's config.json from the Hub (HF_ENDPOINT) with the token in HF_TOKEN.
func Fetch(ctx context.Context, env Env, id, revision string) ([]byte, error) {
	endpoint := hub.Public
	if given := env("HF_ENDPOINT"); given != "" {
		base, err := web.Base(given)
		if err != nil {
			return nil, failure.Usagef("HF_ENDPOINT: %w", err)
		}
		endpoint = base
	}
	if revision == "" {
		revision = "main"
	}
	client := &hub.Client{Endpoint: endpoint, HTTP: web.NewHTTP()}
	data, err := client.Config(ctx, env("HF_TOKEN"), id, revision)
	if err == nil {
		return data, nil
	}
	page := endpoint + "/" + id
	const file = "give the file: --config FILE"
	const byHand = "or " + file
	var refused *hub.Refusal
	if !errors.As(err, &refused) {
		return nil, failure.Failedf(file, "the config.json of %s cannot be fetched from the Hub: %w", id, err)
	}
	switch refused.Status {
	case http.StatusUnauthorized:
		return nil, failure.Failedf("set a token: export HF_TOKEN=...\n"+byHand, "the Hub gives the config.json of %s to no one without a valid token (401), or there is no such model", id)
	case http.StatusForbidden:
		return nil, failure.Failedf("accept the licence at "+page+"\n"+byHand, "the account of HF_TOKEN has no access to %s (403)", id)
	case http.StatusNotFound:
		return nil, failure.Failedf("look at "+page+"\n"+byHand, "the Hub has no config.json of %s at revision %s (404)", id, revision)
	}
	return nil, failure.Failedf(file, "the config.json of %s cannot be fetched: the Hub answers %s", id, refused)
}
