package charts

import "sigs.k8s.io/yaml"

// Meta is the part of Chart.yaml that this program shows.
type Meta struct {
	Name       string `json:"name"`
	Version    string `json:"version"`
	AppVersion string `json:"appVersion"`
}

// Metadata reads the embedded chart's Chart.yaml.
func Metadata() (Meta, error) {
	data, err := FS.ReadFile(Name + "/Chart.yaml")
	if err != nil {
		return Meta{}, err
	}
	var meta Meta
	return meta, yaml.Unmarshal(data, &meta)
}
