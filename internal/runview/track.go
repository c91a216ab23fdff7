package runview

import (
	"fmt"
	"strings"
	"time"

	"github.com/kubectl-summarizer/kubectl-summarizer/internal/cluster"
	"github.com/kubectl-summarizer/kubectl-summarizer/internal/runs"
	"github.com/kubectl-summarizer/kubectl-summarizer/internal/ui"
	"github.com/kubectl-summarizer/kubectl-summarizer/pkg/train"
)

// deaf is how long nothing may be heard of a program until what it wrote into the record is
// shown: who may not read logs sees that alone.
const deaf = 10 * time.Second

// track is what is known of one run that is followed.
type track struct {
	name  string
	now   func() time.Time
	begun time.Time

	run  *runs.Run
	away error
	// pod is who spoke last, heard whether any did.
	pod   string
	heard bool
	phase *train.Event
	// measure is the newest progress of the phase, from the first of which the rate follows.
	measure *train.Event
	rate    meter
	step    *train.Event
	eval    *float64
	curve   ui.Curve
	// checkpoint is the step of the newest checkpoint, 0 when there is none.
	checkpoint int
	told       map[string]bool
	// logged is when a log was told of it last.
	logged time.Time
}

func newTrack(name string, now func() time.Time) *track {
	return &track{name: name, now: now, begun: now(), told: map[string]bool{}}
}

// take notes news, and returns lines that stay on the screen.
func (t *track) take(u runs.Update) []string {
	t.away = u.Away
	t.run = u.Run
	switch {
	case u.Event != nil:
		return t.event(u.Pod, u.Event)
	case u.Pod != "":
		t.heard = true
		return nil
	}
	lines := t.replaced()
	if !t.heard && t.now().Sub(t.begun) >= deaf {
		t.read(&u.Run.Progress)
	}
	return lines
}

// read takes the newest events from the record.
func (t *track) read(p *runs.Progress) {
	for _, e := range []*train.Event{p.Phase, p.Progress, p.Step, p.Eval} {
		if e != nil {
			t.note(e)
		}
	}
}

// replaced tells of pods that ended while the run goes on.
func (t *track) replaced() []string {
	if t.run.State.Over() {
		return nil
	}
	var lines []string
	for i := len(t.run.Pods) - 1; i >= 0; i-- {
		pod := &t.run.Pods[i]
		why := t.run.Replaced(i)
		if why == "" || t.told[pod.Name] {
			continue
		}
		t.told[pod.Name] = true
		next := "a new pod goes on"
		switch {
		case pod.Component == train.ComponentTrain && t.checkpoint > 0:
			next = fmt.Sprintf("a new pod goes on from step %d", t.checkpoint)
		case pod.Component == train.ComponentTrain:
			next = "a new pod goes on from the last checkpoint"
		}
		lines = append(lines, fmt.Sprintf("%s; %s", why, next))
	}
	return lines
}

// event takes what a pod's program said.
func (t *track) event(pod string, e *train.Event) []string {
	t.heard = true
	if pod != t.pod {
		t.pod, t.phase, t.measure = pod, nil, nil
	}
	t.note(e)
	switch e.Event {
	case "data":
		return t.once("data: " + dataText(e.Splits))
	case "resume":
		text := fmt.Sprintf("goes on from step %d", e.Step)
		if len(e.Skipped) > 0 {
			text += "; not complete, and skipped: " + strings.Join(e.Skipped, ", ")
		}
		return []string{text}
	case "warning":
		return []string{"warning: " + asFlags.Replace(e.Message)}
	}
	return nil
}

// once returns a line that was not said before: each stage counts the data.
func (t *track) once(line string) []string {
	if t.told[line] {
		return nil
	}
	t.told[line] = true
	return []string{line}
}

// note keeps what the status line and the curve show.
func (t *track) note(e *train.Event) {
	switch e.Event {
	case "phase":
		if t.phase == nil || t.phase.Phase != e.Phase {
			t.measure, t.rate = nil, meter{}
		}
		t.phase = e
	case "progress":
		if t.phase == nil || t.phase.Phase != e.Phase {
			t.phase, t.rate = &train.Event{Phase: e.Phase}, meter{}
		}
		t.measure = e
		t.rate.add(e)
	case "step":
		if t.phase == nil || t.phase.Phase != "train" {
			t.phase = &train.Event{Phase: "train"}
		}
		t.step = e
		t.curve.End = int(e.Total)
		if e.Loss != nil {
			t.curve.Add(e.Step, *e.Loss)
		}
	case "eval":
		t.eval = e.Loss
	case "resume", "checkpoint":
		t.checkpoint = e.Step
	case "interrupted":
		t.checkpoint = max(t.checkpoint, e.Step)
	}
}

// status is what the run does now, and how far it is.
func (t *track) status(bar int) (phase, detail string) {
	switch {
	case t.away != nil:
		return "the cluster does not answer", cluster.Explain(t.away).Error()
	case t.run == nil:
		return "looking for the run", ""
	}
	switch t.run.State {
	case runs.Waiting:
		if t.run.Stuck || t.run.Reason == "ErrImagePull" || t.run.Reason == "ImagePullBackOff" {
			return "the pod cannot start", t.run.Message
		}
		return "waiting for a node", t.run.Message
	case runs.Pulling:
		return "pulling the image", t.run.Message
	case runs.Queued:
		return "waiting for its turn", t.run.Message
	case runs.Pending:
		if t.run.Blocked != "" {
			return "the cluster refuses the pod", t.run.Blocked
		}
		return "waiting for the pod", t.run.Message
	case runs.Preparing, runs.Training, runs.Judging:
		return t.working(bar)
	}
	return strings.ToLower(string(t.run.State)), t.run.Message
}

func (t *track) working(bar int) (phase, detail string) {
	active := t.run.Active()
	if t.phase == nil || t.pod != "" && active != nil && active.Name != t.pod {
		// The new pod's program has not spoken yet.
		return "starting the program", ""
	}
	phase = PhaseName(t.phase.Phase)
	switch {
	case t.phase.Phase == "train" && t.step != nil:
		detail = stepText(t.step, t.eval)
		if bar > 0 {
			detail = ui.Bar(float64(t.step.Step), float64(t.step.Total), bar) + " " + detail
		}
	case t.measure != nil && t.measure.Done+t.measure.Total > 0:
		detail = Measure(t.measure, t.rate.perSecond)
		if bar > 0 && t.measure.Total > 0 {
			detail = ui.Bar(float64(t.measure.Done), float64(t.measure.Total), bar) + " " + detail
		}
	default:
		detail = t.phase.Detail
	}
	return phase, detail
}

// meter works out how fast something goes, from the events' own times.
type meter struct {
	first     *train.Event
	perSecond float64
}

func (m *meter) add(e *train.Event) {
	if m.first == nil || e.Done < m.first.Done {
		m.first = e
		return
	}
	from, err := time.Parse(time.RFC3339, m.first.Time)
	to, errTo := time.Parse(time.RFC3339, e.Time)
	if took := to.Sub(from).Seconds(); err == nil && errTo == nil && took > 0 {
		m.perSecond = float64(e.Done-m.first.Done) / took
	}
}
