#!/usr/bin/env bash
# rendered variants: the same from Helm 3 and 4, valid for Kubernetes (kubeconform), sound (kube-score)
. "$(dirname "$0")/../lib.sh"
. hack/variants.sh

schemas=$(hack/schemas.sh)
helm3=$(hack/tool helm3) helm4=$(hack/tool helm4) kubeconform=$(hack/tool kubeconform) score=$(hack/tool kube-score)
out=$(mktemp -d)
trap 'rm -rf "$out"' EXIT

# Left aside, with the reason: these judge what the chart leaves to its user or cannot know.
ignored=(
  container-image-pull-policy              # Always asks the registry at each start; the tag is pinned.
  container-security-context-user-group-id # Wants ids above 10000; no host path is mounted that 1000 could own.
  deployment-has-host-podantiaffinity      # A GPU pod takes the node's GPU: two on a node are wanted on big nodes.
  deployment-replicas                      # One replica is what one GPU can serve.
  deployment-strategy                      # Recreate: a rollout must not need a GPU that is not there.
  pod-probes-identical                     # Both ask /health, the only cheap answer there is, with different patience.
  pod-networkpolicy                        # Egress is left open: the model comes from the Hugging Face Hub.
)

skip=()
for test in "${ignored[@]}"; do skip+=(--ignore-test "$test"); done

# documents prints a manifest without the blank lines at the documents' ends.
documents() { awk '/^$/ {blank = blank "\n"; next} {if ($0 != "---") printf "%s", blank; blank = ""; print}' "$1"; }

failed=0 variants=0
for values in '' "$chart"/ci/*-values.yaml; do
  name=default
  [ -z "$values" ] || name=$(basename "$values" -values.yaml)
  "$helm3" template demo "$chart" --namespace demo ${values:+-f "$values"} >"$out/$name.yaml"
  "$helm4" template demo "$chart" --namespace demo ${values:+-f "$values"} >"$out/$name.helm4.yaml"
  # Helm 4 keeps the blank line that ends a document, Helm 3 does not; YAML does not care.
  diff -u <(documents "$out/$name.yaml") <(documents "$out/$name.helm4.yaml") || { say "$name: Helm 3 and Helm 4 render different manifests"; failed=1; }
  "$kubeconform" -strict -summary -schema-location "$schemas/{{.ResourceKind}}{{.KindSuffix}}.json" "$out/$name.yaml" ||
    { say "$name: not valid for Kubernetes"; failed=1; }
  if grep -q '^kind: LeaderWorkerSet' "$out/$name.yaml"; then
    note "$name: not scored, kube-score finds no pods in a LeaderWorkerSet"
    variants=$((variants + 1))
    continue
  fi
  "$score" score --exit-one-on-warning --ignore-container-cpu-limit --output-format ci --kubernetes-version v1.29 "${skip[@]}" "$out/$name.yaml" >"$out/score" || { grep -E '^\[(CRITICAL|WARNING)' "$out/score"; say "$name: kube-score has objections"; failed=1; }
  variants=$((variants + 1))
done

train_variants "$out" demo
for run in "$out"/train-*.yaml; do
  name=$(basename "$run" .yaml)
  "$kubeconform" -strict -summary -schema-location "$schemas/{{.ResourceKind}}{{.KindSuffix}}.json" "$run" || { say "$name: not valid for Kubernetes"; failed=1; }
  "$score" score --exit-one-on-warning --ignore-container-cpu-limit --output-format ci --kubernetes-version v1.29 "${skip[@]}" "$run" >"$out/score" || { grep -E '^\[(CRITICAL|WARNING)' "$out/score"; say "$name: kube-score has objections"; failed=1; }
  variants=$((variants + 1))
done
note "$variants variants, the chart's rendered by both Helms"
[ $failed = 0 ]
