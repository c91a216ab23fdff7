package status

import (
	"encoding/json"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"

	"sigs.k8s.io/yaml"

	"github.com/kubectl-summarizer/kubectl-summarizer/internal/cluster"
	"github.com/kubectl-summarizer/kubectl-summarizer/internal/ui"
)

// report is one look at a release; its JSON form is stable.
type report struct {
	Release    string        `json:"release"`
	Namespace  string        `json:"namespace"`
	Chart      string        `json:"chart"`
	Revision   int           `json:"revision,omitempty"` // 0 when Helm's record may not be read
	Updated    time.Time     `json:"updated,omitzero"`   // as Revision
	Healthy    bool          `json:"healthy"`
	Summary    string        `json:"summary"`
	Deployment string        `json:"deployment,omitempty"`
	Desired    int32         `json:"desired"`
	UpToDate   int32         `json:"upToDate"`
	Available  int32         `json:"available"`
	Blocked    string        `json:"blocked,omitempty"`
	Served     *served       `json:"served,omitempty"`
	KVCache    *kvCache      `json:"kvCache,omitempty"`
	Pods       []cluster.Pod `json:"pods"`

	now time.Time
	// next is what to do when it is not healthy, beyond what the pods say.
	next string
}

func (r *report) json(w io.Writer) error {
	encoder := json.NewEncoder(w)
	encoder.SetIndent("", "  ")
	encoder.SetEscapeHTML(false)
	return encoder.Encode(r)
}

// yaml writes the same as json.
func (r *report) yaml(w io.Writer) error {
	text, err := yaml.Marshal(r)
	if err != nil {
		return err
	}
	_, err = w.Write(text)
	return err
}

func (r *report) text(w io.Writer) error {
	if r.Revision == 0 {
		fmt.Fprintf(w, "release    %s in %s, %s\n", r.Release, r.Namespace, r.Chart)
	} else {
		fmt.Fprintf(w, "release    %s in %s, revision %d, %s, installed %s ago\n",
			r.Release, r.Namespace, r.Revision, r.Chart, ui.Duration(r.now.Sub(r.Updated)))
	}
	fmt.Fprintf(w, "state      %s\n", r.Summary)
	r.servedText(w)
	if r.KVCache != nil {
		fmt.Fprintf(w, "KV cache   %s\n", r.KVCache.text())
	}
	if len(r.Pods) == 0 {
		return nil
	}
	fmt.Fprintln(w)
	rows := make([][]string, len(r.Pods))
	for i, p := range r.Pods {
		rows[i] = []string{p.Name, phaseText(&p), p.Node, strconv.FormatInt(p.GPUs, 10), restarts(&p), ui.Duration(r.now.Sub(p.Created))}
	}
	if err := ui.Table(w, []string{"POD", "PHASE", "NODE", "GPUS", "RESTARTS", "AGE"}, rows); err != nil {
		return err
	}
	for i := range r.Pods {
		if r.Pods[i].Phase != cluster.Ready {
			explainPod(w, &r.Pods[i])
		}
	}
	return nil
}

func (r *report) servedText(w io.Writer) {
	switch s := r.Served; {
	case s == nil:
	case s.Error != "":
		fmt.Fprintf(w, "model      the server did not say: %s\n", s.Error)
	default:
		fmt.Fprintf(w, "model      %s, context %d tokens", s.Model, s.MaxModelLen)
		if s.VLLM != "" {
			fmt.Fprintf(w, ", vLLM %s", s.VLLM)
		}
		fmt.Fprintln(w)
		adapters := "none"
		if len(s.Adapters) > 0 {
			adapters = strings.Join(s.Adapters, ", ")
		}
		fmt.Fprintf(w, "adapters   %s\n", adapters)
	}
}

func phaseText(p *cluster.Pod) string {
	if !p.Current && p.Phase != cluster.Stopping {
		return string(p.Phase) + " (old)"
	}
	return string(p.Phase)
}

func restarts(p *cluster.Pod) string {
	if p.LastExit == "" {
		return strconv.Itoa(int(p.Restarts))
	}
	return fmt.Sprintf("%d (last: %s)", p.Restarts, p.LastExit)
}

// explainPod says what keeps a pod from being ready, and what to do.
func explainPod(w io.Writer, p *cluster.Pod) {
	if p.Message == "" && p.Reason == "" {
		return
	}
	fmt.Fprintf(w, "\n%s: %s\n", p.Name, strings.TrimPrefix(p.Reason+": "+p.Message, ": "))
	for _, line := range p.Log {
		fmt.Fprintf(w, "  | %s\n", line)
	}
	if p.Next != "" {
		fmt.Fprintf(w, "  next: %s\n", strings.ReplaceAll(p.Next, "\n", "\n        "))
	}
}
