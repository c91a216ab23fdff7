package doctor

import (
	"os"
	"regexp"
	"slices"
	"testing"
)

// Every check has its section in the documentation, in the same order, under the anchor that its
// findings name, and there is no section of another.
func TestDocs(t *testing.T) {
	text, err := os.ReadFile("../../docs/doctor.md")
	if err != nil {
		t.Fatal(err)
	}
	var sections, ids []string
	for _, heading := range regexp.MustCompile(`(?m)^### (.+)$`).FindAllStringSubmatch(string(text), -1) {
		sections = append(sections, heading[1])
	}
	// GitHub's anchor of a heading is the heading only when it is of these letters.
	plain := regexp.MustCompile(`^[a-z][a-z-]*$`)
	for _, c := range checks {
		ids = append(ids, c.id)
		if !plain.MatchString(c.id) || c.title == "" {
			t.Errorf("check %q, %q", c.id, c.title)
		}
	}
	if !slices.Equal(sections, ids) {
		t.Errorf("sections %q\nchecks   %q", sections, ids)
	}
}
