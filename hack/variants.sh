# Runs whose objects are checked beside the chart's variants: sourced after lib.sh.

# train_variants writes the objects of each run to DIRECTORY/train-NAME.yaml; usage: train_variants DIRECTORY NAMESPACE
train_variants() {
  local name
  local -A flags=(
    [default]="--model mistralai/Mistral-7B-Instruct-v0.3"
    [two]="--model mistralai/Mistral-7B-Instruct-v0.3 --model meta-llama/Llama-3.2-3B-Instruct --spot --data examples/dialogues"
    [standard]="--model Qwen/Qwen2.5-1.5B-Instruct --platform gke-standard --spot --gpus 2 --ttl 24h --max-time 12h --wandb-secret wandb:key"
    [queue]="--model Qwen/Qwen2.5-1.5B-Instruct --platform custom --queue gpus --priority-class low --toleration dedicated=gpu:NoSchedule"
    [cpu]="--model HuggingFaceTB/SmolLM2-135M-Instruct --device cpu --image localhost/vllm-cpu:v0.32.0 --data pvc://dialogues/spring"
  )
  CGO_ENABLED=0 go build -o "$1/plugin" ./cmd/kubectl-summarizer
  for name in "${!flags[@]}"; do
    # shellcheck disable=SC2086 # the words of a variant are to be split
    "$1/plugin" train "$name" -n "$2" ${flags[$name]} --dry-run=client >"$1/train-$name.yaml"
  done
}
