package images

import (
	"context"
	"crypto/sha256"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
)

// sumsFile lists the fetched files: package hub serves what it lists, `sha256sum --check` checks it.
const sumsFile = "SHA256SUMS"

// packageTags are what pip may choose: what Python 3.11 of Debian 12 on amd64 installs. pip does not conclude from a
// newer manylinux to the older ones.
func packageTags() []string {
	tags := []string{"--python-version", "3.11", "--implementation", "cp", "--abi", "cp311", "--abi", "abi3", "--abi", "none"}
	for _, platform := range []string{"manylinux1", "manylinux2010", "manylinux2014", "linux"} {
		tags = append(tags, "--platform", platform+"_x86_64")
	}
	for minor := 5; minor <= 36; minor++ {
		tags = append(tags, "--platform", fmt.Sprintf("manylinux_2_%d_x86_64", minor))
	}
	return tags
}

// fetchPackages downloads the files that a lock file names into cacheDir/packages, once, each checked by its hash. The
// local Hub serves them as a package index: pods reach no other.
func fetchPackages(ctx context.Context, lockFile, cacheDir string, log io.Writer) error {
	text, err := os.ReadFile(lockFile)
	if err != nil {
		return err
	}
	packages := filepath.Join(cacheDir, "packages")
	key := keyOf(string(text), strings.Join(packageTags(), " "))
	if isMadeFrom(filepath.Join(packages, stampFile), key) {
		return nil
	}
	uv, err := EnsureUV(ctx, cacheDir, log)
	if err != nil {
		return err
	}
	work, err := os.MkdirTemp(cacheDir, "packages-work-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(work)
	err = step(log, "fetching the trainer's packages for the local Hub (about 150 MB from PyPI)", func() error {
		// uv installs packages but does not keep their files; the pip beside it does.
		args := append([]string{"download", "--quiet", "--no-cache-dir", "--disable-pip-version-check", "--no-deps", "--require-hashes",
			"--requirement", lockFile, "--dest", work}, packageTags()...)
		return command(ctx, nil, filepath.Join(filepath.Dir(uv), "pip"), args...)
	})
	if err != nil {
		return err
	}
	sums, err := sumFiles(work)
	if err != nil {
		return err
	}
	for name, text := range map[string]string{sumsFile: sums, stampFile: key} {
		if err := os.WriteFile(filepath.Join(work, name), []byte(text), 0o644); err != nil {
			return err
		}
	}
	if err := os.Chmod(work, 0o755); err != nil {
		return err
	}
	if err := os.RemoveAll(packages); err != nil {
		return err
	}
	return os.Rename(work, packages)
}

// sumFiles is what sha256sum prints of the files in a directory.
func sumFiles(dir string) (string, error) {
	var sums strings.Builder
	err := eachFile(dir, func(path, name string) error {
		sum := sha256.New()
		if err := copyFile(sum, path); err != nil {
			return err
		}
		fmt.Fprintf(&sums, "%x  %s\n", sum.Sum(nil), name)
		return nil
	})
	return sums.String(), err
}
