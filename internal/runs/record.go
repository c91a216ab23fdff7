package runs

import (
	"encoding/json"
	"fmt"

	corev1 "k8s.io/api/core/v1"

	"github.com/kubectl-summarizer/kubectl-summarizer/pkg/train"
)

// Keys of the record beside those of package train.
const (
	// KeyOptions holds where and how the run's pods run, so that publishing, probing and going
	// on need not be told again.
	KeyOptions = "options.json"
	// KeyPublished is written by the publishing Job.
	KeyPublished = "published.json"
	// KeyMerged is the same of the model with the adapter in it.
	KeyMerged = "merged.json"
)

// EncodeOptions returns the record's options.json. It names Secrets and holds none; the user's
// files are left out, they have a ConfigMap of their own.
func EncodeOptions(options train.Options) (string, error) {
	data, err := json.Marshal(options)
	return string(data), err
}

// readRecord reads what the record holds. A part that is not there yet is no error, one that
// cannot be read is.
func readRecord(record *corev1.ConfigMap) (*Run, error) {
	run := &Run{
		Name: record.Labels[train.LabelInstance], Namespace: record.Namespace, Group: record.Labels[train.LabelGroup],
		Created: record.CreationTimestamp.Time, Pods: []Pod{},
	}
	spec, err := train.ParseSpec([]byte(record.Data[train.KeySpec]))
	if err != nil {
		return nil, fmt.Errorf("the record of run %s cannot be read: %w", run.Name, err)
	}
	run.Spec = spec
	if text := record.Data[train.KeyResult]; text != "" {
		result, err := train.ParseResult([]byte(text))
		if err != nil {
			return nil, fmt.Errorf("the record of run %s: %w", run.Name, err)
		}
		run.Result = &result
	}
	for key, into := range map[string]any{
		KeyOptions: &run.Options, train.KeyPrepared: &run.Prepared, train.KeyProgress: &run.Progress,
		KeyPublished: &run.Published, KeyMerged: &run.Merged, train.KeyError: &run.failure,
	} {
		if text := record.Data[key]; text != "" {
			if err := json.Unmarshal([]byte(text), into); err != nil {
				return nil, fmt.Errorf("the record of run %s: %s cannot be read: %w", run.Name, key, err)
			}
		}
	}
	return run, nil
}
