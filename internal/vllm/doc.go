// Package vllm is a client of the HTTP API that vLLM serves: the OpenAI one (chat, models)
// and vLLM's own additions (tokenize, version). It speaks plain net/http: the OpenAI SDK
// would add 20 MB to the program.
package vllm
