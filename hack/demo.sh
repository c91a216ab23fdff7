#!/usr/bin/env bash
# Usage: hack/demo.sh [--kubeconfig FILE]
# The whole loop once, in front of your eyes: a real cluster on this machine, real vLLM with a real (small) model, a
# dialogue summarized; the model tuned on this repository's example dialogues and judged; its adapter promoted while
# a client goes on asking; the same dialogue again; everything removed. With --kubeconfig: the same on that cluster,
# with the default model on NVIDIA L4s.
. "$(dirname "$0")/lib.sh"
. hack/steps.sh
. hack/demo-common.sh

demo_arguments "$@"
asked=$(mktemp -d)
client=''
# over is for the EXIT trap; usage: over EXIT-CODE
over() {
  rm -f "$asked/go"
  [ -z "$client" ] || wait "$client" || say "the client that asked meanwhile ended with exit code $?"
  rm -rf "$asked"
  stopped "$1"
}
trap 'over $?' EXIT
demo_cluster "About eleven minutes on 2 cores" "the chart's default model on up to three NVIDIA L4s (one to train,
two while the adapter is promoted; 14 GiB from the Hugging Face Hub; gated models need the Secret hf-secret in that namespace)"
training=()
if [ -n "$local" ]; then
  # What the small model needs to learn from so little; a large one takes the defaults.
  training=(--model HuggingFaceTB/SmolLM2-135M-Instruct --device cpu --learning-rate 5e-4 --epochs 3 --batch-size 8 --effective-batch-size 8
    --image localhost/vllm-cpu:v0.32.0 --image-pull-policy Never
    --hub-endpoint http://hub.local-hub.svc --package-index http://hub.local-hub.svc/simple)
else
  training=(--model mistralai/Mistral-7B-Instruct-v0.3)
fi

step "install the model"
leaves "The release and the run may be left in namespace $namespace of $kubeconfig. See: kubectl summarizer status -n $namespace;
kubectl summarizer runs -n $namespace; remove them: kubectl summarizer uninstall -n $namespace; kubectl summarizer runs delete cookies -n $namespace"
# A new pod starts beside the old one when the adapter is promoted.
# macOS's bash takes an empty list for an unset one.
show kubectl summarizer install -n "$namespace" ${values[@]+"${values[@]}"} --set strategy.type=RollingUpdate,strategy.maxSurge=1,strategy.maxUnavailable=0

step "the summary before"
show kubectl summarizer query -n "$namespace" "$dialogue"

step "train and judge"
show kubectl summarizer train cookies -n "$namespace" --data examples/dialogues "${training[@]}"

step "promote, while a client asks"
# ask asks until the file "go" is gone, and ends with an answer: the rollout may not cost it one.
ask() {
  while [ -e "$asked/go" ]; do
    if kubectl summarizer query -n "$namespace" --max-tokens 8 "$dialogue" >/dev/null 2>>"$asked/errors"; then echo >>"$asked/answered"; else echo >>"$asked/failed"; fi
    sleep 1
  done
}
touch "$asked/go" "$asked/answered" "$asked/failed"
ask &
client=$!
show kubectl summarizer promote cookies -n "$namespace"
rm "$asked/go"
wait "$client" || fail "the client that asked meanwhile ended with exit code $?"
client=''
say "
Meanwhile a client asked every other second: $(wc -l <"$asked/answered") answers, $(wc -l <"$asked/failed") failures."
[ ! -s "$asked/failed" ] || { cat "$asked/errors" >&2; fail "the promotion cost answers"; }
[ -s "$asked/answered" ] || fail "the client that asked meanwhile had no answer"

step "the summary after"
show kubectl summarizer query -n "$namespace" --model cookies "$dialogue"

step "remove everything"
show kubectl summarizer uninstall -n "$namespace"
show kubectl summarizer runs delete cookies -n "$namespace" --yes
demo_end
