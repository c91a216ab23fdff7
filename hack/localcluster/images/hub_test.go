package images

import (
	"context"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// examplesIn makes a folder like examples/dialogues.
func examplesIn(t *testing.T, dir, train string) {
	t.Helper()
	for name, text := range map[string]string{"README.md": "# Examples\n", "train.jsonl": train, "validation.jsonl": "{}\n", "test.jsonl": "{}\n"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

func TestMakeDatasets(t *testing.T) {
	examples, hub := t.TempDir(), t.TempDir()
	revision := func(id string) string {
		t.Helper()
		if err := makeDatasets(examples, hub); err != nil {
			t.Fatal(err)
		}
		return strings.TrimSpace(string(open(t, filepath.Join(hub, "datasets", id, "refs/main"))))
	}
	examplesIn(t, examples, "{}\n")
	first := revision(HubDialogues)
	card := string(open(t, filepath.Join(hub, "datasets", HubDialogues, first, "README.md")))
	if !strings.HasPrefix(card, "---\nlicense: apache-2.0\n") || !strings.HasSuffix(card, "---\n# Examples\n") {
		t.Errorf("the card:\n%s", card)
	}
	if info := string(open(t, filepath.Join(hub, "datasets", HubGatedDialogues, "repo.json"))); !strings.Contains(info, `"gated": true`) {
		t.Errorf("the gated dataset: %s", info)
	}
	before, err := os.Stat(filepath.Join(hub, "datasets"))
	if err != nil {
		t.Fatal(err)
	}
	if again := revision(HubDialogues); again != first {
		t.Errorf("the same files give %s and %s", first, again)
	}
	if after, err := os.Stat(filepath.Join(hub, "datasets")); err != nil || !os.SameFile(before, after) {
		t.Errorf("what has not changed was made again: %v", err)
	}
	examplesIn(t, examples, `{"id": "new"}`+"\n")
	second := revision(HubDialogues)
	if text := string(open(t, filepath.Join(hub, "datasets", HubDialogues, second, "train.jsonl"))); second == first || !strings.Contains(text, "new") {
		t.Errorf("changed examples give revision %s (before: %s) with %s", second, first, text)
	}
	if left, err := filepath.Glob(filepath.Join(hub, "datasets-*")); err != nil || len(left) > 0 {
		t.Errorf("left behind: %v %v", left, err)
	}
	if err := os.Remove(filepath.Join(examples, "test.jsonl")); err != nil {
		t.Fatal(err)
	}
	if err := makeDatasets(examples, hub); err == nil || !strings.Contains(err.Error(), "test.jsonl") {
		t.Errorf("a split is missing: %v", err)
	}
}

func TestPackagesAreFetchedOnce(t *testing.T) {
	cache, lock := t.TempDir(), filepath.Join(t.TempDir(), "layer.lock")
	if err := os.WriteFile(lock, []byte("six==1.17.0\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir(filepath.Join(cache, "packages"), 0o755); err != nil {
		t.Fatal(err)
	}
	key := keyOf("six==1.17.0\n", strings.Join(packageTags(), " "))
	if err := os.WriteFile(filepath.Join(cache, "packages", stampFile), []byte(key), 0o644); err != nil {
		t.Fatal(err)
	}
	// It would need uv, which this cache lacks and a cancelled context does not let it install.
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	if err := fetchPackages(ended, lock, cache, io.Discard); err != nil {
		t.Errorf("packages that are there: %v", err)
	}
	if err := os.WriteFile(lock, []byte("six==1.16.0\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := fetchPackages(ended, lock, cache, io.Discard); err == nil {
		t.Error("another lock file: not fetched again")
	}
}

func TestSumFiles(t *testing.T) {
	dir := t.TempDir()
	for name, text := range map[string]string{"b.whl": "", "a.tar.gz": "abc"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	// As sha256sum prints it.
	want := "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad  a.tar.gz\n" +
		"e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855  b.whl\n"
	if sums, err := sumFiles(dir); err != nil || sums != want {
		t.Errorf("%v\n%s", err, sums)
	}
}

func TestParseBind(t *testing.T) {
	dir := t.TempDir()
	for text, want := range map[string]Bind{
		dir + ":/mnt":          {Source: dir, Target: "/mnt"},
		dir + ":/mnt/a/b":      {Source: dir, Target: "/mnt/a/b"},
		dir + ":/mnt/a:ro":     {Source: dir, Target: "/mnt/a", ReadOnly: true},
		dir:                    {},
		dir + ":/usr":          {},
		dir + ":/mnt/../usr":   {},
		dir + ":mnt":           {},
		dir + "/none:/mnt/a":   {},
		"/etc/passwd:/mnt/a":   {},
		dir + ":/mnt/a:rw":     {},
		dir + ":/mntx":         {},
		"relative:/mnt/a:ro":   {},
		":/mnt/a":              {},
		dir + ":/mnt/a/../b":   {},
		dir + ":/mnt/a/":       {},
		dir + "/.:/mnt/a/b/:x": {},
	} {
		bind, err := ParseBind(text)
		if (err == nil) != (want.Source != "") || err == nil && bind != want {
			t.Errorf("%s: %v, %v", text, bind, err)
		}
	}
}
