#!/usr/bin/env bash
# go.mod and go.sum hold what the code imports and nothing else
. "$(dirname "$0")/../lib.sh"

for module in . hack/localcluster hack/localcluster/servers hack/localcluster/vllmsim/simulator; do
  (cd "$module" && go mod tidy -diff) || fail "run  go mod tidy  in $module"
done
