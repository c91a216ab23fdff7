package images

import (
	"os"
	"path/filepath"
	"slices"
)

const (
	// HubDialogues is the dataset of examples/dialogues.
	HubDialogues = "local/dialogues"
	// HubGatedDialogues holds the same files and is gated.
	HubGatedDialogues = "local/gated-dialogues"
)

// dialoguesCard stands before the examples' README: what the Hub and the datasets library read of a card.
const dialoguesCard = `---
license: apache-2.0
language: en
task_categories: [summarization]
size_categories: [n<1K]
pretty_name: Example dialogues
---
`

// makeDatasets makes the Hub stand-in's datasets from the folder of the examples.
func makeDatasets(examples, hub string) error {
	var key string
	texts := map[string][]byte{}
	for _, name := range []string{"README.md", "test.jsonl", "train.jsonl", "validation.jsonl"} {
		text, err := os.ReadFile(filepath.Join(examples, name))
		if err != nil {
			return err
		}
		if name == "README.md" {
			text = slices.Concat([]byte(dialoguesCard), text)
		}
		texts[name], key = text, keyOf(key, name, string(text))
	}
	datasets := filepath.Join(hub, "datasets")
	if isMadeFrom(filepath.Join(datasets, stampFile), key) {
		return nil
	}
	work, err := os.MkdirTemp(hub, "datasets-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(work)
	files, made := filepath.Join(work, "files"), filepath.Join(work, "made")
	if err := os.Mkdir(files, 0o755); err != nil {
		return err
	}
	for name, text := range texts {
		if err := os.WriteFile(filepath.Join(files, name), text, 0o644); err != nil {
			return err
		}
	}
	for id, info := range map[string]string{HubDialogues: `{}`, HubGatedDialogues: `{"gated": true}`} {
		if err := layRepo(files, made, id, info, ""); err != nil {
			return err
		}
	}
	if err := os.WriteFile(filepath.Join(made, stampFile), []byte(key), 0o644); err != nil {
		return err
	}
	if err := os.RemoveAll(datasets); err != nil {
		return err
	}
	return os.Rename(made, datasets)
}
