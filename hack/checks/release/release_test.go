// Package release checks that what describes a release agrees with the program's own names: the archives'
// recipe, the Krew manifest and the completion shim.
package release

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"sigs.k8s.io/yaml"

	"github.com/kubectl-summarizer/kubectl-summarizer/internal/product"
)

const root = "../../.."

// recipe is the part of .goreleaser.yaml that names things.
type recipe struct {
	Builds []struct {
		Main    string   `json:"main"`
		Binary  string   `json:"binary"`
		Ldflags []string `json:"ldflags"`
	} `json:"builds"`
	Archives []struct {
		Files           []string `json:"files"`
		WrapInDirectory bool     `json:"wrap_in_directory"`
	} `json:"archives"`
	Krews []struct {
		Name             string `json:"name"`
		ShortDescription string `json:"short_description"`
		Description      string `json:"description"`
		Caveats          string `json:"caveats"`
		SkipUpload       bool   `json:"skip_upload"`
	} `json:"krews"`
}

type manifest struct {
	Metadata struct {
		Name string `json:"name"`
	} `json:"metadata"`
	Spec struct {
		ShortDescription string           `json:"shortDescription"`
		Description      string           `json:"description"`
		Caveats          string           `json:"caveats"`
		Platforms        []map[string]any `json:"platforms"`
	} `json:"spec"`
}

func read(t *testing.T, name string, into any) {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(root, name))
	if err == nil {
		err = yaml.Unmarshal(data, into)
	}
	if err != nil {
		t.Fatalf("reading %s: %v", name, err)
	}
}

func TestTheRecipeBuildsThePlugin(t *testing.T) {
	var r recipe
	read(t, ".goreleaser.yaml", &r)
	if len(r.Builds) != 1 || len(r.Archives) != 1 || len(r.Krews) != 1 {
		t.Fatalf("want one build, one archive and one Krew plugin: %+v", r)
	}
	build, archive := r.Builds[0], r.Archives[0]
	if build.Binary != product.Binary || build.Main != "./cmd/"+product.Binary {
		t.Errorf("it builds %s from %s, want %s", build.Binary, build.Main, product.Binary)
	}
	shim := "kubectl_complete-" + product.Plugin
	for _, file := range []string{"LICENSE", shim} {
		if _, err := os.Stat(filepath.Join(root, file)); err != nil {
			t.Error(err)
		}
		if !slices.Contains(archive.Files, file) {
			t.Errorf("the archives lack %s", file)
		}
	}
	if archive.WrapInDirectory {
		t.Error("Krew looks for the program at the archive's top")
	}
	text, err := os.ReadFile(filepath.Join(root, shim))
	if err != nil || !strings.Contains(string(text), product.Command+" __complete") {
		t.Errorf("%s does not complete %s: %v", shim, product.Command, err)
	}
}

// A -X that names no variable is silently ignored by the linker.
func TestLinkTimeVariablesExist(t *testing.T) {
	var r recipe
	read(t, ".goreleaser.yaml", &r)
	makefile, err := os.ReadFile(filepath.Join(root, "Makefile"))
	if err != nil {
		t.Fatal(err)
	}
	source, err := os.ReadFile(filepath.Join(root, "internal/version/version.go"))
	if err != nil {
		t.Fatal(err)
	}
	flags := strings.Join(r.Builds[0].Ldflags, "\n")
	for _, name := range []string{"version", "commit", "date"} {
		variable := "/internal/version." + name + "="
		if !strings.Contains(flags, "-X "+product.Module+variable) || !strings.Contains(string(makefile), "-X $(MODULE)"+variable) {
			t.Errorf("internal/version.%s is not set by both .goreleaser.yaml and the Makefile", name)
		}
		if !regexp.MustCompile(`(?m)^\s*` + name + `\s+string$`).Match(source) {
			t.Errorf("internal/version has no variable %s", name)
		}
	}
}

func TestTheKrewManifestIsThePluginOfTheRecipe(t *testing.T) {
	var r recipe
	var m manifest
	read(t, ".goreleaser.yaml", &r)
	read(t, "krew-manifest.yaml", &m)
	krew := r.Krews[0]
	if m.Metadata.Name != product.Plugin || krew.Name != product.Plugin {
		t.Errorf("names %s and %s, want %s", m.Metadata.Name, krew.Name, product.Plugin)
	}
	if m.Spec.ShortDescription != krew.ShortDescription || m.Spec.Description != krew.Description || m.Spec.Caveats != krew.Caveats {
		t.Error("the manifest and .goreleaser.yaml describe the plugin in different words")
	}
	// What the Krew index's reviewers ask for.
	if n := len(krew.ShortDescription); n > 50 {
		t.Errorf("the short description has %d characters, more than 50", n)
	}
	for line := range strings.Lines(krew.Description) {
		if len(line) > 81 {
			t.Errorf("a line of the description is longer than 80: %s", line)
		}
	}
	// An address without an archive behind it would pretend a release.
	checksum := regexp.MustCompile(`^[0-9a-f]{64}$`)
	for _, p := range m.Spec.Platforms {
		sum, _ := p["sha256"].(string)
		if !checksum.MatchString(sum) || strings.Count(sum, sum[:1]) == len(sum) {
			t.Errorf("platform %v has no SHA-256 of an archive", p)
		}
	}
	if !krew.SkipUpload {
		t.Error("the Krew index takes pull requests; goreleaser must not push to it")
	}
}
