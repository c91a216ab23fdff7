package vllm

import "strings"

// Instruction is what is asked of the model unless the user says otherwise.
const Instruction = "Summarize the following dialogue in one or two sentences."

// SummaryMessages is the conversation that asks for a summary. The instruction goes into
// the user's turn: the templates of several models, Mistral's first among them, have no
// place for a system turn and refuse one or drop it. An empty instruction sends the text as
// it is; a system turn is added only when it is given.
func SummaryMessages(system, instruction, text string) []Message {
	var messages []Message
	if system != "" {
		messages = append(messages, Message{Role: "system", Content: system})
	}
	content := text
	if instruction != "" {
		content = instruction + "\n\n" + strings.TrimSpace(text)
	}
	return append(messages, Message{Role: "user", Content: content})
}
