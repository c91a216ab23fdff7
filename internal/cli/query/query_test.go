package query_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"math"
	"net/http"
	"strings"
	"testing"
	"time"

	"k8s.io/cli-runtime/pkg/genericiooptions"

	"github.com/kubectl-summarizer/kubectl-summarizer/internal/cli"
	"github.com/kubectl-summarizer/kubectl-summarizer/internal/vllm"
	"github.com/kubectl-summarizer/kubectl-summarizer/internal/vllm/vllmtest"
)

const dialogue = "Amanda: I baked cookies. Do you want some?\nJerry: Sure!\nAmanda: I will bring you tomorrow :-)"

type outcome struct {
	code        int
	out, errOut string
}

// query runs a whole command line as the program does.
func query(ctx context.Context, stdin io.Reader, args ...string) outcome {
	var out, errOut bytes.Buffer
	streams := genericiooptions.IOStreams{In: stdin, Out: &out, ErrOut: &errOut}
	code := cli.Main(ctx, append([]string{"query"}, args...), streams)
	return outcome{code, out.String(), errOut.String()}
}

func ask(t *testing.T, server *vllmtest.Server, args ...string) outcome {
	t.Helper()
	return query(t.Context(), strings.NewReader(dialogue), append([]string{"--url", server.URL}, args...)...)
}

func (o outcome) want(t *testing.T, code int, out, errOut string) {
	t.Helper()
	if o.code != code || o.out != out || o.errOut != errOut {
		t.Errorf("exit code %d, want %d\nout  %q\nwant %q\nerr  %q\nwant %q", o.code, code, o.out, out, o.errOut, errOut)
	}
}

func content(server *vllmtest.Server, request, message int) string {
	return server.Requests()[request]["messages"].([]any)[message].(map[string]any)["content"].(string)
}

func TestSummary(t *testing.T) {
	server := vllmtest.Start(t)
	ask(t, server).want(t, 0, "Amanda baked cookies.\n", "")
	ask(t, server, "-").want(t, 0, "Amanda baked cookies.\n", "")
	ask(t, server, "short text", "--prompt", "Shorten:", "--system", "You are brief.").want(t, 0, "Amanda baked cookies.\n", "")
	ask(t, server, "--prompt", "").want(t, 0, "Amanda baked cookies.\n", "")
	if got := content(server, 0, 0); got != vllm.Instruction+"\n\n"+dialogue {
		t.Errorf("from stdin: %q", got)
	}
	if system, user := content(server, 2, 0), content(server, 2, 1); system != "You are brief." || user != "Shorten:\n\nshort text" {
		t.Errorf("with a system turn: %q, %q", system, user)
	}
	if got := content(server, 3, 0); got != dialogue {
		t.Errorf("as it is: %q", got)
	}
	first := server.Requests()[0]
	if first["model"] != "smol" || first["temperature"] != 0.0 || first["max_tokens"] != 256.0 || len(first["messages"].([]any)) != 1 {
		t.Errorf("defaults: %v", first)
	}
}

func TestJSON(t *testing.T) {
	server := vllmtest.Start(t)
	server.Pause = 5 * time.Millisecond
	server.Pieces = []string{" Amanda", " & <Jerry>", "."}
	got := ask(t, server, "-o", "json", "--model", "demo")
	var report struct {
		Model, Text, FinishReason string
		Usage                     struct{ PromptTokens, CompletionTokens, TotalTokens int }
		Timings                   struct{ TtftMs, TotalMs, TokensPerSecond float64 }
	}
	if err := json.Unmarshal([]byte(got.out), &report); err != nil || got.code != 0 || got.errOut != "" {
		t.Fatalf("%+v: %v", got, err)
	}
	if report.Model != "demo" || report.Text != "Amanda & <Jerry>." || report.FinishReason != "stop" {
		t.Errorf("%+v", report)
	}
	if report.Usage.CompletionTokens != 3 || report.Usage.TotalTokens != report.Usage.PromptTokens+3 {
		t.Errorf("%+v", report.Usage)
	}
	// Two tokens come after the first; how fast they do is the machine's affair.
	ms := report.Timings
	if want := 2000 / (ms.TotalMs - ms.TtftMs); ms.TtftMs <= 0 || ms.TotalMs <= ms.TtftMs || math.Abs(ms.TokensPerSecond-want) > 0.02*want {
		t.Errorf("%+v: want %.2f tokens/s", ms, want)
	}
	if strings.Contains(got.out, `\u003c`) {
		t.Error("the text is escaped as if for HTML")
	}
}

// TestTokensComeOneByOne: each piece must be written before the next is sent.
func TestTokensComeOneByOne(t *testing.T) {
	server := vllmtest.Start(t)
	server.Pause = 100 * time.Millisecond
	reader, writer := io.Pipe()
	go func() {
		streams := genericiooptions.IOStreams{In: strings.NewReader(dialogue), Out: writer, ErrOut: io.Discard}
		cli.Main(t.Context(), []string{"query", "--url", server.URL}, streams)
		writer.Close()
	}()
	var gaps []time.Duration
	last := time.Now()
	buffer := make([]byte, 100)
	for {
		if _, err := reader.Read(buffer); err != nil {
			break
		}
		gaps = append(gaps, time.Since(last))
		last = time.Now()
	}
	// Four pieces and the newline, which comes at once.
	if len(gaps) != 5 || gaps[1] < 50*time.Millisecond || gaps[2] < 50*time.Millisecond || gaps[3] < 50*time.Millisecond {
		t.Fatalf("pieces came after %v", gaps)
	}
}

func TestAnswersThatAreNone(t *testing.T) {
	server := vllmtest.Start(t)
	server.Finish = "length"
	ask(t, server).want(t, 0, "Amanda baked cookies.\n", "note: the answer was cut off after 4 tokens; for a longer one: --max-tokens 512\n")
	server.Pieces = []string{" ", "\n"}
	ask(t, server).want(t, 1, "", "error: the model's answer is empty\n  try another instruction (--prompt) or model (--model)\n")
}

func TestContext(t *testing.T) {
	server := vllmtest.Start(t)
	server.MaxModelLen = 64
	long := strings.Repeat("word ", 100)
	ask(t, server, long).want(t, 3, "", "error: the text is too long: with the instruction it has 112 tokens, and the context of smol is 64\n  give a shorter text, or send it in parts\n")
	if len(server.Requests()) != 0 {
		t.Error("it was sent all the same")
	}
	fits := strings.Repeat("word ", 50)
	ask(t, server, fits, "--max-tokens", "10").want(t, 3, "", "error: 62 tokens of text and 10 for the answer are more than the context of smol, 64\n  give --max-tokens 2 or less, or a shorter text\n")
	server.Finish = "length"
	ask(t, server, fits).want(t, 0, "Amanda baked cookies.\n", "note: the answer was cut off after 4 tokens: the text leaves no more room in the model's context\n")
	if got := server.Requests()[0]["max_tokens"]; got != 2.0 {
		t.Errorf("asked for %v tokens with room for 2", got)
	}
}

func TestModelsThatAreNotServed(t *testing.T) {
	server := vllmtest.Start(t)
	ask(t, server, "--model", "dem").want(t, 3, "", "error: model \"dem\" is not served\n  did you mean --model demo?\n  served: smol, demo\n")
	ask(t, server, "--model", "gpt-5").want(t, 3, "", "error: model \"gpt-5\" is not served\n  served: smol, demo\n")
}

func TestBusyServer(t *testing.T) {
	server := vllmtest.Start(t)
	server.Fail(vllmtest.Busy, vllmtest.Draining)
	ask(t, server).want(t, 0, "Amanda baked cookies.\n", "")
	for range 10 {
		server.Fail(vllmtest.Busy)
	}
	got := ask(t, server)
	_, got.errOut, _ = strings.Cut("\n"+got.errOut, "\nerror: ") // before it, what was waited for
	got.want(t, 1, "", server.URL+" is busy: the server answered 503: The engine is currently busy and cannot accept new requests. Please try again later or on a different instance.\n  try again shortly\n")
}

func TestAnswerThatBreaksOff(t *testing.T) {
	server := vllmtest.Start(t)
	server.Pieces = []string{"Amanda", " baked", ""}
	ask(t, server).want(t, 1, "Amanda baked\n", "error: the answer broke off after 12 characters: unexpected EOF\n  run the same command again\n")
	ask(t, server, "-o", "json").want(t, 1, "", "error: the answer broke off after 12 characters: unexpected EOF\n  run the same command again\n")
}

func TestAnswerThatBreaksOffBeforeItsFirstToken(t *testing.T) {
	server := vllmtest.Start(t)
	silent := func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/event-stream")
		fmt.Fprint(w, `data: {"choices":[{"delta":{"role":"assistant","content":""}}]}`+"\n\n")
		w.(http.Flusher).Flush()
		panic(http.ErrAbortHandler)
	}
	server.Fail(silent, silent)
	ask(t, server).want(t, 0, "Amanda baked cookies.\n", "")
	server.Fail(silent, silent, silent)
	ask(t, server).want(t, 1, "", "error: the answer broke off before any text came: unexpected EOF\n  run the same command again\n")
}

func TestSilentServer(t *testing.T) {
	server := vllmtest.Start(t)
	server.Fail(func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() })
	ask(t, server, "--timeout", "100ms").want(t, 124, "",
		"error: the server sent nothing for 100ms\n  is the server at "+server.URL+" well?\n  or wait longer: --timeout DURATION\n")
}

func TestInterrupt(t *testing.T) {
	server := vllmtest.Start(t)
	server.Pieces, server.Pause = strings.Split(strings.Repeat("a ", 1000), " ")[:1000], 10*time.Millisecond
	ctx, cancel := context.WithCancel(t.Context())
	time.AfterFunc(300*time.Millisecond, cancel)
	got := query(ctx, nil, dialogue, "--url", server.URL)
	if got.code != 130 || !strings.HasPrefix(got.out, "aa") || !strings.HasSuffix(got.out, "a\n") || got.errOut != "error: interrupted\n" {
		t.Errorf("%+v", got)
	}
	select {
	case <-server.Aborted():
	case <-time.After(5 * time.Second):
		t.Error("the server goes on")
	}
}

func TestInterruptWhileReadingAPipe(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	time.AfterFunc(50*time.Millisecond, cancel)
	reader, _ := io.Pipe()
	query(ctx, reader, "--url", "http://127.0.0.1:1").want(t, 130, "", "error: interrupted\n")
}

func TestNoServer(t *testing.T) {
	server := vllmtest.Start(t)
	server.Close()
	ask(t, server).want(t, 1, "", "error: cannot reach "+server.URL+": connection refused\n  is the server up, and --url its address?\n")
	ask(t, server, "--url", strings.Replace(server.URL, "//", "//user:canary@", 1)).want(t, 1, "",
		"error: cannot reach "+server.URL+": connection refused\n  is the server up, and --url its address?\n")
}

func TestServerOfAnotherKind(t *testing.T) {
	server := vllmtest.Start(t)
	got := query(t.Context(), nil, dialogue, "--url", server.URL+"/elsewhere")
	got.want(t, 1, "", "error: "+server.URL+"/elsewhere has no chat API: the server answered 404: Not Found\n  is --url the address of an OpenAI-compatible server?\n")
}
