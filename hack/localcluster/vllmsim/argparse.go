package main

import (
	"fmt"
	"regexp"
	"strings"
)

// Python's argparse decides how `vllm serve` reads its arguments: prefixes of options count,
// values may follow "=", and what is left over is refused at the end. This is that algorithm for
// the kinds of option that vLLM has, with argparse's own wording.

// usageError is what argparse prints before it exits with 2. Prog is the program that it blames:
// leftovers are found by the parser above the serve command.
type usageError struct{ prog, message string }

func (e *usageError) Error() string { return e.prog + ": error: " + e.message }

func serveError(format string, args ...any) error {
	return &usageError{"vllm serve", fmt.Sprintf(format, args...)}
}

// parsed is the outcome: values by dest. An option without value has an empty list under its dest,
// its --no- form under "no-" and the dest.
type parsed struct {
	model  string
	values map[string][]string
}

func (p parsed) get(dest, otherwise string) string {
	if v := p.values[dest]; len(v) > 0 {
		return v[0]
	}
	return otherwise
}

func (p parsed) has(dest string) bool { _, ok := p.values[dest]; return ok }

var negativeNumber = regexp.MustCompile(`^-\d+$|^-\d*\.\d+$`)

// match is an argument that looks like an option. option is nil for one that does not exist.
type match struct {
	option   *option
	name     string
	explicit *string
}

// classify says whether an argument is an option, as argparse's _parse_optional does.
func (t optionTable) classify(arg string) (*match, error) {
	if len(arg) < 2 || arg[0] != '-' {
		return nil, nil
	}
	if o := t.byName[arg]; o != nil {
		return &match{option: o, name: arg}, nil
	}
	if name, value, ok := strings.Cut(arg, "="); ok {
		if o := t.byName[name]; o != nil {
			return &match{o, name, &value}, nil
		}
	}
	candidates := t.prefixes(arg)
	if len(candidates) > 1 {
		var names []string
		for _, c := range candidates {
			names = append(names, c.name)
		}
		return nil, serveError("ambiguous option: %s could match %s", arg, strings.Join(names, ", "))
	}
	if len(candidates) == 1 {
		return candidates[0], nil
	}
	if negativeNumber.MatchString(arg) || strings.Contains(arg, " ") {
		return nil, nil
	}
	return &match{name: arg}, nil
}

// prefixes finds the options that an abbreviated argument may mean.
func (t optionTable) prefixes(arg string) []*match {
	var out []*match
	prefix, value, hasValue := strings.Cut(arg, "=")
	var explicit *string
	if hasValue {
		explicit = &value
	}
	if strings.HasPrefix(arg, "--") {
		for _, name := range t.names {
			if strings.HasPrefix(name, prefix) {
				out = append(out, &match{t.byName[name], name, explicit})
			}
		}
		return out
	}
	// With one dash, "-q8" may be -q with the value "8", and "-t" the start of -tp.
	rest := arg[2:]
	for _, name := range t.names {
		if name == arg[:2] {
			out = append(out, &match{t.byName[name], name, &rest})
		} else if strings.HasPrefix(name, arg) {
			out = append(out, &match{t.byName[name], name, nil})
		}
	}
	return out
}

// parse reads the arguments after "serve".
func (t optionTable) parse(args []string) (parsed, error) {
	p := parsed{values: map[string][]string{}}
	matches := make([]*match, len(args))
	onlyValues := false
	for i, arg := range args {
		if onlyValues {
			continue
		}
		if arg == "--" {
			onlyValues = true
			continue
		}
		var err error
		if matches[i], err = t.classify(arg); err != nil {
			return p, err
		}
	}
	var extras []string
	haveModel, sawDashes := false, false
	for i := 0; i < len(args); {
		m := matches[i]
		switch {
		case m == nil && args[i] == "--" && !sawDashes:
			sawDashes = true
			i++
		case m == nil && !haveModel:
			haveModel = true
			p.model = args[i]
			i++
		case m == nil || m.option == nil:
			extras = append(extras, args[i])
			i++
		default:
			next, err := p.consume(m, args, matches, i)
			if err != nil {
				return p, err
			}
			i = next
		}
	}
	if len(extras) > 0 {
		return p, &usageError{"vllm", "unrecognized arguments: " + strings.Join(extras, " ") + taskHint(extras)}
	}
	return p, nil
}

// consume takes an option and its values; it returns the index of the next argument.
func (p parsed) consume(m *match, args []string, matches []*match, i int) (int, error) {
	label := strings.Join(m.option.names, "/")
	var values []string
	next := i + 1
	switch {
	case m.option.values == "none":
		if m.explicit != nil {
			return 0, serveError("argument %s: ignored explicit argument %s", label, pyQuote(*m.explicit))
		}
	case m.explicit != nil:
		values = []string{*m.explicit}
	default:
		for next < len(args) && matches[next] == nil && args[next] != "--" {
			values = append(values, args[next])
			next++
			if m.option.values != "list" {
				break
			}
		}
		if len(values) == 0 && m.option.values == "one" {
			return 0, serveError("argument %s: expected one argument", label)
		}
		if len(values) == 0 && m.option.values == "list" {
			return 0, serveError("argument %s: expected at least one argument", label)
		}
	}
	for _, v := range values {
		if err := m.option.check(v); err != nil {
			return 0, serveError("argument %s: %v", label, err)
		}
	}
	dest := m.option.dest()
	if dest == "lora-modules" {
		if _, err := parseAdapters(values); err != nil {
			return 0, err
		}
	}
	if m.option.values == "none" && strings.HasPrefix(m.name, "--no-") && len(m.option.names) > 1 {
		delete(p.values, positive(m.option))
		p.values["no-"+positive(m.option)] = nil
		return next, nil
	}
	if m.option.values == "none" {
		dest = positive(m.option)
		delete(p.values, "no-"+dest)
	}
	p.values[dest] = values
	return next, nil
}

// positive is the dest of a switch whichever of its two forms the table names first.
func positive(o *option) string {
	if len(o.names) > 1 && strings.HasPrefix(o.names[0], "--no-") {
		return strings.TrimPrefix(o.names[0], "--no-")
	}
	return o.dest()
}

func taskHint(extras []string) string {
	for _, e := range extras {
		if e == "--task" || strings.HasPrefix(e, "--task=") {
			return "\n\nHint: --task is not a vllm serve option. For embedding, reranking, or reward models, use --runner pooling. " +
				"To adapt a generative model for pooling, also use --convert embed, --convert classify, or --convert reward."
		}
	}
	return ""
}
