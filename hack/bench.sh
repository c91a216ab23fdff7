#!/usr/bin/env bash
# Usage: hack/bench.sh [flags of hack/bench]
# Builds the plugin and both Helms, brings up the local cluster where that is possible, measures, and writes
# the section "The plugin" of docs/performance.md.
. "$(dirname "$0")/lib.sh"

make --no-print-directory build >&2
cluster=()
if [ "$(id -u)" = 0 ] && [ "$(uname -s)" = Linux ]; then
  hack/localcluster.sh up >&2
  KUBECONFIG=$(hack/localcluster.sh kubeconfig)
  kubectl=$(hack/localcluster.sh kubectl)
  namespace=bench-$$
  trap '"$kubectl" --kubeconfig "$KUBECONFIG" delete namespace "$namespace" --wait=false >/dev/null || true' EXIT
  "$kubectl" --kubeconfig "$KUBECONFIG" create namespace "$namespace" >&2
  cluster=(-kubeconfig "$KUBECONFIG" -namespace "$namespace" -values "$chart/ci/local-sim-values.yaml")
else
  say "no local cluster without root on Linux: the rows that install are left out"
fi
mkdir -p bin
go build -o bin/bench ./hack/bench
bin/bench -plugin bin/kubectl-summarizer -helm3 "$(hack/tool helm3)" -helm4 "$(hack/tool helm4)" -chart "$chart" \
  "${cluster[@]}" -o bin/bench.md "$@" || missed=$?
hack/performance.py "The plugin" <bin/bench.md
exit "${missed:-0}"
