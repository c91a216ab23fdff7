package main

import (
	_ "embed"
	"strings"
)

// flagsTSV has one option of vLLM 0.32.0's `vllm serve` a line: names, how many values, type,
// choices, and for a JSON configuration its class and fields. flags.py prints it from the real program.
//
//go:embed flags.tsv
var flagsTSV string

// option is one option of `vllm serve`.
type option struct {
	names   []string
	values  string // none, one, maybe (none or one), list (one or more)
	kind    string // the type, as argparse names it
	choices []string
	class   string
	fields  []string
}

// dest is the name under which a value is kept: the first long one without dashes.
func (o *option) dest() string {
	for _, name := range o.names {
		if strings.HasPrefix(name, "--") {
			return strings.TrimPrefix(name, "--")
		}
	}
	return strings.TrimPrefix(o.names[0], "-")
}

// optionTable keeps the options in the program's order, which ambiguity messages follow.
type optionTable struct {
	byName map[string]*option
	names  []string
}

func loadTable() optionTable {
	t := optionTable{byName: map[string]*option{}}
	for line := range strings.Lines(flagsTSV) {
		cells := strings.Split(strings.TrimSuffix(line, "\n"), "\t")
		o := &option{names: strings.Split(cells[0], "|"), values: cells[1], kind: cells[2]}
		if cells[3] != "" {
			o.choices = strings.Split(cells[3], "|")
		}
		if class, fields, ok := strings.Cut(cells[4], ":"); ok {
			o.class, o.fields = class, strings.Split(fields, "|")
		}
		for _, name := range o.names {
			t.byName[name] = o
			t.names = append(t.names, name)
		}
	}
	return t
}
