package train

import (
	"fmt"
	"path"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/yaml"
)

// ordered returns the ConfigMap with the orders of a later stage, and the Job that carries them out on the run's
// volume. The stage's own arguments begin with the file of its orders.
func (p *plan) ordered(name string, s stage, orders any) ([]*unstructured.Unstructured, error) {
	data, err := yaml.Marshal(orders)
	if err != nil {
		return nil, fmt.Errorf("the orders of %s cannot be written: %w", name, err)
	}
	file := s.command + ".yaml"
	configMap := p.configMap(name, s.component)
	configMap.Data = map[string]string{file: string(data)}
	if s.alone {
		archive, _, err := Code()
		if err != nil {
			return nil, err
		}
		configMap.BinaryData = map[string][]byte{codeFile: archive}
	}
	s.args = append([]string{path.Join(ordersDir, file)}, s.args...)
	s.mounts = append(s.mounts, mount{name: "orders", path: ordersDir, readOnly: true, volume: configMapSource(name, file)})
	return toUnstructured(configMap, p.job(name, s))
}
