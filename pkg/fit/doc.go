// Package fit is the arithmetic of GPU memory: whether vLLM will start with a model on a GPU, how many tokens its KV
// cache then holds, and how fast it can be. It follows what vLLM does at start (vllm/v1/worker/gpu_worker.py): a share
// of the GPU's total memory, less weights, what CUDA takes, the peak of a trial step and the CUDA graphs, is the KV
// cache. The constants are derived from causes and checked against published start-up logs (hack/fitscore).
package fit
