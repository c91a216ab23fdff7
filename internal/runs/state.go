package runs

import (
	"fmt"
	"strings"

	"github.com/kubectl-summarizer/kubectl-summarizer/internal/cluster"
	"github.com/kubectl-summarizer/kubectl-summarizer/internal/product"
	"github.com/kubectl-summarizer/kubectl-summarizer/pkg/train"
)

// statusSucceeded is a result that has been judged.
const statusSucceeded = "succeeded"

// settle works out the state from everything that was read.
func settle(run *Run, target string) {
	if run.Result == nil {
		run.Result = lastWords(run)
	}
	judged := run.Result != nil && run.Result.Status == statusSucceeded
	switch {
	case run.Train.Failed, run.Prepare.Failed:
		run.State = Failed
		explainFailure(run, target)
	case run.Train.Complete && run.Result != nil, judged && !run.Train.There:
		run.State, run.Finished = Succeeded, run.Train.Finished
	case run.Train.Complete:
		run.State, run.Finished = Failed, run.Train.Finished
		run.Reason, run.Message = "NoResult", "it ended well, but left its result neither in its record nor in its pod"
		run.Next = nextForFailed(run, target)
	case run.Prepare.Stopped && !run.Prepare.Complete, run.Train.Stopped:
		run.State = Stopped
		run.Message = "stopped; it goes on from its last checkpoint"
		run.Next = fmt.Sprintf("go on with it: %s train --resume %s -n %s%s", product.Command, run.Name, run.Namespace, target)
	case !run.Train.There:
		run.State = Failed
		explainGone(run, target)
	default:
		settleWorking(run)
	}
}

// lastWords is the result in the termination message of a training that ended well, for when
// the record could not be written.
func lastWords(run *Run) *train.Result {
	for i := range run.Pods {
		pod := &run.Pods[i]
		if pod.Component != train.ComponentTrain || pod.Phase != cluster.Ended {
			continue
		}
		if result, err := train.ParseResult([]byte(pod.said)); err == nil {
			return &result
		}
	}
	return nil
}

// settleWorking is for a run that goes on, or that waits for its turn.
func settleWorking(run *Run) {
	if run.Blocked != "" {
		run.State, run.Reason, run.Message = Pending, "Refused", "the cluster refuses the pod: "+run.Blocked
		// A quota may be free again when something else ends; a policy stays.
		run.Stuck = strings.Contains(run.Blocked, "violates PodSecurity")
		return
	}
	pod := run.Active()
	if pod == nil {
		settleWithoutPod(run)
		return
	}
	run.Message, run.Next = pod.Message, pod.Next
	switch pod.Phase {
	case cluster.Unscheduled:
		run.State, run.Reason = Waiting, pod.Reason
	case cluster.Pulling:
		run.State = Pulling
	case cluster.Failing:
		run.State, run.Reason, run.Stuck = Waiting, pod.Reason, pod.Final
	case cluster.Running:
		settleRunning(run, pod)
	default:
		run.State = Pending
	}
}

func settleWithoutPod(run *Run) {
	prepared := run.Prepare.Complete || !run.Prepare.There
	ended := func(component string) bool {
		return len(run.Pods) > 0 && run.Pods[0].Component == component && run.Pods[0].Phase == cluster.Ended
	}
	switch {
	// A Job follows its pod within a moment.
	case !prepared && ended(train.ComponentPrepare):
		run.State = Preparing
	case ended(train.ComponentTrain), ended(train.ComponentPublish), ended(train.ComponentProbe):
		run.State = Judging
	case !prepared && run.Prepare.Suspended, prepared && run.Train.Suspended && run.Train.Queue != "":
		run.State, run.Message = Queued, "in the queue "+run.Train.Queue
	case !prepared:
		run.State = Pending
	case run.Train.Suspended:
		run.State, run.Message = Pending, "prepared, the training is about to start"
	default:
		run.State = Pending
	}
}

// judging are the program's phases after the training.
var judging = map[string]bool{"check": true, "evaluate": true}

func settleRunning(run *Run, pod *Pod) {
	if p := run.Progress.Phase; p != nil {
		run.Phase = p.Phase
	}
	switch {
	case pod.Component == train.ComponentPrepare:
		run.State = Preparing
	case judging[run.Phase], run.Result != nil:
		run.State = Judging
	default:
		run.State = Training
	}
}

// explainGone is for a run whose Jobs are not there any more and that did not end well.
func explainGone(run *Run, target string) {
	if run.failure != nil {
		explainFailure(run, target)
		return
	}
	run.Reason, run.Message = "Gone", "its Job is not there any more, and it left no result"
	run.Next = fmt.Sprintf("start it again from its last checkpoint: %s train --resume %s -n %s%s", product.Command, run.Name, run.Namespace, target)
}
