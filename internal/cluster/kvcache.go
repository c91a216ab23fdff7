package cluster

import (
	"context"
	"io"
	"regexp"
	"strconv"
	"strings"

	corev1 "k8s.io/api/core/v1"
)

// kvCacheLine is what vLLM logs once at start, by its wording since 0.8; the device is named before it, GPU or CPU.
var kvCacheLine = regexp.MustCompile(`KV cache size: ([0-9,]+) tokens`)

// headBytes is more than vLLM logs before it serves.
const headBytes = 2 << 20

// KVCacheTokens returns the size of the KV cache that a pod's vLLM logged when it started, 0 when its log does not have it:
// the log was rotated away, or is not vLLM's.
func (o *Observer) KVCacheTokens(ctx context.Context, pod string) (int, error) {
	limit := int64(headBytes)
	stream, err := o.Client.CoreV1().Pods(o.Namespace).GetLogs(pod, &corev1.PodLogOptions{Container: ServerContainer, LimitBytes: &limit}).Stream(ctx)
	if err != nil {
		return 0, err
	}
	defer stream.Close()
	text, err := io.ReadAll(stream)
	if err != nil {
		return 0, err
	}
	return kvCacheTokens(string(text)), nil
}

// kvCacheTokens reads the last such line: a container that began anew logs into a file of its own.
func kvCacheTokens(log string) int {
	found := kvCacheLine.FindAllStringSubmatch(log, -1)
	if len(found) == 0 {
		return 0
	}
	tokens, err := strconv.Atoi(strings.ReplaceAll(found[len(found)-1][1], ",", ""))
	if err != nil {
		return 0 // more digits than any cache has tokens
	}
	return tokens
}
