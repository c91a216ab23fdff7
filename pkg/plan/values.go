package plan

import (
	"encoding/json"
	"fmt"
	"math"
	"regexp"
	"strconv"
	"strings"
)

// values reads chart values, which YAML, JSON and --set give in different types.
type values map[string]any

func (v values) at(path ...string) any {
	var found any = map[string]any(v)
	for _, key := range path {
		inner, ok := found.(map[string]any)
		if !ok {
			return nil
		}
		found = inner[key]
	}
	return found
}

func (v values) text(path ...string) string {
	if text, ok := v.at(path...).(string); ok {
		return text
	}
	return ""
}

func (v values) flag(path ...string) bool {
	flag, _ := v.at(path...).(bool)
	return flag
}

// number returns a number, 0 for null and what is none: the chart's schema says what is wrong with that.
func (v values) number(path ...string) float64 {
	switch n := v.at(path...).(type) {
	case float64:
		return n
	case int64:
		return float64(n)
	case int:
		return float64(n)
	case json.Number:
		f, err := n.Float64()
		if err != nil {
			return 0
		}
		return f
	case string:
		f, err := strconv.ParseFloat(n, 64)
		if err != nil {
			return 0
		}
		return f
	}
	return 0
}

func (v values) whole(path ...string) int {
	n := v.number(path...)
	return int(math.Max(math.MinInt32, math.Min(math.MaxInt32, n)))
}

// flagIn returns the value of a flag among engine.extraArgs, "" when it is not there.
func (v values) flagIn(names ...string) string {
	list, _ := v.at("engine", "extraArgs").([]any)
	for i, item := range list {
		flag, value, joined := strings.Cut(fmt.Sprint(item), "=")
		for _, name := range names {
			switch {
			case strings.ReplaceAll(flag, "_", "-") != name:
			case joined:
				return value
			case i+1 < len(list):
				return fmt.Sprint(list[i+1])
			}
		}
	}
	return ""
}

var human = regexp.MustCompile(`^([0-9]+(?:\.[0-9]+)?)([kKmM]?)$`)

// length reads a context's length as vLLM does: 32k is 32000, 32K is 32768.
func length(text string) (int, error) {
	match := human.FindStringSubmatch(text)
	if match == nil {
		return 0, fmt.Errorf("%q is no number of tokens", text)
	}
	n, err := strconv.ParseFloat(match[1], 64)
	if err != nil {
		return 0, err
	}
	n *= map[string]float64{"": 1, "k": 1e3, "m": 1e6, "K": 1 << 10, "M": 1 << 20}[match[2]]
	if n > math.MaxInt32 {
		return 0, fmt.Errorf("%q is no number of tokens", text)
	}
	return int(n), nil
}
