package main

import (
	"bytes"
	"encoding/json"
	"strings"
)

// adapter is one --lora-modules entry, in the form that the simulator takes.
type adapter struct {
	Name     string `json:"name"`
	Path     string `json:"path"`
	BaseName string `json:"base_model_name,omitempty"`
}

// parseAdapters reads name=path or JSON entries, and refuses others as vLLM does.
func parseAdapters(items []string) ([]adapter, error) {
	var out []adapter
	for _, item := range items {
		if item == "" || item == "None" {
			continue
		}
		if name, path, ok := strings.Cut(item, "="); ok && !strings.Contains(item, ",") {
			out = append(out, adapter{Name: name, Path: path})
			continue
		}
		if !json.Valid([]byte(item)) {
			return nil, serveError("Invalid JSON format for --lora-modules: %s", item)
		}
		var a struct {
			adapter
			Is3D bool `json:"is_3d_lora_weight"`
		}
		decoder := json.NewDecoder(bytes.NewReader([]byte(item)))
		decoder.DisallowUnknownFields()
		if err := decoder.Decode(&a); err != nil || a.Name == "" || a.Path == "" {
			return nil, serveError("Invalid fields for --lora-modules: %s - want name and path", item)
		}
		out = append(out, a.adapter)
	}
	return out, nil
}
