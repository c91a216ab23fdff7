package train

import (
	"fmt"
	"path"
	"regexp"
	"slices"
	"strings"

	"github.com/kubectl-summarizer/kubectl-summarizer/internal/failure"
)

// longestName is what a run's name may have: the names of its objects follow from it.
const longestName = 40

// longestSuffix is what the model's name may take of it.
const longestSuffix = 16

// notInNames are the words that end the telling part of a model's name.
var notInNames = regexp.MustCompile(`(?i)[-_.](instruct|chat|it|base|hf|v[0-9.]+)([-_.].*)?$`)

var notAllowed = regexp.MustCompile(`[^a-z0-9]+`)

// slug makes a part of a name of any text.
func slug(text string) string {
	return strings.Trim(notAllowed.ReplaceAllString(strings.ToLower(text), "-"), "-")
}

// cut shortens a name without leaving a dash at its end.
func cut(name string, length int) string {
	if len(name) > length {
		name = name[:length]
	}
	return strings.Trim(name, "-")
}

// modelName is the short form of a model's id: mistralai/Mistral-7B-Instruct-v0.3 is mistral-7b.
func modelName(id string) string {
	name := path.Base(id)
	for {
		shorter := notInNames.ReplaceAllString(name, "")
		if shorter == name || shorter == "" {
			break
		}
		name = shorter
	}
	if name = slug(name); name == "" {
		name = "model"
	}
	return cut(name, longestSuffix)
}

// dataName is the short form of where the data are from.
func dataName(uri string) string {
	name := path.Base(strings.TrimRight(strings.ReplaceAll(uri, `\`, "/"), "/"))
	for _, end := range []string{".gz", ".tar", ".tgz", ".jsonl", ".json", ".csv", ".tsv", ".parquet"} {
		name = strings.TrimSuffix(name, end)
	}
	if name = slug(name); name == "" || name[0] < 'a' {
		name = strings.Trim("run-"+name, "-")
	}
	return name
}

// runNames returns a name for the run of each model, and the one that they share.
func runNames(given, data, stamp string, models []string) (names []string, shared string, err error) {
	suffixes := make([]string, len(models))
	longest := 0
	if len(models) > 1 {
		for i, model := range models {
			suffixes[i] = "-" + modelName(model)
			for n := 2; slices.Contains(suffixes[:i], suffixes[i]); n++ {
				suffixes[i] = fmt.Sprintf("-%s-%d", modelName(model), n)
			}
			longest = max(longest, len(suffixes[i]))
		}
	}
	shared = given
	if shared == "" {
		shared = cut(data, longestName-longest-len(stamp)-1) + "-" + stamp
	}
	for _, suffix := range suffixes {
		name := shared + suffix
		if len(name) > longestName {
			return nil, "", failure.Usagef("the name of a run may have %d characters, and %s has %d: give a shorter NAME", longestName, name, len(name))
		}
		names = append(names, name)
	}
	return names, shared, nil
}
