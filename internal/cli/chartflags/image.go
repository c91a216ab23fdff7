package chartflags

import (
	"fmt"
	"regexp"
	"strings"

	"github.com/kubectl-summarizer/kubectl-summarizer/pkg/render"
)

// parseImage reads REPOSITORY:TAG, REPOSITORY@DIGEST or REPOSITORY:TAG@DIGEST and sets all
// three values, so that a digest in a values file does not outlive the image that it was of.
func parseImage(ref string) ([]render.Typed, error) {
	rest, digest, hasDigest := strings.Cut(ref, "@")
	repository, tag := rest, ""
	// A colon before the last slash belongs to the registry's port.
	if i := strings.LastIndex(rest, ":"); i > strings.LastIndex(rest, "/") {
		repository, tag = rest[:i], rest[i+1:]
		if !regexp.MustCompile(`^[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}$`).MatchString(tag) {
			return nil, fmt.Errorf("%q: %q is not a tag", ref, tag)
		}
	}
	if err := checkRepository(repository); err != nil {
		return nil, fmt.Errorf("%q: %w", ref, err)
	}
	if hasDigest && !regexp.MustCompile(`^sha256:[0-9a-f]{64}$`).MatchString(digest) {
		return nil, fmt.Errorf("%q: the digest is not sha256: and 64 hexadecimal digits", ref)
	}
	if tag == "" && !hasDigest {
		return nil, fmt.Errorf("%q names no tag and no digest: write %s:TAG", ref, repository)
	}
	typed := []render.Typed{
		{Path: []string{"image", "repository"}, Value: repository},
		{Path: []string{"image", "digest"}, Value: digest},
	}
	if tag != "" {
		typed = append(typed, render.Typed{Path: []string{"image", "tag"}, Value: tag})
	}
	return typed, nil
}

// checkRepository follows the grammar of image references: an optional registry with an
// optional port, then lower-case path components.
func checkRepository(repository string) error {
	component := regexp.MustCompile(`^[a-z0-9]+((\.|_|__|-+)[a-z0-9]+)*$`)
	registry := regexp.MustCompile(`^[A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?(:[0-9]{1,5})?$`)
	parts := strings.Split(repository, "/")
	isRegistry := len(parts) > 1 && (strings.ContainsAny(parts[0], ".:") || parts[0] == "localhost")
	for i, part := range parts {
		if i == 0 && isRegistry && registry.MatchString(part) {
			continue
		}
		if !component.MatchString(part) {
			return fmt.Errorf("%q is not a part of an image's name: lower-case letters, digits, and single '.', '_' or '-' between them", part)
		}
	}
	return nil
}
