package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// served is a running server under comparison.
type served struct {
	url     string
	process *os.Process
}

// client gives up on a request that a server has lost: the test then shows status 0.
var client = http.Client{Timeout: time.Minute}

func (s *served) call(method, path string, body any) (int, []byte) {
	var reader io.Reader
	if body != nil {
		data, _ := json.Marshal(body)
		reader = bytes.NewReader(data)
	}
	request, err := http.NewRequest(method, s.url+path, reader)
	if err != nil {
		return 0, nil
	}
	request.Header.Set("Content-Type", "application/json")
	answer, err := client.Do(request)
	if err != nil {
		return 0, []byte(err.Error())
	}
	defer answer.Body.Close()
	data, _ := io.ReadAll(answer.Body)
	return answer.StatusCode, data
}

type obj = map[string]any

func chat(model, text string, tokens int) obj {
	return obj{"model": model, "max_tokens": tokens, "temperature": 0, "messages": []obj{{"role": "user", "content": text}}}
}

// facts asks the same things of a server; the last of them ends it.
func facts(t *testing.T, s *served) map[string]string {
	t.Helper()
	f := map[string]string{}
	record := func(name, method, path string, body any) {
		status, data := s.call(method, path, body)
		f[name+": status"] = fmt.Sprint(status)
		var v any
		if json.Unmarshal(data, &v) != nil {
			return
		}
		for _, p := range paths("", v) {
			f[name+": field "+p] = "yes"
		}
		if e, ok := v.(obj)["error"].(obj); ok {
			for _, key := range []string{"message", "type", "param", "code"} {
				f[name+": error "+key] = fmt.Sprint(e[key])
			}
		}
	}
	record("models", "GET", "/v1/models", nil)
	record("chat", "POST", "/v1/chat/completions", chat("base", "Say hello to the world.", 8))
	record("chat with the adapter", "POST", "/v1/chat/completions", chat("tuned", "Say hello to the world.", 8))
	record("unknown model", "POST", "/v1/chat/completions", chat("nope", "Hello", 8))
	record("prompt too long", "POST", "/v1/chat/completions", chat("base", strings.Repeat("word ", 4000), 8))
	record("no messages", "POST", "/v1/chat/completions", obj{"model": "base"})
	record("tokenize", "POST", "/tokenize", obj{"model": "base", "prompt": "Hello world"})
	record("version", "GET", "/version", nil)
	record("removed generate", "POST", "/generate", obj{"prompt": "x"})
	record("health", "GET", "/health", nil)
	metrics(s, f)
	queue(s, f)
	stream(t, s, f)
	drainFacts(t, s, f)
	return f
}

// paths lists the fields of an answer, arrays once.
func paths(prefix string, v any) []string {
	var out []string
	switch v := v.(type) {
	case obj:
		for key, value := range v {
			out = append(out, prefix+key)
			out = append(out, paths(prefix+key+".", value)...)
		}
	case []any:
		for _, value := range v {
			out = append(out, paths(prefix, value)...)
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}

func metrics(s *served, f map[string]string) {
	_, data := s.call("GET", "/metrics", nil)
	for line := range strings.Lines(string(data)) {
		// "_created" series are the Python client's own bookkeeping.
		if words := strings.Fields(line); len(words) == 4 && words[1] == "TYPE" && strings.HasPrefix(words[2], "vllm:") && !strings.HasSuffix(words[2], "_created") {
			f["metric "+words[2]] = words[3]
		}
	}
}

// queue sends 24 requests at once to a server of 4 sequences and a queue of 4. Requests without any
// answer are left out: the simulator loses some of such a burst, not always the same number.
func queue(s *served, f map[string]string) {
	statuses := make([]string, 24)
	var wait sync.WaitGroup
	for i := range statuses {
		wait.Go(func() {
			status, _ := s.call("POST", "/v1/chat/completions", chat("base", "Tell me a long story.", 40))
			statuses[i] = fmt.Sprint(status)
		})
	}
	wait.Wait()
	statuses = slices.DeleteFunc(statuses, func(s string) bool { return s == "0" })
	slices.Sort(statuses)
	f["24 requests at once, 4 running, 4 queued: statuses seen"] = strings.Join(slices.Compact(statuses), ", ")
}

// events starts a stream and sends what each event carries, in words, until the stream ends.
func events(t *testing.T, s *served, tokens int) <-chan string {
	t.Helper()
	body := chat("base", "Tell me a long story about a fox.", tokens)
	body["stream"], body["stream_options"], body["ignore_eos"] = true, obj{"include_usage": true}, true
	data, err := json.Marshal(body)
	if err != nil {
		t.Fatal(err)
	}
	answer, err := http.Post(s.url+"/v1/chat/completions", "application/json", bytes.NewReader(data))
	if err != nil {
		t.Fatal(err)
	}
	out := make(chan string, 10_000)
	go func() {
		defer close(out)
		defer answer.Body.Close()
		scanner := bufio.NewScanner(answer.Body)
		for scanner.Scan() {
			if line, ok := strings.CutPrefix(scanner.Text(), "data: "); ok {
				out <- kindOf(line)
			}
		}
	}()
	return out
}

func kindOf(line string) string {
	if line == "[DONE]" {
		return "[DONE]"
	}
	var chunk struct {
		Choices []struct {
			Delta        map[string]any
			FinishReason *string `json:"finish_reason"`
		}
		Usage *obj
	}
	if json.Unmarshal([]byte(line), &chunk) != nil {
		return "no JSON"
	}
	var words []string
	for _, c := range chunk.Choices {
		for _, key := range []string{"role", "content"} {
			if text, ok := c.Delta[key].(string); ok {
				words = append(words, key)
				if text == "" {
					words = append(words, "(empty)")
				}
			}
		}
		if c.FinishReason != nil {
			words = append(words, "finish_reason")
		}
	}
	if len(chunk.Choices) == 0 {
		words = append(words, "no choices")
	}
	if chunk.Usage != nil {
		words = append(words, "usage")
	}
	return strings.Join(words, " ")
}

// stream is the order of the kinds of event, repeated ones once.
func stream(t *testing.T, s *served, f map[string]string) {
	t.Helper()
	var kinds []string
	for kind := range events(t, s, 12) {
		kinds = append(kinds, kind)
	}
	f["stream: events"] = strings.Join(slices.Compact(kinds), "; ")
}

// drainFacts ends the server with SIGTERM in the middle of a stream.
func drainFacts(t *testing.T, s *served, f map[string]string) {
	t.Helper()
	running := events(t, s, 150)
	for range 3 {
		<-running
	}
	if err := syscall.Kill(-s.process.Pid, syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	time.Sleep(time.Second)
	status, _ := s.call("GET", "/health", nil)
	f["after SIGTERM: health"] = fmt.Sprint(status)
	status, _ = s.call("POST", "/v1/chat/completions", chat("base", "Hello", 4))
	f["after SIGTERM: a new request"] = fmt.Sprint(status)
	last := ""
	for kind := range running {
		last = kind
	}
	f["after SIGTERM: the running stream ends with"] = last
}
