#!/usr/bin/env bash
# the chart passes `helm lint --strict` of Helm 3 and Helm 4, and its unit tests
. "$(dirname "$0")/../lib.sh"

log=$(mktemp)
trap 'rm -f "$log"' EXIT
for helm in helm3 helm4; do
  for values in '' "$chart"/ci/*-values.yaml; do
    "$(hack/tool $helm)" lint --quiet --strict "$chart" ${values:+-f "$values"} >&2 ||
      fail "$helm lint refuses the chart with ${values:-its default values}"
  done
done
# helm-unittest renders with Helm 3's engine; that Helm 4 renders the same is checked by hack/checks/manifests.sh.
"$(hack/tool helm-unittest)" --strict --file 'tests/*_test.yaml' "$chart" | tee "$log" >&2
tests=$(sed -n 's/^Tests: *//p' "$log")
note "helm-unittest: $tests"
case $tests in *" 0 total" | '') fail "the chart has no unit tests" ;; esac
