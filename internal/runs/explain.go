package runs

import (
	"cmp"
	"encoding/json"
	"fmt"
	"strings"

	"github.com/kubectl-summarizer/kubectl-summarizer/internal/product"
	"github.com/kubectl-summarizer/kubectl-summarizer/pkg/train"
)

// explainFailure says why a run failed: the program's own words first, then those of the pod
// that ended last, then the Job's.
func explainFailure(run *Run, target string) {
	work := run.Train
	if run.Prepare.Failed {
		work = run.Prepare
	}
	run.Finished = work.Finished
	pod := lastFailed(run)
	switch {
	case work.Reason == "DeadlineExceeded":
		run.Reason, run.Message = work.Reason, "it ran longer than it was allowed to: "+work.Message
	case run.failure != nil:
		run.Reason, run.Message, run.Next = run.failure.Kind, run.failure.Message, run.failure.Next
	case pod != nil:
		run.Reason, run.Message, run.Next = lastWord(pod)
	default:
		run.Reason, run.Message = work.Reason, work.Message
	}
	run.Next = strings.TrimSpace(run.Next + "\n" + nextForFailed(run, target))
}

// lastFailed is the newest pod that ended badly by itself.
func lastFailed(run *Run) *Pod {
	for i := range run.Pods {
		if p := &run.Pods[i]; p.Over && p.Disrupted == "" && p.exitCode != train.ExitInterrupted {
			return p
		}
	}
	return nil
}

// lastWord is why a pod ended: by its program when that left a word, else by the cluster.
func lastWord(pod *Pod) (reason, message, next string) {
	var e train.Event
	if json.Unmarshal([]byte(lastLine(pod.said)), &e) == nil && e.Event == "error" && e.Message != "" {
		return e.Kind, e.Message, e.Next
	}
	message = cmp.Or(lastLine(pod.said), pod.Message)
	switch {
	case strings.HasPrefix(pod.Reason, "OOMKilled"):
		message = "the container of pod " + pod.Name + " used more memory than it may"
	case message == "":
		message = fmt.Sprintf("pod %s ended with %s", pod.Name, pod.Reason)
	}
	return pod.Reason, message, pod.Next
}

func lastLine(text string) string {
	lines := strings.Split(strings.TrimSpace(text), "\n")
	return strings.TrimSpace(lines[len(lines)-1])
}

func nextForFailed(run *Run, target string) string {
	in := " -n " + run.Namespace + target
	logs := fmt.Sprintf("see its log: %s runs logs %s%s", product.Command, run.Name, in)
	if run.Prepare.Failed {
		logs = fmt.Sprintf("see its log: %s runs logs %s --prepare%s", product.Command, run.Name, in)
	}
	again := "go on"
	if _, total := run.Steps(); total > 0 {
		again = "go on from the last checkpoint"
	}
	return fmt.Sprintf("%s\n%s, with other flags where they help: %s train --resume %s%s", logs, again, product.Command, run.Name, in)
}

// Replaced says why the pod ended in whose place another goes on, "" when that is not so: a
// failure may end the run, and is told here only once there is a newer pod.
func (r *Run) Replaced(i int) string {
	pod := &r.Pods[i]
	switch {
	case pod.Disrupted != "":
		return "preempted (" + pod.Disrupted + ")"
	case !pod.Over:
		return ""
	case pod.exitCode == train.ExitInterrupted:
		return "interrupted"
	case i > 0 && r.Pods[i-1].Component == pod.Component:
		_, why, _ := lastWord(pod)
		return "failed (" + why + ")"
	}
	return ""
}
