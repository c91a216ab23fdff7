package hub

import (
	"bytes"
	"fmt"
	"net/http"
	"regexp"
	"strings"

	"gopkg.in/yaml.v3"
)

// idPattern is of a repository's name in a card.
var idPattern = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]*(/[A-Za-z0-9][A-Za-z0-9._-]*)?$`)

// validateCard says before an upload what is wrong with the metadata of a README.md.
func (s *server) validateCard(w http.ResponseWriter, r *http.Request) {
	var request struct {
		Content string `json:"content"`
	}
	if err := readJSON(w, r, &request); err != nil {
		refuse(w, err)
		return
	}
	found, wrong := cardProblems([]byte(request.Content))
	errs, warnings := []map[string]string{}, []map[string]string{}
	for _, message := range wrong {
		errs = append(errs, map[string]string{"message": message})
	}
	if !found {
		warnings = append(warnings, map[string]string{"message": "empty or missing yaml metadata in repo card (https://huggingface.co/docs/hub/model-cards#model-card-metadata)"})
	}
	status := http.StatusOK
	if len(errs) > 0 {
		status = http.StatusBadRequest
	}
	writeStatus(w, status, map[string]any{"errors": errs, "warnings": warnings})
}

// checkCard refuses a README.md whose metadata is not valid.
func checkCard(readme []byte) error {
	if _, wrong := cardProblems(readme); len(wrong) > 0 {
		return badRequest("Invalid metadata in README.md: %s", strings.Join(wrong, "; "))
	}
	return nil
}

// cardProblems reads the YAML between the first two lines of "---", and says whether there is any and what is wrong
// with it: the part of the Hub's rules that a card with results can break.
func cardProblems(readme []byte) (found bool, wrong []string) {
	text := strings.ReplaceAll(string(bytes.TrimPrefix(readme, []byte("\ufeff"))), "\r\n", "\n")
	head, ok := strings.CutPrefix(text, "---\n")
	if !ok {
		return false, nil
	}
	if head, _, ok = strings.Cut("\n"+head, "\n---"); !ok || strings.TrimSpace(head) == "" {
		return false, nil
	}
	var card map[string]any
	if err := yaml.Unmarshal([]byte(head), &card); err != nil {
		return true, []string{fmt.Sprintf("invalid YAML metadata: %v", err)}
	}
	c := &checker{}
	c.strings(card, "license", nil)
	c.strings(card, "language", regexp.MustCompile(`^[^A-Z]+$`))
	c.strings(card, "tags", nil)
	c.strings(card, "base_model", idPattern)
	c.strings(card, "datasets", idPattern)
	if index, there := card["model-index"]; there {
		c.index(index)
	}
	return true, c.wrong
}

// checker collects what is wrong with a card.
type checker struct{ wrong []string }

func (c *checker) say(format string, args ...any) {
	c.wrong = append(c.wrong, fmt.Sprintf(format, args...))
}

// strings checks a key whose value is text or a list of texts, each like the pattern.
func (c *checker) strings(card map[string]any, key string, pattern *regexp.Regexp) {
	value, there := card[key]
	if !there {
		return
	}
	list, ok := value.([]any)
	if !ok {
		list = []any{value}
	}
	for i, one := range list {
		text, ok := one.(string)
		switch {
		case !ok:
			c.say(`"%s[%d]" must be a string`, key, i)
		case pattern != nil && !pattern.MatchString(text):
			c.say(`"%s[%d]" with value %q is not valid`, key, i, text)
		}
	}
}

// index checks a model-index: results with their task, dataset and metrics.
func (c *checker) index(value any) {
	for i, model := range c.list(value, "model-index") {
		at := fmt.Sprintf("model-index[%d]", i)
		c.require(model, at, "name")
		for j, result := range c.list(model["results"], at+".results") {
			at := fmt.Sprintf("%s.results[%d]", at, j)
			task, _ := result["task"].(map[string]any)
			dataset, _ := result["dataset"].(map[string]any)
			c.require(task, at+".task", "type")
			c.require(dataset, at+".dataset", "type")
			c.require(dataset, at+".dataset", "name")
			for k, metric := range c.list(result["metrics"], at+".metrics") {
				c.require(metric, fmt.Sprintf("%s.metrics[%d]", at, k), "type")
				c.require(metric, fmt.Sprintf("%s.metrics[%d]", at, k), "value")
			}
		}
	}
}

func (c *checker) require(in map[string]any, at, key string) {
	if in[key] == nil {
		c.say(`"%s.%s" is required`, at, key)
	}
}

// list is a value that must be a list of mappings.
func (c *checker) list(value any, at string) []map[string]any {
	items, ok := value.([]any)
	if !ok {
		c.say("%q must be an array", at)
	}
	maps := make([]map[string]any, len(items))
	for i, item := range items {
		if maps[i], ok = item.(map[string]any); !ok {
			c.say(`"%s[%d]" must be an object`, at, i)
		}
	}
	return maps
}
