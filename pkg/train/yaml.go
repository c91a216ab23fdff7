package train

import (
	"fmt"

	"sigs.k8s.io/yaml"
)

// ParseSpec reads a run.yaml. Fields that are left out get their defaults; a field that is not known, that is
// there twice or that Validate refuses is an error.
func ParseSpec(data []byte) (Spec, error) {
	s := Default()
	// A file must say which format it has.
	s.Version = 0
	if err := yaml.UnmarshalStrict(data, &s); err != nil {
		return Spec{}, fmt.Errorf("run.yaml cannot be read: %w", err)
	}
	if err := s.Validate(); err != nil {
		return Spec{}, err
	}
	return s, nil
}

// YAML returns the run.yaml, with every field but those that are empty by nature.
func (s *Spec) YAML() ([]byte, error) {
	data, err := yaml.Marshal(s)
	if err != nil {
		return nil, fmt.Errorf("run.yaml cannot be written: %w", err)
	}
	return data, nil
}
