package vllm

import "time"

// Message is one turn of a conversation.
type Message struct {
	Role    string `json:"role"` // system, user or assistant
	Content string `json:"content"`
}

// ChatRequest asks for one answer. The server applies the model's own chat template.
type ChatRequest struct {
	Model       string    `json:"model"`
	Messages    []Message `json:"messages"`
	MaxTokens   int       `json:"max_tokens,omitempty"` // 0: as many as the context has room for
	Temperature float64   `json:"temperature"`          // 0 is greedy: the same text gives the same answer
}

// Usage counts the tokens of one request, as the server did.
type Usage struct {
	PromptTokens     int `json:"prompt_tokens"`
	CompletionTokens int `json:"completion_tokens"`
	TotalTokens      int `json:"total_tokens"`
}

// Answer is a finished completion.
type Answer struct {
	Model string
	Text  string
	// FinishReason is "stop" when the model ended by itself, "length" when MaxTokens or the
	// context cut it off.
	FinishReason string
	Usage        Usage
	// FirstToken is the time from sending the request to the first text; zero when the
	// answer was not streamed.
	FirstToken time.Duration
	// Total is the time from sending the request to the end of the answer.
	Total time.Duration
}

// Cut says whether the answer ended because there was no room left for it.
func (a *Answer) Cut() bool { return a.FinishReason == "length" }

// TokensPerSecond is the speed at which tokens came after the first one: the inverse of
// the mean time per output token, (Total - FirstToken) / (tokens - 1). 0 when there is
// nothing to measure.
func (a *Answer) TokensPerSecond() float64 {
	elapsed := (a.Total - a.FirstToken).Seconds()
	if a.Usage.CompletionTokens < 2 || a.FirstToken == 0 || elapsed <= 0 {
		return 0
	}
	return float64(a.Usage.CompletionTokens-1) / elapsed
}

// Model is an entry of /v1/models.
type Model struct {
	ID string `json:"id"`
	// Parent is the base model's served name when this is a LoRA adapter, else empty.
	Parent string `json:"parent"`
	// MaxModelLen is the context in tokens; 0 for adapters, and for servers other than vLLM.
	MaxModelLen int `json:"max_model_len"`
}

// Tokens is what a conversation comes to once the model's template is applied.
type Tokens struct {
	Count       int `json:"count"`
	MaxModelLen int `json:"max_model_len"`
}
