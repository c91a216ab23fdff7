package hub

import (
	"net/http"
	"strings"
	"testing"
)

const goodCard = `---
license: apache-2.0
base_model: org/open
tags: [lora, summarization]
datasets: [local/dialogues]
model-index:
- name: tuned
  results:
  - task: {type: summarization}
    dataset: {name: dialogues, type: local/dialogues, split: test}
    metrics: [{type: rouge, name: ROUGE-1, value: 40.5}]
---
# Tuned
`

func TestCards(t *testing.T) {
	url, _ := testHub(t)
	u := uploader{t: t, url: url, token: "writer"}
	for name, test := range map[string]struct {
		card   string
		status int
		want   string
	}{
		"good":                   {goodCard, 200, `{"errors":[],"warnings":[]}`},
		"with line ends of DOS":  {strings.ReplaceAll(goodCard, "\n", "\r\n"), 200, `{"errors":[],"warnings":[]}`},
		"none":                   {"# Tuned\n", 200, "empty or missing yaml metadata"},
		"empty":                  {"---\n---\n", 200, "empty or missing yaml metadata"},
		"no YAML":                {"---\na: [\n---\n", 400, "invalid YAML metadata"},
		"a list":                 {"---\n- a\n---\n", 400, "invalid YAML metadata"},
		"licence is a number":    {"---\nlicense: 2\n---\n", 400, `\"license[0]\" must be a string`},
		"a base model's path":    {"---\nbase_model: /workspace/models/x\n---\n", 400, `\"base_model[0]\" with value \"/workspace/models/x\" is not valid`},
		"language in capitals":   {"---\nlanguage: EN\n---\n", 400, `\"language[0]\" with value \"EN\"`},
		"no index":               {"---\nmodel-index: 5\n---\n", 400, `\"model-index\" must be an array`},
		"a model without name":   {strings.Replace(goodCard, "name: tuned", "title: tuned", 1), 400, `\"model-index[0].name\" is required`},
		"results without task":   {strings.Replace(goodCard, "task: {type: summarization}", "note: x", 1), 400, `\"model-index[0].results[0].task.type\" is required`},
		"a dataset without name": {strings.Replace(goodCard, "name: dialogues, ", "", 1), 400, `dataset.name\" is required`},
		"a metric without value": {strings.Replace(goodCard, ", value: 40.5", "", 1), 400, `metrics[0].value\" is required`},
	} {
		status, text := u.send("POST", "/api/validate-yaml", map[string]string{"content": test.card, "repoType": "model"})
		if status != test.status || !strings.Contains(strings.ReplaceAll(text, `\\"`, `"`), test.want) {
			t.Errorf("%s: %d %s", name, status, text)
		}
		if err := checkCard([]byte(test.card)); (err == nil) != (status == http.StatusOK) {
			t.Errorf("%s: a commit with it says %v", name, err)
		}
	}
}
