package promote

import (
	"fmt"

	"github.com/kubectl-summarizer/kubectl-summarizer/pkg/render"
)

// served are the values that a release has: the user's over the chart's.
type served struct {
	values, defaults map[string]any
}

// at returns the value at a path, of the chart when the user set none.
func (s *served) at(path ...string) any {
	if value, found := lookup(s.values, path); found {
		return value
	}
	value, _ := lookup(s.defaults, path)
	return value
}

func lookup(values map[string]any, path []string) (any, bool) {
	var found any = values
	for _, key := range path {
		m, ok := found.(map[string]any)
		if !ok {
			return nil, false
		}
		if found, ok = m[key]; !ok {
			return nil, false
		}
	}
	return found, true
}

func (s *served) text(path ...string) string {
	text, _ := s.at(path...).(string)
	return text
}

func (s *served) flag(path ...string) bool {
	flag, _ := s.at(path...).(bool)
	return flag
}

// number reads a whole number, which YAML and JSON give as different types; 0 for none.
func (s *served) number(path ...string) int64 {
	switch n := s.at(path...).(type) {
	case int:
		return int64(n)
	case int64:
		return n
	case float64:
		return int64(n)
	}
	return 0
}

func (s *served) list(path ...string) []any {
	list, _ := s.at(path...).([]any)
	return list
}

// model is the name that clients ask for when they mean the model itself.
func (s *served) model() string {
	if name := s.text("model", "servedName"); name != "" {
		return name
	}
	return s.text("model", "id")
}

// adapters are the names of the served adapters.
func (s *served) adapters() []string {
	var names []string
	for _, item := range s.list("adapters") {
		if adapter, ok := item.(map[string]any); ok {
			names = append(names, fmt.Sprint(adapter["name"]))
		}
	}
	return names
}

// adapter is where an adapter comes from, as the chart's values have it.
type adapter struct {
	name, repo, revision string
	rank                 int64
	// claim is the volume that it lies on, and path where; "" for one on the Hub.
	claim, path string
}

// legalRanks are what vLLM's --max-lora-rank takes.
var legalRanks = []int64{1, 8, 16, 32, 64, 128, 256, 320, 512}

// with returns the release's values with the adapter among them.
func (s *served) with(a adapter) (map[string]any, error) {
	entry := map[string]any{"name": a.name, "repo": a.repo}
	if a.revision != "" {
		entry["revision"] = a.revision
	}
	typed := []render.Typed{{Flag: "promote", Path: []string{"adapters"}, Value: replaced(s.list("adapters"), entry)}}
	if a.claim != "" {
		volume := volumeName(a.name)
		typed = append(typed,
			render.Typed{Flag: "promote", Path: []string{"extraVolumes"}, Value: replaced(s.list("extraVolumes"), map[string]any{
				"name": volume, "persistentVolumeClaim": map[string]any{"claimName": a.claim, "readOnly": true},
			})},
			render.Typed{Flag: "promote", Path: []string{"extraVolumeMounts"}, Value: replaced(s.list("extraVolumeMounts"), map[string]any{
				"name": volume, "mountPath": a.repo, "subPath": a.path, "readOnly": true,
			})})
	}
	// Read from the adapters when it is null; one that was set must hold this one too.
	if set := s.number("engine", "maxLoraRank"); set > 0 && set < a.rank {
		typed = append(typed, render.Typed{Flag: "promote", Path: []string{"engine", "maxLoraRank"}, Value: legal(a.rank)})
	} else if set == 0 && !s.flag("model", "download") {
		typed = append(typed, render.Typed{Flag: "promote", Path: []string{"engine", "maxLoraRank"}, Value: legal(a.rank)})
	}
	return render.MergeValues(render.Sources{Base: s.values, Typed: typed})
}

// replaced returns a list of named entries with one put in, in place of another of its name.
func replaced(list []any, entry map[string]any) []any {
	all := make([]any, 0, len(list)+1)
	found := false
	for _, item := range list {
		if named, ok := item.(map[string]any); ok && named["name"] == entry["name"] {
			item, found = entry, true
		}
		all = append(all, item)
	}
	if !found {
		all = append(all, entry)
	}
	return all
}

func legal(rank int64) int64 {
	for _, l := range legalRanks {
		if l >= rank {
			return l
		}
	}
	return rank
}
