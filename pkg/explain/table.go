package explain

import (
	"fmt"
	"slices"
	"strings"
)

// entry explains the fields that its path leads to, such as env[HF_TOKEN].name. * stands for anything in one step, and
// ... at the end for all that is below as well.
type entry struct {
	path string
	text string
	// derive makes the text from the value and the chart's values; "" leaves the field to the next entry that matches.
	derive func(field) string
}

// section is a list of entries that hold for one kind, or for every kind where that is "", below a path.
type section struct {
	kind, below string
	entries     []entry
}

// sections are read from first to last: what is said of one kind stands before what is said of all.
func sections() []section {
	var all []section
	for _, pod := range []struct{ kind, template string }{
		{"Deployment", "spec.template"},
		{"LeaderWorkerSet", "spec.leaderWorkerTemplate.leaderTemplate"},
		{"LeaderWorkerSet", "spec.leaderWorkerTemplate.workerTemplate"},
	} {
		for _, below := range []string{".spec.containers[vllm]", ".spec.initContainers[download]"} {
			all = append(all,
				section{pod.kind, pod.template + below, fromUser()},
				section{pod.kind, pod.template + below + ".env", environment()},
				section{pod.kind, pod.template + below, container()})
		}
		all = append(all,
			section{pod.kind, pod.template + ".spec.containers[vllm].args", arguments()},
			section{pod.kind, pod.template + ".spec.containers[vllm]", server()},
			section{pod.kind, pod.template + ".spec.containers[vllm].resources", resources()},
			section{pod.kind, pod.template + ".spec.initContainers[download]", download()},
			section{pod.kind, pod.template + ".spec", placement()},
			section{pod.kind, pod.template + ".spec", pods()},
			section{pod.kind, pod.template + ".spec.volumes", volumes()},
			section{pod.kind, pod.template, template()})
	}
	return append(all,
		section{"Pod", "spec.containers[test]", testContainer()},
		section{"Pod", "spec.containers[test]", container()},
		section{"Pod", "spec", placement()},
		section{"Pod", "spec", pods()},
		section{"Pod", "", testPod()},
		section{"Deployment", "", deployment()},
		section{"LeaderWorkerSet", "", leaderWorkerSet()},
		section{"Service", "", service()},
		section{"ConfigMap", "", configMap()},
		section{"ServiceAccount", "", serviceAccount()},
		section{"NetworkPolicy", "", networkPolicy()},
		section{"PodDisruptionBudget", "", disruptionBudget()},
		section{"PersistentVolumeClaim", "", claim()},
		section{"", "", everyObject()})
}

// row is an entry with its path taken apart.
type row struct {
	entry
	kind  string
	steps []string
	whole bool
}

type table []row

func newTable() table {
	var t table
	for _, s := range sections() {
		for _, e := range s.entries {
			path, whole := strings.CutSuffix(e.path, "...")
			t = append(t, row{entry: e, kind: s.kind, steps: append(steps(s.below), steps(path)...), whole: whole})
		}
	}
	return t
}

// steps takes a path such as a.b[c.d] apart.
func steps(path string) []string {
	var all []string
	for path != "" {
		var step string
		if rest, ok := strings.CutPrefix(path, "["); ok {
			step, path, _ = strings.Cut(rest, "]")
		} else {
			end := strings.IndexAny(path, ".[")
			if end < 0 {
				end = len(path)
			}
			step, path = path[:end], path[end:]
		}
		path = strings.TrimPrefix(path, ".")
		all = append(all, step)
	}
	return all
}

// explain returns the entry that explains a field and its words. The words are "" below a field that was explained
// with all that is below it.
func (t table) explain(f field) (e entry, text string, found bool) {
	for depth := 1; depth <= len(f.path); depth++ {
		at := f
		at.path = f.path[:depth]
		if depth < len(f.path) {
			at.value = ""
		}
		for _, r := range t {
			if depth < len(f.path) && !r.whole || !r.matches(at) {
				continue
			}
			if depth < len(f.path) {
				// The words may depend on the value, which only the field itself has.
				if r.derive == nil || r.derive(at) != "" {
					return r.entry, "", true
				}
				continue
			}
			if text := r.words(f); text != "" {
				return r.entry, text, true
			}
		}
	}
	return entry{}, "", false
}

func (r row) matches(f field) bool {
	return (r.kind == "" || r.kind == f.kind) && slices.EqualFunc(r.steps, f.path, matchStep)
}

func matchStep(pattern, step string) bool {
	before, after, wild := strings.Cut(pattern, "*")
	if !wild {
		return pattern == step
	}
	return len(step) >= len(before)+len(after) && strings.HasPrefix(step, before) && strings.HasSuffix(step, after)
}

func (r row) words(f field) string {
	if r.derive != nil {
		return r.derive(f)
	}
	return r.text
}

// last is the last step of the path: the key or the item's name.
func (f field) last() string { return f.path[len(f.path)-1] }

// chart returns a value of the chart, by its path.
func (f field) chart(path string) any {
	var at any = f.values
	for _, step := range strings.Split(path, ".") {
		m, ok := at.(map[string]any)
		if !ok {
			return nil
		}
		at = m[step]
	}
	return at
}

// set says whether a value of the chart is neither null nor empty.
func (f field) set(path string) bool {
	switch v := f.chart(path).(type) {
	case nil:
		return false
	case string:
		return v != ""
	case bool:
		return v
	case []any:
		return len(v) > 0
	case map[string]any:
		return len(v) > 0
	}
	return true
}

// hasKey says whether a map among the chart's values has a key, or a list an item of that name.
func (f field) hasKey(path, key string) bool {
	switch v := f.chart(path).(type) {
	case map[string]any:
		_, ok := v[key]
		return ok
	case []any:
		return slices.ContainsFunc(v, func(item any) bool {
			m, ok := item.(map[string]any)
			return ok && (m["name"] == key || m["mountPath"] == key)
		})
	}
	return false
}

// number is a value of the chart as text; whole numbers from YAML arrive as floats.
func (f field) number(path string) string { return fmt.Sprint(f.chart(path)) }

// either returns one text where a value of the chart is set, another where it is not.
func either(path, set, unset string) func(field) string {
	return func(f field) string {
		if f.set(path) {
			return set
		}
		return unset
	}
}

// when returns the text that belongs to the field's own value, "" for any other value.
func when(texts map[string]string) func(field) string {
	return func(f field) string { return texts[f.value] }
}
