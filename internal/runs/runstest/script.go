package runstest

import (
	"testing"

	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"

	"github.com/kubectl-summarizer/kubectl-summarizer/pkg/train"
)

// Script changes a run while it is followed.
type Script struct {
	T      testing.TB
	Client *Client
	Run    string
}

// Pod creates a pod, or changes it to this.
func (s Script) Pod(p *corev1.Pod) {
	pods := s.Client.Clientset.CoreV1().Pods(Namespace)
	_, err := pods.Create(s.T.Context(), p, metav1.CreateOptions{})
	if apierrors.IsAlreadyExists(err) {
		_, err = pods.Update(s.T.Context(), p, metav1.UpdateOptions{})
	}
	s.must(err)
}

// Job changes a Job.
func (s Script) Job(name string, change func(*batchv1.Job)) {
	jobs := s.Client.BatchV1().Jobs(Namespace)
	job, err := jobs.Get(s.T.Context(), name, metav1.GetOptions{})
	s.must(err)
	change(job)
	_, err = jobs.Update(s.T.Context(), job, metav1.UpdateOptions{})
	s.must(err)
}

// Record sets a key of the run's record.
func (s Script) Record(key string, value any) {
	maps := s.Client.Clientset.CoreV1().ConfigMaps(Namespace)
	record, err := maps.Get(s.T.Context(), train.ObjectName(s.Run), metav1.GetOptions{})
	s.must(err)
	Record(s.T, []runtime.Object{record}, s.Run, key, value)
	_, err = maps.Update(s.T.Context(), record, metav1.UpdateOptions{})
	s.must(err)
}

// must ends the test; a script runs beside it, where Fatal may not be called.
func (s Script) must(err error) {
	if err != nil {
		panic(err)
	}
}
