// Package examples holds the example data to what its README promises.
package examples

import (
	"bufio"
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

type example struct{ ID, Kind, Dialogue, Summary string }

func read(t *testing.T, split string) []example {
	t.Helper()
	file, err := os.Open(filepath.Join("..", "..", "..", "examples", "dialogues", split+".jsonl"))
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	var all []example
	for scanner := bufio.NewScanner(file); scanner.Scan(); {
		decoder := json.NewDecoder(strings.NewReader(scanner.Text()))
		decoder.DisallowUnknownFields()
		var e example
		if err := decoder.Decode(&e); err != nil {
			t.Fatalf("%s, line %d: %v", split, len(all)+1, err)
		}
		all = append(all, e)
	}
	return all
}

// What a model learned must not be what it is judged by.
func TestDialogues(t *testing.T) {
	turn := regexp.MustCompile(`^[^:]{1,30}: \S`)
	seen := map[string]string{}
	for split, count := range map[string]int{"train": 180, "validation": 30, "test": 30} {
		all := read(t, split)
		if len(all) != count {
			t.Errorf("%s has %d dialogues, want %d", split, len(all), count)
		}
		for _, e := range all {
			for _, text := range []string{e.ID, e.Dialogue, e.Summary} {
				if other, found := seen[text]; found {
					t.Errorf("%s in %s and in %s: %q", e.ID, split, other, text)
				}
				seen[text] = split
			}
			turns := strings.Split(e.Dialogue, "\n")
			for _, line := range turns {
				if !turn.MatchString(line) {
					t.Errorf("%s: %q is no turn", e.ID, line)
				}
			}
			if len(turns) < 4 || len(strings.Fields(e.Dialogue)) > 220 {
				t.Errorf("%s: %d turns, %d words", e.ID, len(turns), len(strings.Fields(e.Dialogue)))
			}
			if words := len(strings.Fields(e.Summary)); words < 10 || words > 32 {
				t.Errorf("%s: a summary of %d words", e.ID, words)
			}
			if strings.Contains(e.Dialogue, e.Summary) {
				t.Errorf("%s: the summary is a part of the dialogue", e.ID)
			}
		}
	}
}
