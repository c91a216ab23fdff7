package main

import (
	"encoding/json"
	"fmt"
	"os"
	"regexp"
	"strings"

	"gopkg.in/yaml.v3"
)

// yamlBool11 are the words that Python's YAML reads as booleans and YAML 1.2 does not.
var yamlBool11 = regexp.MustCompile(`^(?i:yes|on|no|off)$`)

// loadConfig reads the file of --config and flattens it to arguments, as vLLM does.
func loadConfig(table optionTable, path string) ([]string, error) {
	parts := strings.Split(path, ".")
	if extension := parts[len(parts)-1]; extension != "yaml" && extension != "yml" {
		return nil, &crash{"ValueError", fmt.Sprintf("Config file must be of a yaml/yml type. %s supplied", extension)}
	}
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, &crash{"FileNotFoundError", fmt.Sprintf("[Errno 2] No such file or directory: %s", pyQuote(path))}
	}
	var document yaml.Node
	if err := yaml.Unmarshal(data, &document); err != nil {
		return nil, &crash{"yaml.scanner.ScannerError", err.Error()}
	}
	if len(document.Content) == 0 {
		return nil, &crash{"AttributeError", "'NoneType' object has no attribute 'items'"}
	}
	root := document.Content[0]
	if root.Kind != yaml.MappingNode {
		kind := "str"
		if root.Kind == yaml.SequenceNode {
			kind = "list"
		}
		return nil, &crash{"AttributeError", "'" + kind + "' object has no attribute 'items'"}
	}
	var args []string
	for i := 0; i+1 < len(root.Content); i += 2 {
		more, err := flatten(table, root.Content[i].Value, root.Content[i+1])
		if err != nil {
			return nil, err
		}
		args = append(args, more...)
	}
	return args, nil
}

func flatten(table optionTable, key string, value *yaml.Node) ([]string, error) {
	if value.Kind == yaml.AliasNode {
		value = value.Alias
	}
	if on, isBool := boolean(value); isBool {
		switch {
		case on:
			return []string{"--" + key}, nil
		case table.byName["--no-"+key] != nil:
			return []string{"--no-" + key}, nil
		}
		return nil, nil
	}
	switch value.Kind {
	case yaml.SequenceNode:
		if len(value.Content) == 0 {
			return nil, nil
		}
		args := []string{"--" + key}
		for _, item := range value.Content {
			args = append(args, scalar(item))
		}
		return args, nil
	case yaml.MappingNode:
		var decoded map[string]any
		if err := value.Decode(&decoded); err != nil {
			return nil, err
		}
		data, err := json.Marshal(decoded)
		return []string{"--" + key, string(data)}, err
	}
	return []string{"--" + key, scalar(value)}, nil
}

func boolean(n *yaml.Node) (on, ok bool) {
	if n.Kind != yaml.ScalarNode {
		return false, false
	}
	if n.Tag == "!!bool" {
		return strings.EqualFold(n.Value, "true"), true
	}
	if n.Style == 0 && yamlBool11.MatchString(n.Value) {
		return strings.EqualFold(n.Value, "yes") || strings.EqualFold(n.Value, "on"), true
	}
	return false, false
}

// scalar is Python's str of a value.
func scalar(n *yaml.Node) string {
	if on, ok := boolean(n); ok {
		return map[bool]string{true: "True", false: "False"}[on]
	}
	if n.Tag == "!!null" {
		return "None"
	}
	return n.Value
}
