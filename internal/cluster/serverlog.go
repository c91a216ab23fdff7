package cluster

import (
	"cmp"
	"strings"
)

// nodeHere stands in a hint for the name of the pod's node.
const nodeHere = "{node}"

// cause is a failure of vLLM that its log names, what it means and what to do.
type cause struct {
	sign, meaning, next string
}

// causes lists vLLM's messages by their wording in 0.32.0, the most telling first: a crash
// prints several.
var causes = []cause{
	{"unrecognized arguments:", "", "this vLLM does not know the flag: look at engine.extraArgs, or at image.tag"},
	{"invalid choice:", "", "this vLLM does not take the value: look at the flag's choices"},
	{"KV cache is needed, which is larger than the available KV cache memory", "",
		"lower the context to what fits: --max-model-len, or use --set engine.kvCacheDtype=fp8, or a larger GPU"},
	{"No available memory for the cache blocks", "the weights fill the GPU and leave nothing for the KV cache",
		"use a smaller or quantized model, more GPUs (--gpus), or a larger one (--accelerator)"},
	{"less than desired GPU memory utilization", "", "another process holds memory of this GPU: lower engine.gpuMemoryUtilization, or use a GPU of its own"},
	{"CUDA out of memory", "the GPU's memory is too small", "lower --max-model-len or engine.maxNumSeqs, or use a larger GPU"},
	{"torch.OutOfMemoryError", "the GPU's memory is too small", "lower --max-model-len or engine.maxNumSeqs, or use a larger GPU"},
	{"Error 803", "the node's GPU driver is older than this vLLM image needs", "on GKE: gpu.driverVersion=latest and node version 1.34 or newer; else update the driver to R580 or newer"},
	{"NVIDIA driver on your system is too old", "", "on GKE: gpu.driverVersion=latest and node version 1.34 or newer; else update the driver to R580 or newer"},
	{"Failed to infer device type", "vLLM sees no GPU in its container", "does the node have a working NVIDIA driver and device plugin? kubectl describe node " + nodeHere},
	{"does not recognize this architecture", "this vLLM does not know the model's architecture", "use a newer image: --image vllm/vllm-openai:TAG"},
	{"is not a local folder and is not a valid model identifier", "", "check the model's name: --model ORG/NAME"},
	{"Cannot access gated repo", "the token has no access to this gated model", "accept the licence on the model's page with the account of the token"},
	{"No space left on device", "the volume is full", "raise model.weightsGiB to the model's size, or cache.persistence.size"},
}

// readLog refines what is known of the pod by the last lines of its container's log.
func (p *Pod) readLog(text string) {
	lines := meaningful(text)
	if len(lines) == 0 {
		return
	}
	if p.Phase != Failing {
		if p.Message == "" || p.Phase == Downloading {
			p.Message = strings.TrimPrefix(lines[len(lines)-1], "download: ")
		}
		return
	}
	p.Log = lines[max(0, len(lines)-keptLines):]
	if p.foreign != "" {
		// What vLLM's messages mean says nothing of another program.
		if p.Message == p.foreign+" failed" {
			p.Message += ": " + lastError(lines)
		}
		return
	}
	for _, c := range causes {
		for _, line := range lines {
			if !strings.Contains(line, c.sign) {
				continue
			}
			p.Next = strings.ReplaceAll(c.next, nodeHere, cmp.Or(p.Node, "NODE")+p.target)
			if p.Message = c.meaning; p.Message == "" {
				p.Message = line
			}
			return
		}
	}
	switch {
	case p.Message == "":
		p.Message = lastError(lines)
	case len(p.Log) == 1 && p.Log[0] == p.Message:
		p.Log = nil // it would only be said twice
	}
}

// keptLines is how much of a failed container's log is shown: enough for the end of a
// traceback, short enough to be read.
const keptLines = 8

// meaningful returns the log's lines without the prefixes that vLLM gives them, and without
// the empty ones.
func meaningful(text string) []string {
	var lines []string
	for line := range strings.Lines(text) {
		if line = cleanLine(line); line != "" {
			lines = append(lines, line)
		}
	}
	return lines
}

// cleanLine takes off "(EngineCore pid=33) INFO 11-23 10:00:00 [core.py:12] ", and of a
// progress bar, which redraws its line, all but the last state.
func cleanLine(line string) string {
	line = strings.TrimRight(line, "\r\n ")
	if i := strings.LastIndexByte(line, '\r'); i >= 0 {
		line = line[i+1:]
	}
	if strings.HasPrefix(line, "(") {
		if head, rest, found := strings.Cut(line, ") "); found && strings.Contains(head, "pid=") {
			line = rest
		}
	}
	for _, level := range []string{"INFO ", "WARNING ", "ERROR ", "DEBUG "} {
		if strings.HasPrefix(line, level) {
			if _, rest, found := strings.Cut(line, "] "); found {
				line = rest
			}
		}
	}
	return strings.TrimSpace(line)
}

// lastError returns the last line that looks like an error, or else the last line.
func lastError(lines []string) string {
	for i := len(lines) - 1; i >= 0; i-- {
		if strings.Contains(lines[i], "Error") || strings.Contains(lines[i], "error:") {
			return lines[i]
		}
	}
	return lines[len(lines)-1]
}
