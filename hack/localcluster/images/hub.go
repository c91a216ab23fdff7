package images

import (
	"bytes"
	"context"
	"crypto/sha256"
	"fmt"
	"io"
	"os"
	"path/filepath"
)

const (
	// HubTokenAllowed may read HubGated and HubGatedDialogues. Like the others it means nothing elsewhere.
	HubTokenAllowed = "hf_localAllowed"
	// HubTokenDenied may read what is public.
	HubTokenDenied = "hf_localDenied" //nolint:gosec // known to the stand-in alone
	// HubTokenWriter may write in the namespaces "writer" (its user's), "team" and "local", and so reads all that is in them.
	HubTokenWriter = "hf_localWriter"
)

// hubAccess is access.json as PrepareHub writes it.
const hubAccess = `{"tokens": {
  "` + HubTokenAllowed + `": {"user": "allowed", "repos": ["` + HubGated + `", "datasets/` + HubGatedDialogues + `"]},
  "` + HubTokenDenied + `": {"user": "denied"},
  "` + HubTokenWriter + `": {"user": "writer", "writes": ["writer", "team", "local"]}
}}
`

// PrepareHub makes what the Hub stand-in serves, once: models and datasets under cacheDir/hub, and the files of the
// trainer's packages under cacheDir/packages.
func PrepareHub(ctx context.Context, cacheDir string, log io.Writer) error {
	source, err := sourceDir()
	if err != nil {
		return err
	}
	repository := filepath.Join(source, "..", "..")
	unlock, err := lock(filepath.Join(cacheDir, "images", "hub.lock"), log)
	if err != nil {
		return err
	}
	defer unlock()
	hub := filepath.Join(cacheDir, "hub")
	if err := makeModels(ctx, cacheDir, hub, log); err != nil {
		return err
	}
	if err := makeDatasets(filepath.Join(repository, "examples", "dialogues"), hub); err != nil {
		return fmt.Errorf("make the local Hub's datasets: %w", err)
	}
	if err := replaceFile(filepath.Join(hub, "access.json"), []byte(hubAccess)); err != nil {
		return err
	}
	return fetchPackages(ctx, filepath.Join(repository, "pkg", "train", "trainer", "layer.lock"), cacheDir, log)
}

// stampFile says from what a folder was made.
const stampFile = "made-from"

func keyOf(parts ...string) string {
	sum := sha256.New()
	for _, part := range parts {
		fmt.Fprintf(sum, "%d %s", len(part), part)
	}
	return fmt.Sprintf("%x\n", sum.Sum(nil))
}

func isMadeFrom(stamp, key string) bool {
	data, err := os.ReadFile(stamp)
	return err == nil && string(data) == key
}

// replaceFile writes a file that a running Hub reads: it finds the old or the new one, never half of it.
func replaceFile(path string, data []byte) error {
	if old, err := os.ReadFile(path); err == nil && bytes.Equal(old, data) {
		return nil
	}
	if err := os.WriteFile(path+".new", data, 0o644); err != nil {
		return err
	}
	return os.Rename(path+".new", path)
}
