package runs

import (
	"context"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/kubectl-summarizer/kubectl-summarizer/pkg/train"
)

// Scores reads the scores of every judged example; found is false for a run that has none.
func (o *Observer) Scores(ctx context.Context, name string) (scores train.ExampleScores, found bool, err error) {
	record, err := o.Client.CoreV1().ConfigMaps(o.Namespace).Get(ctx, train.ObjectName(name), metav1.GetOptions{})
	if err != nil {
		return scores, false, err
	}
	text := record.Data[train.KeyScores]
	if text == "" {
		return scores, false, nil
	}
	scores, err = train.ParseScores([]byte(text))
	return scores, true, err
}
