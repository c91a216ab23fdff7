#!/usr/bin/env bash
# Usage: hack/demo-serve.sh [--kubeconfig FILE]
# Serving once, in front of your eyes: a real cluster on this machine, the chart with real vLLM and a real (small)
# model, a dialogue summarized, everything removed. With --kubeconfig: the same on that cluster, with the default
# model on an NVIDIA L4.
. "$(dirname "$0")/lib.sh"
. hack/steps.sh
. hack/demo-common.sh

demo_arguments "$@"
trap 'stopped $?' EXIT
demo_cluster "A minute or two" "one NVIDIA L4, the chart's default model (14 GiB from the
Hugging Face Hub; gated models need the Secret hf-secret in that namespace)"

step "install until ready"
leaves "The release may be left in namespace $namespace of $kubeconfig. See: kubectl summarizer status -n $namespace;
remove it: kubectl summarizer uninstall -n $namespace"
# macOS's bash takes an empty list for an unset one.
show kubectl summarizer install -n "$namespace" ${values[@]+"${values[@]}"}

step "status"
show kubectl summarizer status -n "$namespace"

step "query"
show kubectl summarizer query -n "$namespace" "$dialogue"

step "uninstall"
show kubectl summarizer uninstall -n "$namespace"
demo_end
[ -z "$local" ] || say "The summary is poor: SmolLM2 has 135M parameters and is not tuned for this. make demo tunes it."
