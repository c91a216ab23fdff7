#!/usr/bin/env bash
# Usage: hack/demo.sh [--kubeconfig FILE]
# The whole loop once, in front of your eyes: a real cluster on this machine, real vLLM with a real (small) model, a
# dialogue summarized; the model tuned on this repository's example dialogues and judged; its adapter promoted while
# clients go on asking; the same dialogue again; everything removed. With --kubeconfig: the same on that cluster, with
# the default model on NVIDIA L4s.
. "$(dirname "$0")/lib.sh"
. hack/steps.sh
. hack/demo-common.sh

demo_arguments "$@"
trap 'stopped $?' EXIT
demo_cluster "About twelve minutes" "Mistral-7B-Instruct-v0.3 on up to three NVIDIA L4s (one to train,
two while the adapter is promoted; it needs the Secret hf-secret in that namespace if the model is gated)"
training=()
if [ -n "$local" ]; then
  training=(--model HuggingFaceTB/SmolLM2-135M-Instruct --device cpu --image localhost/vllm-cpu:v0.32.0 --image-pull-policy Never
    --hub-endpoint http://hub.local-hub.svc --package-index http://hub.local-hub.svc/simple)
fi

step "install the base model"
leaves "The release and the run may be left in namespace $namespace of $kubeconfig. See: kubectl summarizer status -n $namespace;
kubectl summarizer runs -n $namespace; remove them: kubectl summarizer uninstall -n $namespace; kubectl summarizer runs delete cookies -n $namespace"
show kubectl summarizer install -n "$namespace" ${values[@]+"${values[@]}"} --set strategy.type=RollingUpdate --set strategy.maxSurge=1 --set strategy.maxUnavailable=0

step "the summary before"
show kubectl summarizer query -n "$namespace" "$dialogue"

step "train and judge"
show kubectl summarizer train cookies -n "$namespace" --data examples/dialogues ${training[@]+"${training[@]}"}

step "promote"
# A client that never stops asking: the rollout may not cost it one answer.
asked=$(mktemp)
(while :; do
  kubectl summarizer query -n "$namespace" --max-tokens 8 "$dialogue" >/dev/null 2>>"$asked.errors" && echo ok >>"$asked" || echo failed >>"$asked"
done) &
client=$!
show kubectl summarizer promote cookies -n "$namespace"
kill "$client" 2>/dev/null || true
wait "$client" 2>/dev/null || true
say "Meanwhile a client asked $(wc -l <"$asked") times; failed: $(grep -c failed "$asked" || true)"
if grep -q failed "$asked"; then cat "$asked.errors" >&2; fail "the promotion cost answers"; fi

step "the summary after"
show kubectl summarizer query -n "$namespace" --model cookies "$dialogue"

step "remove everything"
show kubectl summarizer uninstall -n "$namespace"
show kubectl summarizer runs delete cookies -n "$namespace" --yes
demo_end
