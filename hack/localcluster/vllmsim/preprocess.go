package main

import (
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strings"
)

// vLLM rewrites its arguments before argparse sees them: --model becomes the positional argument, a
// YAML file is spliced in, underscores become dashes, and --name.key value is gathered into JSON.

// crash is an error that the real program ends with as a Python exception: exit code 1.
type crash struct{ class, message string }

func (e *crash) Error() string { return e.class + ": " + e.message }

var (
	modelFlag  = regexp.MustCompile(`^--model(=.+|$)`)
	configFlag = regexp.MustCompile(`^--config(=.+|$)`)
	servedFlag = regexp.MustCompile(`^--served[-_]model[-_]name(=.+|$)`)
	level      = regexp.MustCompile(`^[0-3]$`)
)

// preprocess takes the arguments after "serve" and returns what argparse is to read.
func preprocess(table optionTable, args []string) ([]string, error) {
	args, err := modelFirst(args)
	if err != nil {
		return nil, err
	}
	if len(args) > 0 && strings.HasPrefix(args[0], "-") && !slices.ContainsFunc(args, configFlag.MatchString) &&
		slices.ContainsFunc(args, servedFlag.MatchString) {
		return nil, &crash{"ValueError", "`model` should be provided as the first positional argument when using `vllm serve`. i.e. `vllm serve <model> --<arg> <value>`."}
	}
	if slices.Contains(args, "--config") {
		if args, err = spliceConfig(table, args); err != nil {
			return nil, err
		}
	}
	return gatherDotted(dashes(args))
}

func modelFirst(args []string) ([]string, error) {
	i := slices.IndexFunc(args, modelFlag.MatchString)
	if i < 0 {
		return args, nil
	}
	model, rest := strings.TrimPrefix(args[i], "--model="), i+1
	if args[i] == "--model" {
		if i+1 == len(args) {
			return nil, &crash{"IndexError", "list index out of range"}
		}
		model, rest = args[i+1], i+2
	}
	return slices.Concat([]string{model}, args[:i], args[rest:]), nil
}

// spliceConfig puts the file's options before those of the command line, which so win.
func spliceConfig(table optionTable, args []string) ([]string, error) {
	i := slices.Index(args, "--config")
	if slices.Contains(args[i+1:], "--config") {
		return nil, &crash{"AssertionError", "More than one config file specified!"}
	}
	if i == len(args)-1 {
		return nil, &crash{"ValueError", "No config file specified! Please check your command-line arguments."}
	}
	fromFile, err := loadConfig(table, args[i+1])
	if err != nil {
		return nil, err
	}
	if !strings.HasPrefix(args[0], "-") {
		return slices.Concat(args[:1], fromFile, args[1:i], args[i+2:]), nil
	}
	if !slices.Contains(fromFile, "--model") {
		return nil, &crash{"ValueError", "No model specified! Please specify model either as a positional argument or in a config file."}
	}
	return slices.Concat(fromFile, args[:i], args[i+2:]), nil
}

// dashes rewrites underscores in option names up to the first dot, and -O3 to its long form.
func dashes(args []string) []string {
	var out []string
	for i, arg := range args {
		switch {
		case strings.HasPrefix(arg, "--help="):
			out = append(out, "--help")
		case strings.HasPrefix(arg, "--"):
			name, value, hasValue := strings.Cut(arg, "=")
			head, tail, dotted := strings.Cut(name, ".")
			name = strings.ReplaceAll(head, "_", "-")
			if dotted {
				name += "." + tail
			}
			if hasValue {
				name += "=" + value
			}
			out = append(out, name)
		case strings.HasPrefix(arg, "-O") && arg != "-O":
			out = append(out, "--optimization-level", strings.TrimPrefix(arg[2:], "="))
		case arg == "-O" && i+1 < len(args) && level.MatchString(args[i+1]):
			out = append(out, "--optimization-level")
		default:
			out = append(out, arg)
		}
	}
	return out
}

// gatherDotted turns "--name.key value" into one JSON value of --name, at the end.
func gatherDotted(args []string) ([]string, error) {
	var out, order []string
	gathered := map[string]map[string]any{}
	for i := 0; i < len(args); i++ {
		name, value, hasValue := strings.Cut(args[i], "=")
		if !strings.HasPrefix(args[i], "-") || !strings.Contains(name, ".") {
			out = append(out, args[i])
			continue
		}
		if !hasValue {
			if i+1 == len(args) {
				return nil, &crash{"IndexError", "list index out of range"}
			}
			i++
			value = args[i]
		}
		if list, ok := strings.CutSuffix(name, "+"); ok {
			name = list
			data, err := json.Marshal(strings.Split(value, ","))
			if err != nil {
				return nil, err
			}
			value = string(data)
		}
		keys := strings.Split(name, ".")
		if gathered[keys[0]] == nil {
			gathered[keys[0]] = map[string]any{}
			order = append(order, keys[0])
		}
		insert(gathered[keys[0]], keys[1:], value)
	}
	for _, name := range order {
		data, err := json.Marshal(gathered[name])
		if err != nil {
			return nil, fmt.Errorf("encode %s: %w", name, err)
		}
		out = append(out, name, string(data))
	}
	return out, nil
}

func insert(into map[string]any, keys []string, text string) {
	for ; len(keys) > 1; keys = keys[1:] {
		next, ok := into[keys[0]].(map[string]any)
		if !ok {
			next = map[string]any{}
			into[keys[0]] = next
		}
		into = next
	}
	var value any
	if json.Unmarshal([]byte(text), &value) != nil {
		value = text
	}
	into[keys[0]] = value
}
